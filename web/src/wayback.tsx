// A step that has nothing to send, or cannot yet: what it says, and the way back.
import type { ReactNode } from 'react';
import { formTexts } from './formtexts';

export function WayBack({ onBack, children }: { onBack: () => void; children?: ReactNode }) {
  return (
    <div className="sign-in-told">
      {children}
      <div className="sign-in-actions">
        <button type="button" className="button" data-testid="cancel" autoFocus onClick={onBack}>
          {formTexts.back}
        </button>
      </div>
    </div>
  );
}
