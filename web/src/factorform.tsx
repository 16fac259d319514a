// A second factor shown: which one, its code, or the passkey; in a session that goes on, the password before it.
import { useState } from 'react';
import { Choice, CodeField, PasswordField } from './fields';
import { code, Form, secret, useWork } from './form';
import { formTexts } from './formtexts';
import type { Factor, Pending } from './operations';
import { texts } from './texts';

interface Props {
  factors: Pending['factors'];
  cancel: string;
  onCancel: () => void;
  onSend: () => Promise<void>;
  onCode: (factor: Factor, code: string, password: string) => Promise<void>;
  onPasskey: () => Promise<void>;
  asksPassword?: boolean;
}

export function FactorForm({ factors, cancel, onCancel, onSend, onCode, onPasskey, asksPassword = false }: Props) {
  const work = useWork();
  const [factor, setFactor] = useState<Factor>(factors[0]?.kind ?? 'TOTP');
  const [isSent, setSent] = useState(false);
  const isPasskey = factor === 'PASSKEY';
  const typed = [...(asksPassword ? ['password'] : []), 'code'];
  const offered = factors.map(({ kind, contact }) => [kind, [texts.factors[kind], contact].filter(Boolean).join(' ')]);

  async function send() {
    setSent(false);
    await onSend();
    setSent(true);
  }

  return (
    <Form
      work={work}
      fields={['factor', ...typed]}
      needed={isPasskey ? [] : typed}
      submit={formTexts.confirm}
      cancel={cancel}
      onCancel={onCancel}
      onSubmit={(values) => (isPasskey ? onPasskey() : onCode(factor, code(values), secret(values, 'password')))}
    >
      <Choice
        name="factor"
        label={texts.factor}
        options={Object.fromEntries(offered)}
        value={factor}
        onChoose={(value) => setFactor(value as Factor)}
      />
      {asksPassword && !isPasskey && <PasswordField name="password" label={texts.password} autoComplete="current-password" />}
      {factor === 'SMS' && (
        <button
          type="button"
          className="button"
          data-testid="send-code"
          aria-disabled={work.isBusy}
          onClick={() => void work.run(send)}
        >
          {texts.sendCode}
        </button>
      )}
      <p className="field-hint" role="status">
        {isPasskey ? formTexts.passkeyPrompt : factor === 'SMS' && isSent ? formTexts.codeSentAgain : ''}
      </p>
      {!isPasskey && <CodeField key={factor} isWord={factor === 'RECOVERY_CODE'} />}
    </Form>
  );
}
