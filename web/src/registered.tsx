// What whoever has just registered is told, with what is left to do.
import { Dialog } from './dialog';
import { formTexts } from './formtexts';

interface Props {
  recommendations: readonly string[];
  onClose: () => void;
}

export function Registered({ recommendations, onClose }: Props) {
  return (
    <Dialog title={formTexts.registeredTitle} testId="registered" onClose={onClose}>
      <div className="sign-in-told">
        <p>{formTexts.registered}</p>
        <Recommendations names={recommendations} />
        <button type="button" className="button button-primary" data-testid="done" onClick={onClose}>
          {formTexts.done}
        </button>
      </div>
    </Dialog>
  );
}

export function Recommendations({ names }: { names: readonly string[] }) {
  return (
    <ul>
      {names.map((name) => (
        <li key={name}>{formTexts.recommendations[name] ?? name}</li>
      ))}
    </ul>
  );
}
