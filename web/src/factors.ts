// The operations on one's own factors, and on showing one again.
import type { Pending } from './operations';

const TOLD = 'errors { code field message }';

export interface Totp {
  secret: string;
  qr: string;
}

export interface Own {
  account: { factors: Pending['factors']; recoveryCodesLeft: number };
}

export const OWN_FACTORS = '{ viewer { account { factors { kind contact } recoveryCodesLeft } } }';

export interface Passkeys {
  nodes: { id: string; name: string; createdAt: string }[];
}

export const PASSKEYS = '{ passkeys(first: 100) { nodes { id name createdAt } } }';

export const REMOVE_PASSKEY = `mutation RemovePasskey($id: ID!) {
  removePasskey(id: $id) { ${TOLD} }
}`;

export const DISABLE_TOTP = `mutation DisableTotp {
  disableTotp { ${TOLD} }
}`;

export const SEND_FACTOR_CODE = `mutation SendFactorCode {
  sendFactorCode { handle expiresAt ${TOLD} }
}`;

export const CONFIRM_FACTOR = `mutation ConfirmFactor($password: String!, $code: String!, $factor: SecondFactor, $handle: String) {
  confirmFactor(password: $password, code: $code, factor: $factor, handle: $handle) { ${TOLD} }
}`;

export const BEGIN_PASSKEY_CONFIRMATION = `mutation BeginPasskeyConfirmation {
  beginPasskeyConfirmation { options ${TOLD} }
}`;

export const CONFIRM_BY_PASSKEY = `mutation ConfirmByPasskey($credential: String!) {
  confirmFactorByPasskey(credential: $credential) { ${TOLD} }
}`;

export const BEGIN_PASSKEY = `mutation BeginPasskey {
  beginPasskey { options ${TOLD} }
}`;

export const ADD_PASSKEY = `mutation AddPasskey($name: String!, $credential: String!) {
  addPasskey(name: $name, credential: $credential) { ${TOLD} }
}`;

export const BEGIN_TOTP = `mutation BeginTotp {
  beginTotp { secret qr ${TOLD} }
}`;

export const ENABLE_TOTP = `mutation EnableTotp($code: String!) {
  enableTotp(code: $code) { ${TOLD} }
}`;

export const CREATE_CODES = `mutation CreateCodes {
  createRecoveryCodes { codes ${TOLD} }
}`;
