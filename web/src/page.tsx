// The page: one session, the workspace of whoever is in it, and the dialog to sign in.
import './workers';
import '@graphiql/react/style.css';
import '@graphiql/plugin-doc-explorer/style.css';
import '@graphiql/plugin-history/style.css';
import 'graphiql/graphiql.css';
import '@graphiql/plugin-explorer/style.css';
import './page.css';
import './bar.css';
import './dialog.css';
import { useEffect, useState, useSyncExternalStore } from 'react';
import { createRoot } from 'react-dom/client';
import { Access } from './access';
import { AccountDialog } from './account';
import { comeFromEsia, type Return } from './gosuslugi';
import { type Problem, problemsOf } from './problem';
import { Protection } from './protection';
import { Registered } from './registered';
import { Session } from './session';
import { Workspace } from './workspace';

const session = new Session();

type Opened = 'access' | 'registered' | 'account' | 'protection';

function Page({ lost }: { lost: readonly Problem[] }) {
  const { identity, notice, workspace, recommendations: told } = useSyncExternalStore(session.subscribe, session.snapshot);
  // What was done since is told no more.
  const recommendations = told.filter((name) => identity?.account.recommendations.includes(name));
  const [opened, setOpened] = useState<Opened | null>(null);
  const [toLink, setToLink] = useState<Return | null>(null);
  // Why somebody is a visitor here, though nobody signed out: a way in was refused, or the session could not be asked for.
  const [refused, setRefused] = useState(lost);
  const now = `${workspace} ${identity?.account.publicId}`;
  const [whose, setWhose] = useState(now);

  // What one person has opened is shown to nobody else: not for one frame, so it is no effect.
  if (whose !== now) {
    setWhose(now);
    close();
  }

  useEffect(() => {
    void comeFromEsia(session).then((came) => {
      if (came.refused.length > 0) setRefused(came.refused);
      setToLink(came.toLink);
      if (came.toLink) setOpened('account');
      // Whoever is signed in nonetheless is told in the bar.
      else if (came.refused.length > 0 && session.snapshot().identity === null) setOpened('access');
    });
  }, []);

  useEffect(() => {
    if (notice === 'sessionEnded') setOpened('access');
  }, [notice]);

  function close() {
    setOpened(null);
    setToLink(null);
    setRefused([]);
  }

  function heed() {
    session.heed();
    close();
  }

  return (
    <>
      <Workspace
        key={workspace}
        session={session}
        identity={identity}
        notice={notice}
        refused={opened === 'access' ? [] : refused}
        onDismiss={() => setRefused([])}
        recommendations={recommendations}
        onSignIn={() => {
          setRefused([]);
          setOpened('access');
        }}
        onAccount={() => setOpened('account')}
        onProtect={() => setOpened('protection')}
      />
      {opened === 'access' && (
        <Access
          session={session}
          notice={notice}
          refused={refused}
          onRegistered={() => setOpened('registered')}
          onClose={close}
        />
      )}
      {opened === 'registered' && <Registered recommendations={recommendations} onClose={heed} />}
      {opened === 'account' && identity && (
        <AccountDialog session={session} identity={identity} cameBack={toLink} onClose={close} />
      )}
      {opened === 'protection' && identity && <Protection session={session} onClose={close} />}
    </>
  );
}

const root = document.getElementById('root');
// Where the server cannot be asked, the page opens for a visitor, and says so.
void session
  .restore()
  .then(() => [], problemsOf)
  .then((lost) => root && createRoot(root).render(<Page lost={lost} />));
