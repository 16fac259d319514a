// Another password of one's own.
import type { StepProps } from './account';
import { PasswordField } from './fields';
import { Form, secret, useWork } from './form';
import { formTexts } from './formtexts';
import { Freshly } from './fresh';
import { CHANGE_PASSWORD } from './ownaccount';

export function OwnPassword({ session, onBack, onDone }: StepProps) {
  const work = useWork();

  async function change(values: FormData) {
    await session.ask(CHANGE_PASSWORD, { old: secret(values, 'old'), new: secret(values, 'new') });
    await onDone(formTexts.passwordChanged);
  }

  return (
    <Freshly session={session} work={work} onCancel={onBack}>
      <Form
        work={work}
        fields={['old', 'new']}
        needed={['old', 'new']}
        submit={formTexts.resetPassword}
        cancel={formTexts.back}
        onCancel={onBack}
        onSubmit={change}
      >
        <PasswordField name="old" label={formTexts.oldPassword} autoComplete="current-password" />
        <PasswordField name="new" label={formTexts.newPassword} hint={formTexts.passwordHint} autoComplete="new-password" />
      </Form>
    </Freshly>
  );
}
