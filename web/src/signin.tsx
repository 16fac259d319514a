// The dialog to sign in: phone or e-mail, password, and the second factor.
import { type FormEvent, type InputHTMLAttributes, useEffect, useId, useRef, useState } from 'react';
import type { Factor, Pending } from './operations';
import { type Problem, problemsOf } from './problem';
import { Problems } from './problems';
import type { Session, State } from './session';
import { texts } from './texts';

const FIELDS = ['login', 'password', 'code'] as const;
type Field = (typeof FIELDS)[number];
type Attributes = Omit<InputHTMLAttributes<HTMLInputElement>, 'name'>;

interface Props {
  session: Session;
  notice: State['notice'];
  onClose: () => void;
}

export function SignIn({ session, notice, onClose }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const form = useRef<HTMLFormElement>(null);
  const title = useId();
  const [problems, setProblems] = useState<readonly Problem[]>([]);
  const [isBusy, setBusy] = useState(false);
  const [factor, setFactor] = useState<Factor>('TOTP');
  const [pending, setPending] = useState<Pending | null>(null);

  useEffect(() => dialog.current?.showModal(), []);
  useEffect(() => {
    const [wrong] = problems.map(({ field }) => field).filter(isField);
    if (wrong) input(form.current, wrong)?.focus();
  }, [problems]);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const typed = (field: Field) => input(event.currentTarget, field)?.value ?? '';
    if (pending) {
      await busily(async () => {
        await session.finishSignIn(pending.handle, factor, typed('code'));
        onClose();
      });
      return;
    }
    // Outer spaces of a password are its own; those of a phone or of a pasted code are not.
    const values = { login: typed('login').trim(), password: typed('password'), code: typed('code').replaceAll(/\s/g, '') };
    const empty = (['login', 'password'] as const).filter((field) => values[field] === '');
    setProblems(empty.map((field) => ({ code: 'REQUIRED', field, message: texts.required })));
    if (empty.length > 0) return;
    await busily(async () => {
      const waiting = await session.signIn(values.login, values.password, values.code);
      if (waiting) begin(waiting);
      else onClose();
    });
  }

  function begin(waiting: Pending) {
    setPending(waiting);
    const [first] = waiting.factors.filter(isTyped);
    if (first) setFactor(first.kind);
  }

  async function busily(work: () => Promise<void>) {
    setBusy(true);
    setProblems([]);
    try {
      await work();
    } catch (error) {
      setProblems(problemsOf(error));
    } finally {
      setBusy(false);
    }
  }

  const field = (name: Field, label: string, attributes: Attributes) => (
    <TextField name={name} label={label} problems={problems.filter((problem) => problem.field === name)} {...attributes} />
  );

  return (
    <dialog ref={dialog} className="sign-in" aria-labelledby={title} data-testid="sign-in" onClose={onClose}>
      <form ref={form} noValidate onSubmit={(event) => void submit(event)}>
        <h2 id={title}>{texts.signInTitle}</h2>
        {notice === 'sessionEnded' && <p className="sign-in-notice">{texts.sessionEnded}</p>}
        <Problems problems={problems.filter((problem) => !isField(problem.field))} />
        {pending ? (
          <SecondFactor
            pending={pending}
            factor={factor}
            onChoose={setFactor}
            onSend={() => void busily(() => session.sendCode(pending.handle))}
          />
        ) : (
          <>
            {field('login', texts.login, { autoComplete: 'username', autoFocus: true })}
            {field('password', texts.password, { type: 'password', autoComplete: 'current-password' })}
          </>
        )}
        {field('code', texts.code, {
          autoComplete: 'one-time-code',
          maxLength: 24,
          ...(factor === 'RECOVERY_CODE' ? {} : { inputMode: 'numeric', placeholder: '000 000' }),
          title: pending ? undefined : texts.codeHint,
        })}
        <div className="sign-in-actions">
          <button type="button" className="button" onClick={() => dialog.current?.close()}>
            {texts.cancel}
          </button>
          <button type="submit" className="button button-primary" data-testid="submit" disabled={isBusy}>
            {isBusy ? texts.signingIn : texts.signIn}
          </button>
        </div>
      </form>
    </dialog>
  );
}

interface SecondFactorProps {
  pending: Pending;
  factor: Factor;
  onChoose: (factor: Factor) => void;
  onSend: () => void;
}

function SecondFactor({ pending, factor, onChoose, onSend }: SecondFactorProps) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{texts.factor}</label>
      <select id={id} data-testid="factor" value={factor} onChange={(event) => onChoose(event.target.value as Factor)}>
        {pending.factors.filter(isTyped).map(({ kind, contact }) => (
          <option key={kind} value={kind}>
            {texts.factors[kind]} {contact}
          </option>
        ))}
      </select>
      {factor === 'SMS' && (
        <button type="button" className="button" data-testid="send-code" onClick={onSend}>
          {texts.sendCode}
        </button>
      )}
    </div>
  );
}

// A passkey has no code to be typed.
function isTyped(offered: Pending['factors'][number]): offered is { kind: Exclude<Factor, 'PASSKEY'>; contact: string | null } {
  return offered.kind !== 'PASSKEY';
}

interface TextFieldProps extends Attributes {
  name: Field;
  label: string;
  problems: readonly Problem[];
}

function TextField({ name, label, problems, title: hint, ...attributes }: TextFieldProps) {
  const id = useId();
  const isWrong = problems.length > 0;
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        name={name}
        data-testid={name}
        aria-invalid={isWrong}
        aria-describedby={`${id}-about`}
        spellCheck={false}
        autoCapitalize="none"
        {...attributes}
      />
      <div id={`${id}-about`} role={isWrong ? 'alert' : undefined}>
        {problems.map(({ code, message }) => (
          <p key={code} className="field-problem" data-testid={`problem-${name}`}>
            {message} {code !== 'REQUIRED' && <code className="problem-code">{code}</code>}
          </p>
        ))}
        {!isWrong && hint && <p className="field-hint">{hint}</p>}
      </div>
    </div>
  );
}

function isField(field: string | null): field is Field {
  return FIELDS.some((name) => name === field);
}

function input(form: HTMLFormElement | null, field: Field): HTMLInputElement | null {
  return form?.querySelector<HTMLInputElement>(`input[name=${field}]`) ?? null;
}
