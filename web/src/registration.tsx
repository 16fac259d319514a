// Registering: the phone, the code that came to it, and the form.
import { useEffect, useState } from 'react';
import {
  BEGIN_REGISTRATION,
  CHECK_REGISTRATION,
  REGISTER,
  SPECIALTIES,
  type Specialties,
  TERMS,
  type Terms,
} from './doors';
import { Check, Choice, PasswordField, TextField } from './fields';
import { code, Form, secret, typed, useWork } from './form';
import { formTexts } from './formtexts';
import { PERSON_FIELDS, PersonFields, personOf } from './person';
import { problemsOf } from './problem';
import { Problems } from './problems';
import { type CodeSent, keepSent, useSentCode } from './sent';
import { SentCode } from './sentcode';
import type { Session } from './session';

const FIELDS = [...PERSON_FIELDS, 'isMedicalWorker', 'specialty', 'email', 'password', 'terms'];

interface Props {
  session: Session;
  onBack: () => void;
  onDone: () => void;
}

export function Registration({ session, onBack, onDone }: Props) {
  const work = useWork();
  const [phone, setPhone] = useState('');
  const sent = useSentCode(session, 'registration');

  async function send(to: string) {
    await sent.ask(BEGIN_REGISTRATION, { phone: to });
    setPhone(to);
  }

  async function check(values: FormData) {
    const given = { handle: sent.handle, code: code(values) };
    sent.prove((await session.ask<{ expiresAt: string }>(CHECK_REGISTRATION, given)).expiresAt);
  }

  const common = { work, cancel: formTexts.back, onCancel: onBack };
  if (sent.handle === null) {
    return (
      <Form
        key="phone"
        {...common}
        fields={['phone']}
        needed={['phone']}
        submit={formTexts.getCode}
        onSubmit={(values) => send(typed(values, 'phone'))}
      >
        <TextField name="phone" label={formTexts.phone} hint={formTexts.phoneHint} type="tel" autoComplete="tel" />
      </Form>
    );
  }
  if (!sent.isProved) {
    return (
      <Form key="code" {...common} fields={['code']} needed={['code']} submit={formTexts.next} onSubmit={check}>
        <SentCode work={work} onAgain={() => send(phone)} />
      </Form>
    );
  }
  return <AboutOneself session={session} sent={sent} onBack={onBack} onDone={onDone} />;
}

// A code that was sent lives so long.
function inTenMinutes(): string {
  return new Date(Date.now() + 10 * 60_000).toISOString();
}

interface FormProps {
  session: Session;
  sent: CodeSent;
  onBack: () => void;
  onDone: () => void;
}

function AboutOneself({ session, sent, onBack, onDone }: FormProps) {
  const work = useWork();
  // Apart from the form's own work: whoever is quicker than it may send already.
  const loading = useWork();
  const [terms, setTerms] = useState<Terms | null>(null);
  const [specialties, setSpecialties] = useState<Specialties['nodes']>([]);

  const load = () =>
    loading.run(async () => {
      setTerms(await session.ask<Terms>(TERMS));
      setSpecialties((await session.ask<Specialties>(SPECIALTIES)).nodes);
    });

  // Asked once for each form.
  useEffect(() => void load(), [session]);

  async function register(values: FormData) {
    const input = {
      ...personOf(values),
      isMedicalWorker: values.has('isMedicalWorker'),
      specialty: typed(values, 'specialty') || null,
      email: typed(values, 'email') || null,
      password: secret(values, 'password'),
      terms: values.has('terms'),
      termsVersion: terms?.version ?? '',
    };
    try {
      const { emailHandle } = await session.enter(REGISTER, { handle: sent.handle, input });
      if (emailHandle) keepSent(session, 'confirmation', { channel: 'EMAIL' }, { handle: emailHandle, expiresAt: inTenMinutes() });
    } catch (error) {
      const problems = problemsOf(error);
      // Nothing more is taken under this handle.
      if (problems.some(({ field }) => field === 'handle')) sent.done();
      // Others are in force by now, or none came: they are there to be read, and accepted anew.
      if (problems.some(({ code }) => code === 'TERMS_OUTDATED')) await load();
      throw error;
    }
    sent.done();
    onDone();
  }

  const choices = Object.fromEntries([['', formTexts.notChosen], ...specialties.map(({ id, name }) => [id, name])]);
  return (
    <Form
      work={work}
      fields={FIELDS}
      submit={formTexts.register}
      cancel={formTexts.back}
      onCancel={onBack}
      onSubmit={register}
    >
      <Problems problems={loading.problems} />
      <PersonFields />
      <Check name="isMedicalWorker" label={formTexts.isMedicalWorker} />
      <Choice name="specialty" label={formTexts.specialty} options={choices} />
      <TextField name="email" label={formTexts.email} hint={formTexts.optional} type="email" autoComplete="email" />
      <PasswordField name="password" label={formTexts.newPassword} hint={formTexts.passwordHint} autoComplete="new-password" />
      <Check key={terms?.version} name="terms" label={formTexts.terms}>
        {terms && (
          <details className="sign-in-terms">
            <summary>
              {formTexts.termsText} {terms.version}
            </summary>
            <p>{terms.text}</p>
          </details>
        )}
      </Check>
    </Form>
  );
}
