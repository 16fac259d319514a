// The first step: phone or e-mail with the password, or another way in.
import { useEffect, useRef } from 'react';
import type { Step } from './access';
import { BEGIN_PASSKEY_SIGN_IN, type Asked, SIGN_IN, SIGN_IN_BY_PASSKEY } from './doors';
import { CodeField, PasswordField, TextField } from './fields';
import { code, Form, secret, typed, useWork } from './form';
import { formTexts } from './formtexts';
import { leaveForEsia } from './gosuslugi';
import { hasPasskeys, offerPasskeys, passkeyAddress, showPasskey } from './passkeys';
import type { Problem } from './problem';
import type { Session } from './session';
import { texts } from './texts';
import type { Way } from './ways';

interface Props {
  session: Session;
  refused: readonly Problem[];
  ways: readonly Way[];
  onStep: (step: Step) => void;
  onClose: () => void;
}

// What a passkey answers lasts five minutes, and an offer may stand for longer.
const RENEWED = 4 * 60_000;

export function SignIn({ session, refused, ways, onStep, onClose }: Props) {
  const work = useWork(refused);

  async function submit(values: FormData) {
    const given = { login: typed(values, 'login'), password: secret(values, 'password'), code: code(values) || null };
    const { pending } = await session.enter(SIGN_IN, given);
    if (pending) onStep({ at: 'secondFactor', pending });
    else onClose();
  }

  // The browser shows passkeys in one way at a time.
  const offered = useRef(new AbortController());

  const askForPasskey = async () => (await session.ask<Asked>(BEGIN_PASSKEY_SIGN_IN)).options;

  async function enterBy(credential: string) {
    await session.enter(SIGN_IN_BY_PASSKEY, { credential });
    onClose();
  }

  async function offer() {
    offered.current.abort();
    offered.current = new AbortController();
    // Nobody asked for it: where there is none to offer, nothing is said.
    const chosen = await offerPasskeys(askForPasskey, offered.current.signal).catch(() => null);
    if (chosen !== null) await work.run(() => offeringAgain(() => enterBy(chosen)));
  }

  async function offeringAgain(action: () => Promise<void>) {
    try {
      await action();
    } catch (error) {
      void offer();
      throw error;
    }
  }

  useEffect(() => {
    void offer();
    const renewing = window.setInterval(() => void offer(), RENEWED);
    return () => {
      window.clearInterval(renewing);
      offered.current.abort();
    };
  }, [session]);

  async function byPasskey() {
    offered.current.abort();
    await offeringAgain(async () => enterBy(await showPasskey(await askForPasskey())));
  }

  const trouble = () => work.problems.map((problem) => `${problem.code}: ${problem.message}`).join('\n');
  const way = (text: string, testId: string, onClick: () => void) => (
    <button type="button" className="button" data-testid={testId} disabled={work.isBusy} onClick={onClick}>
      {text}
    </button>
  );

  return (
    <>
      <Form
        work={work}
        fields={['login', 'password', 'code']}
        needed={['login', 'password']}
        submit={texts.signIn}
        cancel={texts.cancel}
        onCancel={onClose}
        onSubmit={submit}
      >
        <TextField name="login" label={texts.login} autoComplete="username webauthn" />
        <PasswordField name="password" label={texts.password} autoComplete="current-password" />
        <CodeField hint={texts.codeHint} />
      </Form>
      <section className="sign-in-ways" aria-label={formTexts.otherWays}>
        {hasPasskeys && !passkeyAddress && way(formTexts.signInByPasskey, 'by-passkey', () => void work.run(byPasskey))}
        {passkeyAddress && (
          <p className="field-hint">
            {formTexts.passkeyAt} <a href={passkeyAddress}>{passkeyAddress}</a>
          </p>
        )}
        {ways.includes('ESIA') && way(formTexts.signInByEsia, 'by-esia', () => void work.run(() => leaveForEsia(session)))}
        {ways.includes('SIGNATURE') &&
          way(formTexts.signInBySignature, 'by-signature', () => onStep({ at: 'signature' }))}
        {way(formTexts.recover, 'recover', () => onStep({ at: 'recovery' }))}
        {way(formTexts.register, 'register', () => onStep({ at: 'registration' }))}
        {way(formTexts.support, 'support', () => onStep({ at: 'ticket', trouble: trouble() }))}
      </section>
    </>
  );
}
