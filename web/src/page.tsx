// The page: one session, the workspace of whoever is in it, and the dialog to sign in.
import './workers';
import '@graphiql/react/style.css';
import '@graphiql/plugin-doc-explorer/style.css';
import '@graphiql/plugin-history/style.css';
import 'graphiql/graphiql.css';
import '@graphiql/plugin-explorer/style.css';
import './page.css';
import { useEffect, useState, useSyncExternalStore } from 'react';
import { createRoot } from 'react-dom/client';
import { Session } from './session';
import { SignIn } from './signin';
import { Workspace } from './workspace';

const session = new Session();

function Page() {
  const { identity, notice, workspace } = useSyncExternalStore(session.subscribe, session.snapshot);
  const [isSigningIn, setSigningIn] = useState(false);

  useEffect(() => {
    if (notice === 'sessionEnded') setSigningIn(true);
  }, [notice]);

  return (
    <>
      <Workspace
        key={workspace}
        session={session}
        identity={identity}
        notice={notice}
        onSignIn={() => setSigningIn(true)}
      />
      {isSigningIn && <SignIn session={session} notice={notice} onClose={() => setSigningIn(false)} />}
    </>
  );
}

const root = document.getElementById('root');
if (root) createRoot(root).render(<Page />);
