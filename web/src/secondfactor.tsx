// The second step of a sign-in: one of the factors of the account.
import { type Asked, FINISH, FINISH_BY_PASSKEY, PASSKEY_OPTIONS, SEND_CODE } from './doors';
import { FactorForm } from './factorform';
import { formTexts } from './formtexts';
import type { Factor, Pending } from './operations';
import { showPasskey } from './passkeys';
import type { Session } from './session';

interface Props {
  session: Session;
  pending: Pending;
  onBack: () => void;
  onDone: () => void;
}

export function SecondFactor({ session, pending, onBack, onDone }: Props) {
  const { handle } = pending;

  async function finish(factor: Factor, code: string) {
    await session.enter(FINISH, { handle, factor, code });
    onDone();
  }

  async function finishByPasskey() {
    const { options } = await session.ask<Asked>(PASSKEY_OPTIONS, { handle });
    await session.enter(FINISH_BY_PASSKEY, { handle, credential: await showPasskey(options) });
    onDone();
  }

  return (
    <FactorForm
      factors={pending.factors}
      cancel={formTexts.back}
      onCancel={onBack}
      onSend={async () => void (await session.ask(SEND_CODE, { handle }))}
      onCode={finish}
      onPasskey={finishByPasskey}
    />
  );
}
