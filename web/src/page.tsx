// The page: one session, the workspace of whoever is in it, and the dialog to sign in.
import './workers';
import '@graphiql/react/style.css';
import '@graphiql/plugin-doc-explorer/style.css';
import '@graphiql/plugin-history/style.css';
import 'graphiql/graphiql.css';
import '@graphiql/plugin-explorer/style.css';
import './page.css';
import './dialog.css';
import { useEffect, useState, useSyncExternalStore } from 'react';
import { createRoot } from 'react-dom/client';
import { Access } from './access';
import { AccountDialog } from './account';
import { comeFromEsia, type Return } from './gosuslugi';
import type { Problem } from './problem';
import { Protection } from './protection';
import { Session } from './session';
import { Workspace } from './workspace';

const session = new Session();

function Page() {
  const { identity, notice, workspace } = useSyncExternalStore(session.subscribe, session.snapshot);
  const [isSigningIn, setSigningIn] = useState(false);
  const [isProtecting, setProtecting] = useState(false);
  const [isAccountOpen, setAccountOpen] = useState(false);
  const [toLink, setToLink] = useState<Return | null>(null);
  const [refused, setRefused] = useState<readonly Problem[]>([]);

  useEffect(() => {
    void comeFromEsia(session).then((came) => {
      setRefused(came.refused);
      if (came.refused.length > 0) setSigningIn(true);
      setToLink(came.toLink);
      if (came.toLink) setAccountOpen(true);
    });
  }, []);

  useEffect(() => {
    if (notice === 'sessionEnded') setSigningIn(true);
  }, [notice]);

  function closeAccess() {
    setRefused([]);
    setSigningIn(false);
  }

  function closeAccount() {
    setToLink(null);
    setAccountOpen(false);
  }

  return (
    <>
      <Workspace
        key={workspace}
        session={session}
        identity={identity}
        notice={notice}
        onSignIn={() => setSigningIn(true)}
        onAccount={() => setAccountOpen(true)}
        onProtect={() => setProtecting(true)}
      />
      {isSigningIn && <Access session={session} notice={notice} refused={refused} onClose={closeAccess} />}
      {isAccountOpen && identity && (
        <AccountDialog session={session} identity={identity} cameBack={toLink} onClose={closeAccount} />
      )}
      {isProtecting && identity && <Protection session={session} onClose={() => setProtecting(false)} />}
    </>
  );
}

const root = document.getElementById('root');
// Where the server cannot be asked, the page opens for a visitor, and says so when something is sent.
void session
  .restore()
  .catch(() => undefined)
  .then(() => root && createRoot(root).render(<Page />));
