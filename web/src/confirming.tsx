// Confirming one's account: a code by SMS or e-mail, and the numbers that become its owner's.
import { useState } from 'react';
import type { StepProps } from './account';
import { Choice, TextField } from './fields';
import { code, Form, typed, useWork } from './form';
import { formTexts } from './formtexts';
import { CONFIRM_ACCOUNT, REQUEST_CONFIRMATION } from './ownaccount';
import { useSentCode } from './sent';
import { SentCode } from './sentcode';

export function Confirming({ session, account, onBack, onDone }: StepProps) {
  const work = useWork();
  const [channel, setChannel] = useState(account.phone ? 'SMS' : 'EMAIL');
  const [email, setEmail] = useState<string | null>(null);
  const sent = useSentCode(session, `confirmation ${channel}`);

  async function ask(to: string | null) {
    await sent.ask(REQUEST_CONFIRMATION, { channel, email: to });
    setEmail(to);
  }

  async function confirm(values: FormData) {
    const numbers = { snils: typed(values, 'snils'), inn: typed(values, 'inn') || null };
    await session.ask(CONFIRM_ACCOUNT, { handle: sent.handle, code: code(values), ...numbers });
    sent.done();
    await onDone(formTexts.accountConfirmed);
  }

  const common = { work, cancel: formTexts.back, onCancel: onBack };
  if (sent.handle === null) {
    return (
      <Form
        key="channel"
        {...common}
        fields={['channel', 'email']}
        submit={formTexts.getCode}
        onSubmit={(values) => ask(typed(values, 'email') || null)}
      >
        <Choice name="channel" label={formTexts.codeBy} options={formTexts.channels} value={channel} onChoose={setChannel} />
        {channel === 'EMAIL' && !account.email && (
          <TextField name="email" label={formTexts.email} type="email" autoComplete="email" />
        )}
      </Form>
    );
  }
  return (
    <Form
      key="code"
      {...common}
      fields={['code', 'snils', 'inn']}
      needed={['code', 'snils']}
      submit={formTexts.confirm}
      onSubmit={confirm}
    >
      <SentCode work={work} onAgain={() => ask(email)} />
      <TextField name="snils" label={formTexts.snils} inputMode="numeric" placeholder="000-000-000 00" />
      <TextField name="inn" label={formTexts.inn} hint={formTexts.innHint} inputMode="numeric" />
    </Form>
  );
}
