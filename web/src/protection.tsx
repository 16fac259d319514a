// What protects one's own account: passkeys, the authenticator, recovery codes.
import { useEffect, useState } from 'react';
import { Dialog } from './dialog';
import type { Asked } from './doors';
import {
  ADD_PASSKEY,
  BEGIN_PASSKEY,
  BEGIN_TOTP,
  CREATE_CODES,
  DISABLE_TOTP,
  ENABLE_TOTP,
  OWN_FACTORS,
  type Own,
  PASSKEYS,
  type Passkeys,
  REMOVE_PASSKEY,
  type Totp,
} from './factors';
import { CodeField, TextField } from './fields';
import { code, Form, typed, useWork } from './form';
import { formTexts } from './formtexts';
import { Freshly } from './fresh';
import { hasPasskeys, makePasskey, passkeyAddress } from './passkeys';
import { Problems } from './problems';
import type { Session } from './session';
import { texts, time } from './texts';

interface Props {
  session: Session;
  onClose: () => void;
}

export function Protection({ session, onClose }: Props) {
  const work = useWork();
  const loading = useWork();
  const [own, setOwn] = useState<Own['account'] | null>(null);
  const [passkeys, setPasskeys] = useState<Passkeys['nodes']>([]);
  const [told, tell] = useState('');
  const [totp, setTotp] = useState<Totp | null>(null);
  const [codes, setCodes] = useState<readonly string[]>([]);
  const [at, go] = useState<'all' | 'passkey'>('all');
  const back = () => go('all');

  const load = () =>
    loading.run(async () => {
      setOwn((await session.ask<Own>(OWN_FACTORS)).account);
      setPasskeys((await session.ask<Passkeys>(PASSKEYS)).nodes);
    });

  useEffect(() => void load(), [session]);

  // What was told is about the step before.
  function begin(action: () => Promise<void>) {
    tell('');
    void work.run(action);
  }

  async function done(text: string) {
    // What is recommended is something else now.
    await session.renew();
    await load();
    tell(text);
  }

  async function addPasskey(values: FormData) {
    const { options } = await session.ask<Asked>(BEGIN_PASSKEY);
    const credential = await makePasskey(options);
    await session.ask(ADD_PASSKEY, { name: typed(values, 'name'), credential });
    await done(formTexts.passkeyAdded);
    back();
  }

  async function enableTotp(values: FormData) {
    await session.ask(ENABLE_TOTP, { code: code(values) });
    await done(formTexts.totpEnabled);
    setTotp(null);
  }

  async function remove(operation: string, variables: Record<string, unknown> = {}) {
    await session.ask(operation, variables);
    await done(formTexts.factorRemoved);
  }

  async function createCodes() {
    const made = (await session.ask<{ codes: string[] }>(CREATE_CODES)).codes;
    setCodes(made);
    setOwn((before) => before && { ...before, recoveryCodesLeft: made.length });
    await session.renew();
  }

  const hasApp = own?.factors.some(({ kind }) => kind === 'TOTP') ?? false;
  const codesLeft = own?.recoveryCodesLeft ?? 0;
  const button = (text: string, testId: string, action: () => Promise<void>, label?: string) => (
    <button
      type="button"
      className="button"
      data-testid={testId}
      aria-label={label}
      aria-disabled={work.isBusy}
      onClick={() => begin(action)}
    >
      {text}
    </button>
  );
  return (
    <Dialog title={formTexts.protection} testId="protection" onClose={onClose}>
      <Freshly session={session} work={work} onCancel={onClose}>
        <p className="field-hint" role="status" data-testid="told">{told}</p>
        {at === 'passkey' ? (
          <Form
            work={work}
            fields={['name']}
            needed={['name']}
            submit={formTexts.addPasskey}
            cancel={formTexts.back}
            onCancel={back}
            onSubmit={addPasskey}
          >
            <TextField name="name" label={formTexts.passkeyName} defaultValue={formTexts.passkeyNameExample} />
            <p className="field-hint">{formTexts.passkeyPrompt}</p>
          </Form>
        ) : totp ? (
          <Form
            work={work}
            fields={['code']}
            needed={['code']}
            submit={formTexts.enableTotp}
            cancel={formTexts.back}
            onCancel={() => setTotp(null)}
            onSubmit={enableTotp}
          >
            <p className="field-hint">{formTexts.totpHint}</p>
            <img className="sign-in-qr" alt="QR" src={`data:image/svg+xml,${encodeURIComponent(totp.qr)}`} />
            <p>
              {formTexts.totpSecret}: <code data-testid="totp-secret">{totp.secret}</code>
            </p>
            <CodeField />
          </Form>
        ) : (
          <div className="sign-in-told">
            <Problems problems={[...loading.problems, ...work.problems]} />
            <ul className="sign-in-list">
              {passkeys.map(({ id, name, createdAt }) => (
                <li key={id} data-testid="passkey">
                  <span>
                    <b>{name}</b>
                    <br />
                    {formTexts.passkeys}, {formTexts.sessionSince} {time(createdAt)}
                  </span>
                  {button(formTexts.remove, 'remove-passkey', () => remove(REMOVE_PASSKEY, { id }), `${formTexts.remove}: ${name}`)}
                </li>
              ))}
              {hasApp && (
                <li data-testid="app">
                  <b>{formTexts.authenticator}</b>
                  {button(formTexts.remove, 'disable-totp', () => remove(DISABLE_TOTP), `${formTexts.remove}: ${formTexts.authenticator}`)}
                </li>
              )}
            </ul>
            {passkeyAddress ? (
              <p className="field-hint">
                {formTexts.passkeyAt} <a href={passkeyAddress}>{passkeyAddress}</a>
              </p>
            ) : (
              hasPasskeys && (
                <button type="button" className="button" data-testid="add-passkey" onClick={() => begin(async () => go('passkey'))}>
                  {formTexts.addPasskey}
                </button>
              )
            )}
            {own && button(hasApp ? formTexts.replaceTotp : formTexts.beginTotp, 'begin-totp', async () =>
              setTotp(await session.ask<Totp>(BEGIN_TOTP)),
            )}
            {own && button(`${formTexts.recoveryCodes}: ${codesLeft > 0 ? `${formTexts.codesLeft} ${codesLeft}, ${formTexts.createOthers}` : formTexts.createCodes}`, 'create-codes', createCodes)}
            {codes.length > 0 && (
              <div role="status">
                <p className="field-hint">{formTexts.codesHint}</p>
                <pre className="sign-in-text" data-testid="recovery-codes">{codes.join('\n')}</pre>
              </div>
            )}
            <div className="sign-in-actions">
              <button type="button" className="button button-primary" data-testid="close" onClick={onClose}>
                {texts.close}
              </button>
            </div>
          </div>
        )}
      </Freshly>
    </Dialog>
  );
}
