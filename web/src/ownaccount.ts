// The operations on one's own account: whose it is, confirming it, attaching a role, its password, contacts, sessions and Gosuslugi.
const SENT = 'handle expiresAt errors { code field message }';
const TOLD = 'errors { code field message }';

export const REQUEST_CONFIRMATION = `mutation RequestConfirmation($channel: Channel!) {
  requestConfirmation(channel: $channel) { ${SENT} }
}`;

export const CONFIRM_ACCOUNT = `mutation ConfirmAccount($handle: String!, $code: String!, $snils: String!, $inn: String) {
  confirmAccount(handle: $handle, code: $code, snils: $snils, inn: $inn) { ${TOLD} }
}`;

export const REQUEST_ROLE = `mutation RequestRole($input: RoleInput!) {
  requestRole(input: $input) { sentTo ${SENT} }
}`;

export const ATTACH_ROLE = `mutation AttachRole($handle: String!, $code: String!, $input: RoleInput!) {
  attachRole(handle: $handle, code: $code, input: $input) { ${TOLD} }
}`;

// Of the numbers the last digits.
export interface Stated {
  lastName: string;
  firstName: string;
  patronymic: string | null;
  birthDate: string | null;
  passport: string | null;
  inn: string | null;
}

export interface OwnIdentity {
  account: { identity: Stated | null } | null;
  // Some roles have no file, and know nothing of any.
  practitioner?: { status: string } | null;
}

export const OWN_IDENTITY = `query OwnIdentity {
  viewer {
    account { identity { lastName firstName patronymic birthDate passport inn } }
    practitioner @ifVisible { status }
  }
}`;

export const STATE_IDENTITY = `mutation StateIdentity($input: StateIdentityInput!) {
  stateIdentity(input: $input) { account { confirmedAt } ${TOLD} }
}`;

export const CHANGE_PASSWORD = `mutation ChangePassword($old: String!, $new: String!) {
  changePassword(old: $old, new: $new) { ${TOLD} }
}`;

export const BEGIN_CONTACT_CHANGE = `mutation BeginContactChange($contact: String!) {
  beginContactChange(contact: $contact) { ${SENT} }
}`;

export const CHANGE_CONTACT = `mutation ChangeContact($handle: String!, $code: String!) {
  changeContact(handle: $handle, code: $code) { ${TOLD} }
}`;

export interface OpenSession {
  id: string;
  device: string;
  address: string;
  place: string;
  startedAt: string;
  seenAt: string;
  isCurrent: boolean;
}

export const OPEN_SESSIONS = '{ openSessions { id device address place startedAt seenAt isCurrent } }';

export const END_SESSION = `mutation EndSession($id: ID!) {
  endSession(id: $id) { ${TOLD} }
}`;

export const END_OTHER_SESSIONS = `mutation EndOtherSessions {
  endOtherSessions { ${TOLD} }
}`;

export const BEGIN_ESIA_LINKING = `mutation BeginEsiaLinking {
  beginEsiaLinking { address binding ${TOLD} }
}`;

export const LINK_ESIA = `mutation LinkEsia($binding: String!, $state: String!, $code: String, $error: String) {
  linkEsia(binding: $binding, state: $state, code: $code, error: $error) { ${TOLD} }
}`;

export const UNLINK_ESIA = `mutation UnlinkEsia {
  unlinkEsia { ${TOLD} }
}`;
