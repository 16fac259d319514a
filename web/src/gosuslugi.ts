// Signing in through Gosuslugi: the way there, and what to do when the browser comes back.
import { BEGIN_ESIA, FINISH_ESIA } from './doors';
import { formTexts } from './formtexts';
import { type Problem, problemsOf, Refused } from './problem';
import type { Session } from './session';

// Kept in this tab alone, and only until the browser is back: it tells that the sign-in began here.
const KEPT = 'esia';

export async function leaveForEsia(session: Session): Promise<void> {
  const { address, binding } = await session.ask<{ address: string; binding: string }>(BEGIN_ESIA);
  window.sessionStorage.setItem(KEPT, binding);
  window.location.assign(address);
}

// The problems of a sign-in that just came back; none where nothing did, or where it went well.
export async function comeFromEsia(session: Session): Promise<readonly Problem[]> {
  const asked = new URLSearchParams(window.location.search);
  const [state, code] = [asked.get('state'), asked.get('code')];
  if (state === null) return [];
  const binding = window.sessionStorage.getItem(KEPT);
  window.sessionStorage.removeItem(KEPT);
  // A code works once: a reload must not show it again.
  window.history.replaceState(null, '', window.location.pathname);
  try {
    if (binding === null) throw new Refused([{ code: 'ESIA_STATE_MISMATCH', field: null, message: formTexts.esiaLost }]);
    await session.enter(FINISH_ESIA, { binding, state, code: code ?? '' });
    return [];
  } catch (error) {
    // The sign-in form has a code of its own, which this is not about.
    return problemsOf(error).map((problem) => ({ ...problem, field: null }));
  }
}
