// The header: where one is, as whom and in which role, and what to try.
import { useEffect, useRef, useState } from 'react';
import { ExampleMenu } from './examplemenu';
import { formTexts } from './formtexts';
import { Notices } from './notices';
import { type Problem, problemsOf } from './problem';
import { Problems } from './problems';
import { Recommendations } from './registered';
import type { Role } from './roles';
import { RoleSwitch } from './roleswitch';
import type { Identity, Session, State } from './session';
import { texts } from './texts';

export interface BarProps {
  session: Session;
  identity: Identity | null;
  notice: State['notice'];
  // Why a way in was refused to whoever is signed in already, or the session could not be asked for.
  refused: readonly Problem[];
  onDismiss: () => void;
  recommendations: readonly string[];
  onSignIn: () => void;
  onAccount: () => void;
  onProtect: () => void;
}

export function Bar({ session, identity, ...shown }: BarProps) {
  const { notice, refused, onDismiss, recommendations, onSignIn, onAccount, onProtect } = shown;
  const [problems, setProblems] = useState<readonly Problem[]>([]);
  const [isBusy, setBusy] = useState(false);
  useEffect(() => setProblems([]), [identity]);

  // What was in focus is gone with whoever was here before.
  const whose = identity?.account.publicId ?? null;
  const before = useRef(session.snapshot().workspace === 0 ? whose : undefined);
  const buttons = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (before.current !== whose && document.activeElement === document.body) {
      buttons.current?.querySelector('button')?.focus();
    }
    before.current = whose;
  }, [whose]);

  async function attempt(action: () => Promise<void>) {
    setBusy(true);
    setProblems([]);
    try {
      await action();
    } catch (error) {
      setProblems(problemsOf(error));
    } finally {
      setBusy(false);
    }
  }

  return (
    <header className="bar">
      <Notices session={session} />
      <div className="bar-row">
        <h1 className="bar-brand">
          <Mark />
          <span className="bar-name">{texts.brand}</span>
          <span className="bar-kind">GraphiQL</span>
        </h1>
        <RoleSwitch
          identity={identity}
          isBusy={isBusy}
          onSwitch={(role: Role) => void attempt(() => session.switchRole(role))}
        />
        <ExampleMenu session={session} role={identity?.role ?? 'VISITOR'} />
        <div ref={buttons} className="bar-account">
          {identity ? (
            <>
              <button
                type="button"
                className="button bar-identity"
                data-testid="account"
                title={`${texts.account} ${identity.account.publicId}`}
                onClick={onAccount}
              >
                <span className="bar-login">{identity.account.email ?? identity.account.phone}</span>
                <span className="bar-number">{identity.account.publicId}</span>
              </button>
              <button type="button" className="button" data-testid="protect" onClick={onProtect}>
                {formTexts.protection}
              </button>
              <button
                type="button"
                className="button"
                data-testid="sign-out"
                disabled={isBusy}
                onClick={() => void attempt(() => session.signOut())}
              >
                {texts.signOut}
              </button>
            </>
          ) : (
            <>
              <span className="bar-caption">{texts.guest}</span>
              <button type="button" className="button button-primary" data-testid="open-sign-in" onClick={onSignIn}>
                {texts.signIn}
              </button>
            </>
          )}
        </div>
      </div>
      {notice === 'roleGone' && <p className="bar-notice" role="status">{texts.roleGone}</p>}
      {notice === 'sessionEnded' && <p className="bar-notice" role="status">{texts.sessionEnded}</p>}
      {recommendations.length > 0 && (
        <div className="bar-notice bar-advice" role="status" data-testid="recommended">
          <div>
            {formTexts.recommended}
            <Recommendations names={recommendations} />
          </div>
          <button
            type="button"
            className="problems-dismiss"
            data-testid="heed"
            aria-label={texts.close}
            title={texts.close}
            onClick={() => session.heed()}
          >
            ×
          </button>
        </div>
      )}
      <Problems problems={refused} onDismiss={onDismiss} />
      <Problems problems={problems} onDismiss={() => setProblems([])} />
    </header>
  );
}

function Mark() {
  return (
    <svg className="bar-mark" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" />
      <path d="M13 7h6v6h6v6h-6v6h-6v-6H7v-6h6z" />
    </svg>
  );
}
