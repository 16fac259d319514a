// The operations by which one gets in, and the shape of their answers: signing in, registering, recovering, support.
const SIGNED_IN = `
    viewer { roles activeRole }
    recommendations
    errors { code field message }`;

const SENT = 'handle expiresAt errors { code field message }';
const TOLD = 'errors { code field message }';

export interface Sent {
  handle: string;
  expiresAt: string;
  // Its last digits, where a code went to what the account does not show.
  sentTo?: string | null;
}

export interface Asked {
  options: string;
}

export interface Challenged {
  challenge: string;
  text: string;
  expiresAt: string;
}

export interface Terms {
  version: string;
  text: string;
}

export interface Specialties {
  nodes: { id: string; name: string }[];
}

export const SIGN_IN = `mutation SignIn($login: String!, $password: String!, $code: String) {
  signIn(login: $login, password: $password, code: $code) {${SIGNED_IN}
    pending { handle expiresAt factors { kind contact } }
  }
}`;

export const SEND_CODE = `mutation SendCode($handle: String!) {
  sendSignInCode(handle: $handle) { ${TOLD} }
}`;

export const FINISH = `mutation Finish($handle: String!, $factor: SecondFactor!, $code: String!) {
  finishSignIn(handle: $handle, factor: $factor, code: $code) {${SIGNED_IN}
  }
}`;

export const PASSKEY_OPTIONS = `mutation PasskeyOptions($handle: String!) {
  passkeyOptions(handle: $handle) { options ${TOLD} }
}`;

export const FINISH_BY_PASSKEY = `mutation FinishByPasskey($handle: String!, $credential: String!) {
  finishSignInByPasskey(handle: $handle, credential: $credential) {${SIGNED_IN}
  }
}`;

export const BEGIN_PASSKEY_SIGN_IN = `mutation BeginPasskeySignIn {
  beginPasskeySignIn { options ${TOLD} }
}`;

export const SIGN_IN_BY_PASSKEY = `mutation SignInByPasskey($credential: String!) {
  signInByPasskey(credential: $credential) {${SIGNED_IN}
  }
}`;

export const BEGIN_SIGNATURE = `mutation BeginSignature {
  beginSignatureSignIn { challenge text expiresAt ${TOLD} }
}`;

export const SIGN_IN_BY_SIGNATURE = `mutation SignInBySignature($challenge: String!, $signature: String!) {
  signInBySignature(challenge: $challenge, signature: $signature) {${SIGNED_IN}
  }
}`;

export const BEGIN_ESIA = `mutation BeginEsia {
  beginEsia { address binding ${TOLD} }
}`;

export const FINISH_ESIA = `mutation FinishEsia($binding: String!, $state: String!, $code: String, $error: String) {
  finishEsia(binding: $binding, state: $state, code: $code, error: $error) {${SIGNED_IN}
  }
}`;

export const TERMS = '{ terms { version text } }';

export const SPECIALTIES = `query Specialties {
  dictionaryEntries(
    first: 100
    filter: { oid: { eq: "1.2.643.5.1.13.13.11.1066" } }
    order: [{ field: NAME, direction: ASC }]
  ) { nodes { id name } }
}`;

export const BEGIN_REGISTRATION = `mutation BeginRegistration($phone: String!) {
  beginRegistration(phone: $phone) { ${SENT} }
}`;

export const CHECK_REGISTRATION = `mutation CheckRegistration($handle: String!, $code: String!) {
  checkRegistrationCode(handle: $handle, code: $code) { expiresAt ${TOLD} }
}`;

export const REGISTER = `mutation Register($handle: String!, $input: RegisterInput!) {
  register(handle: $handle, input: $input) {${SIGNED_IN}
    emailHandle
  }
}`;

export const REQUEST_RECOVERY = `mutation RequestRecovery($contact: String!) {
  requestRecovery(contact: $contact) { ${SENT} }
}`;

export const RESET_PASSWORD = `mutation ResetPassword($handle: String!, $code: String!, $password: String!) {
  resetPassword(handle: $handle, code: $code, password: $password) { ${TOLD} }
}`;

export const REQUEST_UPLOAD = `mutation RequestUpload($fileName: String!, $size: Int!, $mediaType: String!) {
  requestUpload(purpose: TICKET, fileName: $fileName, size: $size, mediaType: $mediaType) { uploadId address ${TOLD} }
}`;

export const FILE_TICKET = `mutation FileTicket($input: FileTicketInput!) {
  fileTicket(input: $input) { number ${TOLD} }
}`;

export const SERVICE_STATUS = '{ serviceStatus { notices { id kind title text startsAt endsAt } } }';

export const SIGN_IN_WAYS = '{ signInWays }';
