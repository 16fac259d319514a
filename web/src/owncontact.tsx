// Another phone or e-mail address of one's own, by a code that goes there.
import { useState } from 'react';
import type { StepProps } from './account';
import { TextField } from './fields';
import { code, Form, typed, useWork } from './form';
import { formTexts } from './formtexts';
import { Freshly } from './fresh';
import { BEGIN_CONTACT_CHANGE, CHANGE_CONTACT } from './ownaccount';
import { useSentCode } from './sent';
import { SentCode } from './sentcode';

export function OwnContact({ session, onBack, onDone }: StepProps) {
  const work = useWork();
  const [contact, setContact] = useState('');
  const sent = useSentCode(session, 'contact');

  async function ask(to: string) {
    await sent.ask(BEGIN_CONTACT_CHANGE, { contact: to });
    setContact(to);
  }

  async function change(values: FormData) {
    await session.ask(CHANGE_CONTACT, { handle: sent.handle, code: code(values) });
    sent.done();
    await onDone(formTexts.contactChanged);
  }

  const common = { work, cancel: formTexts.back, onCancel: onBack };
  return (
    <Freshly session={session} work={work} onCancel={onBack}>
      {sent.handle === null ? (
        <Form
          key="contact"
          {...common}
          fields={['contact']}
          needed={['contact']}
          submit={formTexts.getCode}
          onSubmit={(values) => ask(typed(values, 'contact'))}
        >
          <TextField name="contact" label={formTexts.newContact} />
        </Form>
      ) : (
        <Form key="code" {...common} fields={['code']} needed={['code']} submit={formTexts.confirm} onSubmit={change}>
          <SentCode work={work} onAgain={() => ask(contact)} />
        </Form>
      )}
    </Freshly>
  );
}
