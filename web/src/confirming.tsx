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
  const sent = useSentCode(session, 'confirmation');
  const contacts: Readonly<Record<string, string | null>> = { SMS: account.phone, EMAIL: account.email };
  // The address given at registering is not the account's yet, and has a code on the way.
  const channels = Object.entries(formTexts.channels).filter(([key]) => contacts[key] ?? sent.last({ channel: key }));
  const [channel, setChannel] = useState(channels[0]?.[0] ?? 'SMS');

  async function ask() {
    await sent.ask(REQUEST_CONFIRMATION, { channel });
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
      <Form key="channel" {...common} fields={['channel']} submit={formTexts.getCode} onSubmit={ask}>
        <Choice
          name="channel"
          label={formTexts.codeBy}
          options={Object.fromEntries(channels)}
          value={channel}
          onChoose={setChannel}
        />
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
      <SentCode work={work} to={contacts[channel] ?? null} onAgain={ask} />
      <TextField name="snils" label={formTexts.snils} inputMode="numeric" placeholder="000-000-000 00" />
      <TextField name="inn" label={formTexts.inn} hint={formTexts.innHint} inputMode="numeric" />
    </Form>
  );
}
