// Problems, each with its sentence and the code that one can quote to support.
import type { Problem } from './problem';
import { texts } from './texts';

interface Props {
  problems: readonly Problem[];
  onDismiss?: () => void;
}

export function Problems({ problems, onDismiss }: Props) {
  if (problems.length === 0) return null;
  return (
    <div className="problems" role="alert" data-testid="problems">
      <ul>
        {problems.map(({ code, field, message }) => (
          <li key={code + field + message}>
            {message} <code className="problem-code">{code}</code>
          </li>
        ))}
      </ul>
      {onDismiss && (
        <button type="button" className="problems-dismiss" aria-label={texts.close} title={texts.close} onClick={onDismiss}>
          ×
        </button>
      )}
    </div>
  );
}
