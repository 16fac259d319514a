// One's own account: what it is, and the steps that change it.
import { useState } from 'react';
import { Attaching } from './attaching';
import { Confirming } from './confirming';
import { Dialog } from './dialog';
import { formTexts } from './formtexts';
import type { Return } from './gosuslugi';
import { Linking } from './linking';
import type { Account } from './operations';
import { OwnContact } from './owncontact';
import { OwnPassword } from './ownpassword';
import type { Identity, Session } from './session';
import { Sessions } from './sessions';
import { Stating } from './stating';
import { texts } from './texts';
import { useWays } from './ways';

export interface StepProps {
  session: Session;
  account: Account;
  onBack: () => void;
  onDone: (told: string) => Promise<void>;
}

type Step = 'all' | 'stating' | 'confirming' | 'attaching' | 'password' | 'contact' | 'sessions' | 'linking';

interface Props {
  session: Session;
  identity: Identity;
  // What the browser brought back from Gosuslugi, where an account is being linked.
  cameBack: Return | null;
  onClose: () => void;
}

const TITLES: Record<Step, string> = {
  all: texts.account,
  stating: formTexts.identity,
  confirming: formTexts.confirmAccount,
  attaching: formTexts.attachRole,
  password: formTexts.changePassword,
  contact: formTexts.changeContact,
  sessions: formTexts.sessions,
  linking: formTexts.esia,
};

export function AccountDialog({ session, identity, cameBack, onClose }: Props) {
  const { account } = identity;
  const [at, go] = useState<Step>(cameBack ? 'linking' : 'all');
  // A code works once.
  const [toLink, setToLink] = useState(cameBack);
  const [told, tell] = useState('');
  const ways = useWays(session);

  function begin(to: Step) {
    tell('');
    go(to);
  }

  function back() {
    setToLink(null);
    go('all');
  }

  async function done(text: string) {
    // What the account is, or may do, is another now.
    await session.renew();
    tell(text);
    back();
  }

  const step = { session, account, onBack: back, onDone: done };
  const way = (to: Step) => (
    <button type="button" className="button" data-testid={to} onClick={() => begin(to)}>
      {TITLES[to]}
    </button>
  );
  return (
    <Dialog title={TITLES[at]} testId="account-dialog" onClose={onClose}>
      {at === 'all' && (
        <div className="sign-in-told">
          <p className="field-hint" role="status" data-testid="told">{told}</p>
          <p>
            {account.publicId}
            <br />
            {[account.phone, account.email].filter(Boolean).join(', ')}
            <br />
            {account.confirmedAt ? formTexts.isConfirmed : formTexts.isUnconfirmed}
          </p>
          {!account.confirmedAt && way('confirming')}
          {way('stating')}
          {way('attaching')}
          {way('password')}
          {way('contact')}
          {way('sessions')}
          {ways.includes('ESIA') && way('linking')}
          <div className="sign-in-actions">
            <button type="button" className="button button-primary" data-testid="close" onClick={onClose}>
              {texts.close}
            </button>
          </div>
        </div>
      )}
      {at === 'stating' && <Stating {...step} />}
      {at === 'confirming' && <Confirming {...step} />}
      {at === 'attaching' && <Attaching {...step} />}
      {at === 'password' && <OwnPassword {...step} />}
      {at === 'contact' && <OwnContact {...step} />}
      {at === 'sessions' && <Sessions {...step} />}
      {at === 'linking' && <Linking {...step} cameBack={toLink} />}
    </Dialog>
  );
}
