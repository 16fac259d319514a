// Whose the account is: what was said is shown, and said anew.
import { useEffect, useState } from 'react';
import type { StepProps } from './account';
import { Form, useWork } from './form';
import { formTexts } from './formtexts';
import { Freshly } from './fresh';
import { OWN_IDENTITY, type OwnIdentity, STATE_IDENTITY, type Stated } from './ownaccount';
import { PERSON_FIELDS, type Person, PersonFields, personOf } from './person';
import { Problems } from './problems';
import { WayBack } from './wayback';

export function Stating({ session, onBack, onDone }: StepProps) {
  const work = useWork();
  const loading = useWork();
  const [stated, setStated] = useState<Stated | null>();
  // What was typed stands there again after a factor was shown.
  const [typed, setTyped] = useState<Person>();

  useEffect(() => {
    void loading.run(async () => setStated((await session.ask<OwnIdentity>(OWN_IDENTITY)).account?.identity ?? null));
    // Asked once for each opening.
  }, [session]);

  async function state(values: FormData) {
    const input = personOf(values);
    setTyped(input);
    await session.ask(STATE_IDENTITY, { input });
    await onDone(stated ? formTexts.identityMended : formTexts.identityStated);
  }

  if (stated === undefined) {
    return (
      <WayBack onBack={onBack}>
        <Problems problems={loading.problems} />
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
