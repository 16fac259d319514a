// Registering: the phone, the code that came to it, and the form.
import { useEffect, useState } from 'react';
import {
  BEGIN_REGISTRATION,
  CHECK_REGISTRATION,
  REGISTER,
  type Sent,
  SPECIALTIES,
  type Specialties,
  TERMS,
  type Terms,
} from './doors';
import { Check, Choice, PasswordField, TextField } from './fields';
import { code, Form, secret, typed, useWork } from './form';
import { formTexts } from './formtexts';
import { Problems } from './problems';
import { SentCode } from './sentcode';
import type { Session } from './session';

const FIELDS = [
  'lastName', 'firstName', 'patronymic', 'birthDate', 'passport', 'inn',
  'isMedicalWorker', 'specialty', 'email', 'password', 'terms',
];

interface Props {
  session: Session;
  onBack: () => void;
  onDone: () => void;
}

export function Registration({ session, onBack, onDone }: Props) {
  const work = useWork();
  const [phone, setPhone] = useState('');
  const [handle, setHandle] = useState('');
  const [at, go] = useState<'phone' | 'code' | 'form'>('phone');

  async function send(to: string) {
    const sent = await session.ask<Sent>(BEGIN_REGISTRATION, { phone: to });
    setPhone(to);
    setHandle(sent.handle);
    go('code');
  }

  async function check(values: FormData) {
    await session.ask(CHECK_REGISTRATION, { handle, code: code(values) });
    go('form');
  }

  const common = { work, cancel: formTexts.back, onCancel: onBack };
  if (at === 'phone') {
    return (
      <Form
        key={at}
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
  if (at === 'code') {
    return (
      <Form key={at} {...common} fields={['code']} needed={['code']} submit={formTexts.next} onSubmit={check}>
        <SentCode work={work} onAgain={() => send(phone)} />
      </Form>
    );
  }
  return <AboutOneself session={session} handle={handle} onBack={onBack} onDone={onDone} />;
}

interface FormProps {
  session: Session;
  handle: string;
  onBack: () => void;
  onDone: () => void;
}

function AboutOneself({ session, handle, onBack, onDone }: FormProps) {
  const work = useWork();
  // Apart from the form's own work: whoever is quicker than it may send already.
  const loading = useWork();
  const [terms, setTerms] = useState<Terms | null>(null);
  const [specialties, setSpecialties] = useState<Specialties['nodes']>([]);

  useEffect(() => {
    void loading.run(async () => {
      setTerms(await session.ask<Terms>(TERMS));
      setSpecialties((await session.ask<Specialties>(SPECIALTIES)).nodes);
    });
    // Asked once for each form.
  }, [session]);

  // Empty ones go too: the server names everything that is wrong at once.
  async function register(values: FormData) {
    const input = {
      lastName: typed(values, 'lastName'),
      firstName: typed(values, 'firstName'),
      patronymic: typed(values, 'patronymic') || null,
      birthDate: typed(values, 'birthDate') || null,
      passport: typed(values, 'passport'),
      inn: typed(values, 'inn'),
      isMedicalWorker: values.has('isMedicalWorker'),
      specialty: typed(values, 'specialty') || null,
      email: typed(values, 'email') || null,
      password: secret(values, 'password'),
      terms: values.has('terms'),
      termsVersion: terms?.version ?? '',
    };
    await session.enter(REGISTER, { handle, input });
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
      <TextField name="lastName" label={formTexts.lastName} autoComplete="family-name" />
      <TextField name="firstName" label={formTexts.firstName} autoComplete="given-name" />
      <TextField name="patronymic" label={formTexts.patronymic} hint={formTexts.optional} autoComplete="additional-name" />
      <TextField name="birthDate" label={formTexts.birthDate} type="date" autoComplete="bday" />
      <TextField name="passport" label={formTexts.passport} hint={formTexts.passportHint} inputMode="numeric" />
      <TextField name="inn" label={formTexts.inn} inputMode="numeric" />
      <Check name="isMedicalWorker" label={formTexts.isMedicalWorker} />
      <Choice name="specialty" label={formTexts.specialty} options={choices} />
      <TextField name="email" label={formTexts.email} hint={formTexts.optional} type="email" autoComplete="email" />
      <PasswordField name="password" label={formTexts.newPassword} hint={formTexts.passwordHint} autoComplete="new-password" />
      <Check name="terms" label={formTexts.terms}>
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
