// Signing in by an electronic signature: a text to be signed elsewhere, and the signature pasted.
import { useEffect, useState } from 'react';
import { BEGIN_SIGNATURE, type Challenged, SIGN_IN_BY_SIGNATURE } from './doors';
import { TextArea } from './fields';
import { Form, typed, useWork } from './form';
import { formTexts } from './formtexts';
import { problemsOf } from './problem';
import type { Session } from './session';
import { texts } from './texts';

interface Props {
  session: Session;
  onBack: () => void;
  onDone: () => void;
}

export function Signature({ session, onBack, onDone }: Props) {
  const work = useWork();
  const [given, setGiven] = useState<Challenged | null>(null);
  const [isCopied, setCopied] = useState(false);

  async function begin() {
    setGiven(await session.ask<Challenged>(BEGIN_SIGNATURE));
    setCopied(false);
  }

  useEffect(() => void work.run(begin), [session]);

  async function submit(values: FormData) {
    try {
      await session.enter(SIGN_IN_BY_SIGNATURE, { challenge: given?.challenge ?? '', signature: typed(values, 'signature') });
    } catch (error) {
      // Whose time has ended is told so, and signs another text.
      if (problemsOf(error).some(({ code }) => code === 'CHALLENGE_INVALID')) await begin();
      throw error;
    }
    onDone();
  }

  async function copy() {
    await navigator.clipboard.writeText(given?.text ?? '');
    setCopied(true);
  }

  return (
    <Form
      work={work}
      fields={['signature']}
      needed={['signature']}
      submit={texts.signIn}
      cancel={formTexts.back}
      onCancel={onBack}
      onSubmit={submit}
    >
      <p className="field-hint">{formTexts.signatureText}</p>
      <pre className="sign-in-text" data-testid="to-be-signed">{given?.text}</pre>
      <button type="button" className="button" onClick={() => void work.run(copy)}>
        {formTexts.copy}
      </button>
      <p className="field-hint" role="status">{isCopied && formTexts.copied}</p>
      <TextArea name="signature" label={formTexts.signature} hint={formTexts.signatureHint} />
    </Form>
  );
}
