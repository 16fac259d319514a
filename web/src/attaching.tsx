// Attaching the role of a worker: a number that the staff registry knows, and a code.
import { useState } from 'react';
import type { StepProps } from './account';
import { Choice, TextField } from './fields';
import { code, Form, typed, useWork } from './form';
import { formTexts } from './formtexts';
import { ATTACH_ROLE, REQUEST_ROLE } from './ownaccount';
import { useSentCode } from './sent';
import { SentCode } from './sentcode';

export function Attaching({ session, onBack, onDone }: StepProps) {
  const work = useWork();
  const [by, setBy] = useState('accreditationNumber');
  const [input, setInput] = useState<Record<string, string>>({});
  const sent = useSentCode(session, 'role');

  async function ask(numbers: Record<string, string>) {
    await sent.ask(REQUEST_ROLE, { input: numbers });
    setInput(numbers);
  }

  async function attach(values: FormData) {
    await session.ask(ATTACH_ROLE, { handle: sent.handle, code: code(values), input });
    sent.done();
    await onDone(formTexts.roleAttached);
  }

  const common = { work, cancel: formTexts.back, onCancel: onBack };
  if (sent.handle === null) {
    return (
      <Form
        key="number"
        {...common}
        fields={['by', by]}
        needed={[by]}
        submit={formTexts.getCode}
        onSubmit={(values) => ask({ [by]: typed(values, by) })}
      >
        <Choice name="by" label={formTexts.foundBy} options={formTexts.numbers} value={by} onChoose={setBy} />
        <TextField key={by} name={by} label={formTexts.number} />
      </Form>
    );
  }
  return (
    <Form key="code" {...common} fields={['code']} needed={['code']} submit={formTexts.attachRole} onSubmit={attach}>
      <SentCode work={work} to={sent.sentTo} onAgain={() => ask(input)} />
    </Form>
  );
}
