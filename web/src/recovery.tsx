// A new password by a code that goes to a phone or an e-mail address.
import { useState } from 'react';
import { REQUEST_RECOVERY, RESET_PASSWORD } from './doors';
import { PasswordField, TextField } from './fields';
import { code, Form, secret, typed, useWork } from './form';
import { formTexts } from './formtexts';
import { useSentCode } from './sent';
import { SentCode } from './sentcode';
import type { Session } from './session';
import { texts } from './texts';

interface Props {
  session: Session;
  onBack: () => void;
  onDone: () => void;
}

export function Recovery({ session, onBack, onDone }: Props) {
  const work = useWork();
  const [contact, setContact] = useState('');
  const sent = useSentCode(session, 'recovery');

  async function ask(to: string) {
    await sent.ask(REQUEST_RECOVERY, { contact: to });
    setContact(to);
  }

  async function reset(values: FormData) {
    await session.ask(RESET_PASSWORD, { handle: sent.handle, code: code(values), password: secret(values, 'password') });
    sent.done();
    onDone();
  }

  if (sent.handle === null) {
    return (
      <Form
        key="contact"
        work={work}
        fields={['contact']}
        needed={['contact']}
        submit={formTexts.getCode}
        cancel={formTexts.back}
        onCancel={onBack}
        onSubmit={(values) => ask(typed(values, 'contact'))}
      >
        <TextField name="contact" label={texts.login} autoComplete="username" />
      </Form>
    );
  }
  return (
    <Form
      key="password"
      work={work}
      fields={['code', 'password']}
      needed={['code', 'password']}
      submit={formTexts.resetPassword}
      cancel={formTexts.back}
      onCancel={onBack}
      onSubmit={reset}
    >
      <SentCode work={work} onAgain={() => ask(contact)} />
      <PasswordField name="password" label={formTexts.newPassword} hint={formTexts.passwordHint} autoComplete="new-password" />
    </Form>
  );
}
