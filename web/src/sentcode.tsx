// What stands in a form once a code was sent: the code, and a way to have another.
import { CodeField } from './fields';
import type { Work } from './form';
import { formTexts } from './formtexts';

interface Props {
  work: Work;
  // Where it went, where that is known.
  to?: string | null;
  onAgain: () => Promise<void>;
}

export function SentCode({ work, to, onAgain }: Props) {
  return (
    <>
      <p className="field-hint" role="status" data-testid="code-sent">
        {to ? `${formTexts.codeSentTo} ${to}` : formTexts.codeSent}
      </p>
      <CodeField />
      <button
        type="button"
        className="button"
        data-testid="send-again"
        aria-disabled={work.isBusy}
        onClick={() => void work.run(onAgain)}
      >
        {formTexts.sendAgain}
      </button>
    </>
  );
}
