// Passkeys of this browser: one shown, one made, and what went wrong in words.
import { formTexts } from './formtexts';
import { Refused } from './problem';

// The browser has passkeys, and this address may have them: an address of digits never does (WebAuthn, 5.1.3).
export const hasPasskeys =
  typeof PublicKeyCredential !== 'undefined' && 'parseRequestOptionsFromJSON' in PublicKeyCredential;

export const passkeyAddress = /^[\d.]+$|^\[/.test(window.location.hostname)
  ? `${window.location.protocol}//localhost:${window.location.port}${window.location.pathname}`
  : null;

export async function showPasskey(options: string): Promise<string> {
  return answered(() =>
    navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(JSON.parse(options)) }),
  );
}

// Passkeys stand beside the logins that the browser suggests, until one is chosen or the signal comes; null where it cannot.
export async function offerPasskeys(ask: () => Promise<string>, signal: AbortSignal): Promise<string | null> {
  if (!hasPasskeys || passkeyAddress || !(await PublicKeyCredential.isConditionalMediationAvailable?.())) return null;
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(JSON.parse(await ask()));
  if (signal.aborted) return null;
  const chosen = await navigator.credentials.get({ publicKey, mediation: 'conditional', signal });
  return chosen && JSON.stringify((chosen as PublicKeyCredential).toJSON());
}

export async function makePasskey(options: string): Promise<string> {
  return answered(() =>
    navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(JSON.parse(options)) }),
  );
}

async function answered(ask: () => Promise<Credential | null>): Promise<string> {
  if (!hasPasskeys) throw refused('PASSKEY_UNSUPPORTED', formTexts.passkeyMissing);
  try {
    return JSON.stringify(((await ask()) as PublicKeyCredential).toJSON());
  } catch (error) {
    const name = error instanceof DOMException ? error.name : '';
    if (name === 'NotAllowedError' || name === 'AbortError') throw refused('PASSKEY_CANCELLED', formTexts.passkeyCancelled);
    if (name === 'InvalidStateError') throw refused('PASSKEY_KNOWN', formTexts.passkeyKnown);
    if (name === 'SecurityError') throw refused('PASSKEY_ELSEWHERE', formTexts.passkeyElsewhere);
    throw error;
  }
}

function refused(code: string, message: string): Refused {
  return new Refused([{ code, field: null, message }]);
}
