// The dialog of whoever is not signed in: its steps, from signing in to everything that leads there.
import { useEffect, useState } from 'react';
import { Dialog } from './dialog';
import { formTexts } from './formtexts';
import type { Pending } from './operations';
import type { Problem } from './problem';
import { Recovery } from './recovery';
import { Registration } from './registration';
import { SecondFactor } from './secondfactor';
import type { Session, State } from './session';
import { Signature } from './signature';
import { SignIn } from './signin';
import { texts } from './texts';
import { Ticket } from './ticket';
import { keepWaiting, stopWaiting, waiting } from './waiting';
import { useWays } from './ways';

export type Step =
  | { at: 'signIn'; told?: string }
  | { at: 'secondFactor'; pending: Pending }
  | { at: 'registration' | 'recovery' | 'signature' }
  | { at: 'ticket'; trouble: string };

interface Props {
  session: Session;
  notice: State['notice'];
  // Why a sign-in that left the page came back without a session.
  refused: readonly Problem[];
  onRegistered: () => void;
  onClose: () => void;
}

const TITLES: Record<Step['at'], string> = {
  signIn: texts.signInTitle,
  secondFactor: formTexts.confirmTitle,
  registration: formTexts.registerTitle,
  recovery: formTexts.recoverTitle,
  signature: formTexts.signatureTitle,
  ticket: formTexts.ticketTitle,
};

export function Access({ session, notice, refused, onRegistered, onClose }: Props) {
  const [step, go] = useState<Step>(() => first(refused));
  const ways = useWays(session);

  function on(next: Step) {
    if (next.at === 'secondFactor') keepWaiting(next.pending);
    go(next);
  }

  function giveUp() {
    session.giveUp();
    stopWaiting();
  }

  function back() {
    giveUp();
    go({ at: 'signIn' });
  }

  // Whoever comes next to a dialog that was closed begins anew; a page that is loaded anew closes none.
  useEffect(() => giveUp, [session]);

  return (
    <Dialog title={TITLES[step.at]} testId="sign-in" onClose={onClose}>
      {step.at === 'signIn' && (
        <>
          {notice === 'sessionEnded' && <p className="sign-in-notice">{texts.sessionEnded}</p>}
          {step.told && <p className="sign-in-notice" role="status">{step.told}</p>}
          <SignIn session={session} refused={refused} ways={ways} onStep={on} onClose={onClose} />
        </>
      )}
      {step.at === 'secondFactor' && (
        <SecondFactor session={session} pending={step.pending} onBack={back} onDone={onClose} />
      )}
      {step.at === 'registration' && <Registration session={session} onBack={back} onDone={onRegistered} />}
      {step.at === 'recovery' && (
        <Recovery session={session} onBack={back} onDone={() => go({ at: 'signIn', told: formTexts.passwordReset })} />
      )}
      {step.at === 'signature' && <Signature session={session} onBack={back} onDone={onClose} />}
      {step.at === 'ticket' && <Ticket session={session} trouble={step.trouble} onBack={back} />}
    </Dialog>
  );
}

function first(refused: readonly Problem[]): Step {
  const pending = refused.length === 0 ? waiting() : null;
  return pending ? { at: 'secondFactor', pending } : { at: 'signIn' };
}
