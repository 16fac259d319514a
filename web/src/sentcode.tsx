// What stands in a form once a code was sent: the code, and a way to have another.
import { CodeField } from './fields';
import type { Work } from './form';
import { formTexts } from './formtexts';

export function SentCode({ work, onAgain }: { work: Work; onAgain: () => Promise<void> }) {
  return (
    <>
      <p className="field-hint" role="status">{formTexts.codeSent}</p>
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
