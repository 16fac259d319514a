// A ticket to support, from whoever cannot get in, with the exact text of the error and a document.
import { useState } from 'react';
import { FILE_TICKET, REQUEST_UPLOAD } from './doors';
import { Choice, TextArea, TextField } from './fields';
import { Form, typed, useWork } from './form';
import { formTexts } from './formtexts';
import { reach } from './graphql';
import { type Problem, Refused } from './problem';
import type { Session } from './session';

const FIELDS = ['contact', 'reason', 'text', 'errorText', 'publicId', 'attachments'];

interface Props {
  session: Session;
  trouble: string;
  onBack: () => void;
}

export function Ticket({ session, trouble, onBack }: Props) {
  const work = useWork();
  const [number, setNumber] = useState<string | null>(null);

  async function file(values: FormData) {
    const input = {
      contact: typed(values, 'contact'),
      reason: typed(values, 'reason'),
      text: typed(values, 'text'),
      errorText: typed(values, 'errorText') || null,
      publicId: typed(values, 'publicId') || null,
      attachments: await attached(session, values.get('attachments')),
    };
    setNumber((await session.ask<{ number: string }>(FILE_TICKET, { input })).number);
  }

  if (number !== null) {
    return (
      <div className="sign-in-told" role="status">
        <p>
          {formTexts.ticketFiled} <b data-testid="ticket-number">{number}</b>
        </p>
        <button type="button" className="button button-primary" data-testid="done" autoFocus onClick={onBack}>
          {formTexts.done}
        </button>
      </div>
    );
  }
  return (
    <Form
      work={work}
      fields={FIELDS}
      submit={formTexts.send}
      cancel={formTexts.back}
      onCancel={onBack}
      onSubmit={file}
    >
      <TextField name="contact" label={formTexts.contact} autoComplete="tel" />
      <Choice name="reason" label={formTexts.reason} options={formTexts.reasons} />
      <TextArea name="text" label={formTexts.ticketText} />
      <TextArea name="errorText" label={formTexts.errorText} hint={formTexts.optional} value={trouble} />
      <TextField name="publicId" label={formTexts.publicId} hint={formTexts.optional} placeholder="ID-0000-0000" />
      <TextField name="attachments" label={formTexts.attachments} hint={formTexts.attachmentHint} type="file" accept="application/pdf" />
    </Form>
  );
}

// The ids of what was chosen, once it is with the server.
async function attached(session: Session, chosen: FormDataEntryValue | null): Promise<string[]> {
  // Where none is chosen, a form gives one without a name.
  if (!(chosen instanceof File) || chosen.name === '') return [];
  try {
    const announced = { fileName: chosen.name, size: chosen.size, mediaType: chosen.type };
    const { uploadId, address } = await session.ask<{ uploadId: string; address: string }>(REQUEST_UPLOAD, announced);
    const answer = await reach(address, { method: 'PUT', body: chosen });
    if (!answer.ok) throw new Refused([{ code: `HTTP_${answer.status}`, field: null, message: formTexts.uploadFailed }]);
    return [uploadId];
  } catch (error) {
    if (error instanceof Refused) throw new Refused(error.problems.map(ofFile));
    throw error;
  }
}

// Whatever is wrong with the file is told at the place where it was chosen. The server counts its size in bytes.
function ofFile({ code, field, message }: Problem): Problem {
  return { code, field: 'attachments', message: field === 'size' ? formTexts.attachmentSize : message };
}
