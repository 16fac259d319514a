// A form of a dialog: what was typed goes to one action, and what is wrong stands at its fields.
import { createContext, type FormEvent, type ReactNode, useContext, useEffect, useRef, useState } from 'react';
import { formTexts } from './formtexts';
import { type Problem, problemsOf } from './problem';
import { Problems } from './problems';
import { texts } from './texts';

const Wrong = createContext<readonly Problem[]>([]);

export interface Work {
  isBusy: boolean;
  problems: readonly Problem[];
  run: (action: () => Promise<void>) => Promise<void>;
  // What was run last, once more: what it needed is there now.
  again: () => Promise<void>;
  refuse: (problems: readonly Problem[]) => void;
}

// One action at a time, and the problems of the last one.
export function useWork(known: readonly Problem[] = []): Work {
  const [problems, refuse] = useState(known);
  const [isBusy, setBusy] = useState(false);
  const last = useRef<() => Promise<void>>(async () => undefined);
  // At once, and not with the next drawing: a second click may come before it.
  const isRunning = useRef(false);

  async function run(action: () => Promise<void>) {
    if (isRunning.current) return;
    isRunning.current = true;
    last.current = action;
    setBusy(true);
    refuse([]);
    try {
      await action();
    } catch (error) {
      refuse(problemsOf(error));
    } finally {
      isRunning.current = false;
      setBusy(false);
    }
  }

  return { isBusy, problems, run, again: () => run(last.current), refuse };
}

interface Props {
  work: Work;
  // The fields that stand in the form: a problem of any other is told above them.
  fields: readonly string[];
  needed?: readonly string[];
  submit: string;
  cancel: string;
  onCancel: () => void;
  onSubmit: (values: FormData) => Promise<void>;
  children: ReactNode;
}

export function Form({ work, fields, needed = [], submit, cancel, onCancel, onSubmit, children }: Props) {
  const form = useRef<HTMLFormElement>(null);
  const isHere = ({ field }: Problem) => fields.includes(nameOf(field));

  // A step that follows another begins at its first field: the one that was in focus is gone.
  useEffect(() => form.current?.querySelector<HTMLElement>('input, select, textarea')?.focus(), []);
  useEffect(() => {
    if (work.problems.length > 0) form.current?.querySelector<HTMLElement>('[aria-invalid=true]')?.focus();
  }, [work.problems]);

  function send(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    if (work.isBusy) return;
    const values = new FormData(event.currentTarget);
    const empty = needed.filter((field) => values.get(field) === '');
    if (empty.length > 0) work.refuse(empty.map((field) => ({ code: 'REQUIRED', field, message: texts.required })));
    else void work.run(() => onSubmit(values));
  }

  return (
    <form ref={form} noValidate onSubmit={send}>
      <Problems problems={work.problems.filter((problem) => !isHere(problem))} />
      <Wrong value={work.problems.filter(isHere)}>{children}</Wrong>
      <div className="sign-in-actions">
        <button type="button" className="button" data-testid="cancel" onClick={onCancel}>
          {cancel}
        </button>
        <button type="submit" className="button button-primary" data-testid="submit" aria-disabled={work.isBusy}>
          {work.isBusy ? formTexts.checking : submit}
        </button>
      </div>
    </form>
  );
}

export function useProblemsOf(name: string): readonly Problem[] {
  return useContext(Wrong).filter(({ field }) => nameOf(field) === name);
}

// The words of a field, without the spaces around them; '' where it is empty.
export function typed(values: FormData, name: string): string {
  const value = values.get(name);
  return typeof value === 'string' ? value.trim() : '';
}

// A password's outer spaces are its own.
export function secret(values: FormData, name: string): string {
  const value = values.get(name);
  return typeof value === 'string' ? value : '';
}

// A code as it is read out and pasted: in groups.
export function code(values: FormData): string {
  return typed(values, 'code').replaceAll(/\s/g, '');
}

// The server names a field of an input by its path.
function nameOf(field: string | null): string {
  return field?.split('.').pop() ?? '';
}
