// The fields of a form, each with its label, its hint, and what is wrong with it.
import { type InputHTMLAttributes, type ReactNode, useId, useState } from 'react';
import { useProblemsOf } from './form';
import { formTexts } from './formtexts';
import type { Problem } from './problem';
import { texts } from './texts';

interface Common {
  name: string;
  label: string;
  hint?: string | undefined;
}

type TextProps = Common & Omit<InputHTMLAttributes<HTMLInputElement>, 'name'>;

export function TextField({ name, label, hint, ...attributes }: TextProps) {
  const { id, about, described, problems } = useField(name);
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input id={id} name={name} data-testid={name} spellCheck={false} autoCapitalize="none" {...described} {...attributes} />
      <About id={about} name={name} hint={hint} problems={problems} />
    </div>
  );
}

export function PasswordField({ name, label, hint, ...attributes }: TextProps) {
  const { id, about, described, problems } = useField(name);
  const [isShown, setShown] = useState(false);
  const say = isShown ? formTexts.hide : formTexts.show;
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <div className="field-password">
        <input
          id={id}
          name={name}
          data-testid={name}
          type={isShown ? 'text' : 'password'}
          spellCheck={false}
          autoCapitalize="none"
          {...described}
          {...attributes}
        />
        <button
          type="button"
          className="field-show"
          aria-label={say}
          aria-pressed={isShown}
          title={say}
          data-testid={`show-${name}`}
          onClick={() => setShown(!isShown)}
        >
          <Eye />
        </button>
      </div>
      <About id={about} name={name} hint={hint} problems={problems} />
    </div>
  );
}

export function CodeField({ hint, isWord = false }: { hint?: string | undefined; isWord?: boolean }) {
  return (
    <TextField
      name="code"
      label={texts.code}
      hint={hint}
      autoComplete="one-time-code"
      maxLength={64}
      {...(isWord ? {} : { inputMode: 'numeric', placeholder: '000 000' })}
    />
  );
}

export function TextArea({ name, label, hint, value }: Common & { value?: string }) {
  const { id, about, described, problems } = useField(name);
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <textarea id={id} name={name} data-testid={name} rows={3} defaultValue={value} {...described} />
      <About id={about} name={name} hint={hint} problems={problems} />
    </div>
  );
}

interface ChoiceProps extends Common {
  options: Readonly<Record<string, string>>;
  value?: string;
  onChoose?: (value: string) => void;
}

export function Choice({ name, label, hint, options, value, onChoose }: ChoiceProps) {
  const { id, about, described, problems } = useField(name);
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <select
        id={id}
        name={name}
        data-testid={name}
        defaultValue={value}
        onChange={(event) => onChoose?.(event.target.value)}
        {...described}
      >
        {Object.entries(options).map(([key, text]) => (
          <option key={key} value={key}>
            {text}
          </option>
        ))}
      </select>
      <About id={about} name={name} hint={hint} problems={problems} />
    </div>
  );
}

export function Check({ name, label, children }: Common & { children?: ReactNode }) {
  const { id, about, described, problems } = useField(name);
  return (
    <div className="field">
      <label className="field-check" htmlFor={id}>
        <input id={id} name={name} data-testid={name} type="checkbox" {...described} />
        {label}
      </label>
      {children}
      <About id={about} name={name} problems={problems} />
    </div>
  );
}

function useField(name: string) {
  const id = useId();
  const about = `${id}-about`;
  const problems = useProblemsOf(name);
  return { id, about, problems, described: { 'aria-invalid': problems.length > 0, 'aria-describedby': about } };
}

interface AboutProps {
  id: string;
  name: string;
  hint?: string | undefined;
  problems: readonly Problem[];
}

// It stands there before anything is wrong: only what changes in such a place is read out.
function About({ id, name, hint, problems }: AboutProps) {
  return (
    <div id={id} aria-live="polite">
      {problems.map(({ code, message }) => (
        <p key={code} className="field-problem" data-testid={`problem-${name}`}>
          {message} {code !== 'REQUIRED' && <code className="problem-code">{code}</code>}
        </p>
      ))}
      {problems.length === 0 && hint && <p className="field-hint">{hint}</p>}
    </div>
  );
}

function Eye() {
  return (
    <svg viewBox="0 0 24 24" aria-hidden="true">
      <path d="M2 12c2.5-4.5 6-6.5 10-6.5s7.5 2 10 6.5c-2.5 4.5-6 6.5-10 6.5S4.5 16.5 2 12z" />
      <circle cx="12" cy="12" r="3" />
    </svg>
  );
}
