// Gosuslugi linked to one's account, which ends where the browser comes back from there, or taken off it.
import { useEffect } from 'react';
import type { StepProps } from './account';
import { useWork } from './form';
import { formTexts } from './formtexts';
import { Freshly } from './fresh';
import { leaveForEsia, type Return } from './gosuslugi';
import { LINK_ESIA, UNLINK_ESIA } from './ownaccount';
import { Problems } from './problems';
import { WayBack } from './wayback';

export function Linking({ session, account, cameBack, onBack, onDone }: StepProps & { cameBack: Return | null }) {
  const work = useWork();

  useEffect(() => {
    if (cameBack === null) return;
    void work.run(async () => {
      await session.ask(LINK_ESIA, { ...cameBack });
      await onDone(formTexts.esiaLinked);
    });
    // A code works once.
  }, [cameBack]);

  async function unlink() {
    await session.ask(UNLINK_ESIA);
    await onDone(formTexts.esiaUnlinked);
  }

  const way = (text: string, testId: string, action: () => Promise<void>) => (
    <button type="button" className="button" data-testid={testId} disabled={work.isBusy} onClick={() => void work.run(action)}>
      {text}
    </button>
  );
  return (
    <Freshly session={session} work={work} onCancel={onBack}>
      <WayBack onBack={onBack}>
        <Problems problems={work.problems} />
        {account.esiaLinkedAt
          ? way(formTexts.unlinkEsia, 'unlink-esia', unlink)
          : way(formTexts.linkEsia, 'link-esia', () => leaveForEsia(session, true))}
      </WayBack>
    </Freshly>
  );
}
