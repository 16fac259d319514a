// Whose the account is: what was said is shown, and said anew until a file of the registry says it.
import { useEffect, useState } from 'react';
import type { StepProps } from './account';
import { Form, useWork } from './form';
import { formTexts } from './formtexts';
import { Freshly } from './fresh';
import { OWN_IDENTITY, type OwnIdentity, STATE_IDENTITY } from './ownaccount';
import { PERSON_FIELDS, type Person, PersonFields, personOf } from './person';
import { Problems } from './problems';
import { WayBack } from './wayback';

interface Now {
  account: { confirmedAt: string | null };
}

export function Stating({ session, onBack, onDone }: StepProps) {
  const work = useWork();
  const loading = useWork();
  const [own, setOwn] = useState<OwnIdentity | null>(null);
  // What was typed stands there again after a factor was shown.
  const [typed, setTyped] = useState<Person>();

  useEffect(() => {
    void loading.run(async () => setOwn(await session.ask<OwnIdentity>(OWN_IDENTITY)));
    // Asked once for each opening.
  }, [session]);

  const stated = own?.account?.identity ?? null;

  async function state(values: FormData) {
    const input = personOf(values);
    setTyped(input);
    const { account } = await session.ask<Now>(STATE_IDENTITY, { input });
    // What Gosuslugi or an invitation has confirmed stays so.
    await onDone(stated && account.confirmedAt === null ? formTexts.identityMended : formTexts.identityStated);
  }

  if (own === null) {
    return (
      <WayBack onBack={onBack}>
        <Problems problems={loading.problems} />
      </WayBack>
    );
  }
  // A job that was left says nothing any more.
  if (own.practitioner && own.practitioner.status !== 'DISMISSED') {
    return (
      <WayBack onBack={onBack}>
        {stated && <p>{[stated.lastName, stated.firstName, stated.patronymic].filter(Boolean).join(' ')}</p>}
        <p className="field-hint">{formTexts.identityInRegistry}</p>
      </WayBack>
    );
  }
  // Numbers are known by their ends alone: they are typed again.
  const before = stated ? { ...stated, birthDate: stated.birthDate ?? '', passport: '', inn: '' } : {};
  return (
    <Freshly session={session} work={work} onCancel={onBack}>
      <Form
        work={work}
        fields={PERSON_FIELDS}
        submit={formTexts.save}
        cancel={formTexts.back}
        onCancel={onBack}
        onSubmit={state}
      >
        <p className="field-hint">{formTexts.identityHint}</p>
        <PersonFields values={typed ?? before} {...(stated ? { known: stated } : {})} />
      </Form>
    </Freshly>
  );
}
