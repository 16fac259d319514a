// What asks for a factor that was shown a short while ago: it is shown, beside the password, and what was refused is done again.
import { type ReactNode, useEffect, useState } from 'react';
import type { Asked } from './doors';
import { FactorForm } from './factorform';
import { BEGIN_PASSKEY_CONFIRMATION, CONFIRM_BY_PASSKEY, CONFIRM_FACTOR, OWN_FACTORS, type Own, SEND_FACTOR_CODE } from './factors';
import { useWork, type Work } from './form';
import { formTexts } from './formtexts';
import type { Factor, Pending } from './operations';
import { showPasskey } from './passkeys';
import { Problems } from './problems';
import { useSentCode } from './sent';
import type { Session } from './session';
import { texts } from './texts';
import { WayBack } from './wayback';

interface Props {
  session: Session;
  work: Work;
  onCancel: () => void;
  children: ReactNode;
}

export function Freshly({ session, work, onCancel, children }: Props) {
  const isStale = work.problems.some(({ code }) => code === 'FACTOR_NOT_FRESH');
  if (!isStale) return children;
  return (
    <>
      <h3>{formTexts.confirmAgainTitle}</h3>
      <Fresh session={session} onCancel={onCancel} onDone={() => void work.again()} />
    </>
  );
}

interface FreshProps {
  session: Session;
  onCancel: () => void;
  onDone: () => void;
}

function Fresh({ session, onCancel, onDone }: FreshProps) {
  const loading = useWork();
  const [factors, setFactors] = useState<Pending['factors'] | null>(null);
  const sent = useSentCode(session, 'factor');

  useEffect(() => {
    void loading.run(async () => setFactors((await session.ask<Own>(OWN_FACTORS)).account.factors));
    // Asked once for each opening.
  }, [session]);

  async function confirm(factor: Factor, code: string, password: string) {
    await session.ask(CONFIRM_FACTOR, { password, factor, code, handle: factor === 'SMS' ? sent.last() : null });
    sent.done();
    onDone();
  }

  async function confirmByPasskey() {
    const { options } = await session.ask<Asked>(BEGIN_PASSKEY_CONFIRMATION);
    await session.ask(CONFIRM_BY_PASSKEY, { credential: await showPasskey(options) });
    onDone();
  }

  if (factors === null) {
    return (
      <WayBack onBack={onCancel}>
        <Problems problems={loading.problems} />
      </WayBack>
    );
  }
  return (
    <FactorForm
      // Who has no lasting factor of ours, as who comes by Gosuslugi may, shows their confirmed telephone.
      factors={factors.every(({ kind }) => kind === 'RECOVERY_CODE') ? [{ kind: 'SMS', contact: null }, ...factors] : factors}
      cancel={texts.cancel}
      onCancel={onCancel}
      onSend={() => sent.ask(SEND_FACTOR_CODE)}
      onCode={confirm}
      onPasskey={confirmByPasskey}
      asksPassword
    />
  );
}
