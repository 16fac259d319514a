// A sign-in that waits for its second factor: kept in this tab alone until it is over or its dialog is closed, so that a page
// that is loaded anew goes on with it, and with the code that was sent for it.
import type { Pending } from './operations';

const KEY = 'pending sign-in';

export function keepWaiting(pending: Pending) {
  window.sessionStorage.setItem(KEY, JSON.stringify(pending));
}

export function stopWaiting() {
  window.sessionStorage.removeItem(KEY);
}

export function waiting(): Pending | null {
  const kept = window.sessionStorage.getItem(KEY);
  const pending = kept === null ? null : (JSON.parse(kept) as Pending);
  return pending && new Date(pending.expiresAt) > new Date() ? pending : null;
}
