// Gosuslugi, to sign in or to link one's account: the way there, and what the browser came back with.
import { BEGIN_ESIA, FINISH_ESIA } from './doors';
import { formTexts } from './formtexts';
import { BEGIN_ESIA_LINKING } from './ownaccount';
import { type Problem, problemsOf, Refused } from './problem';
import type { Session } from './session';

// Kept in this tab alone, and only until the browser is back: it tells that the way began here.
const KEPT = 'esia';

interface Begun {
  binding: string;
  links: boolean;
}

// A code, or an error in its place: nobody signed in there.
export interface Return {
  binding: string;
  state: string;
  code: string | null;
  error: string | null;
}

export interface Came {
  refused: readonly Problem[];
  toLink: Return | null;
}

// To link asks for a factor shown lately, before anybody leaves.
export async function leaveForEsia(session: Session, links = false): Promise<void> {
  const { address, binding } = await session.ask<{ address: string; binding: string }>(links ? BEGIN_ESIA_LINKING : BEGIN_ESIA);
  window.sessionStorage.setItem(KEPT, JSON.stringify({ binding, links } satisfies Begun));
  window.location.assign(address);
}

// Ends a sign-in that just came back, and says why where it did not go well; what is to be linked is left to its owner.
export async function comeFromEsia(session: Session): Promise<Came> {
  const asked = new URLSearchParams(window.location.search);
  const [state, code, error] = [asked.get('state'), asked.get('code'), asked.get('error')];
  if (state === null) return { refused: [], toLink: null };
  const kept = window.sessionStorage.getItem(KEPT);
  window.sessionStorage.removeItem(KEPT);
  // A code works once: a reload must not show it again.
  window.history.replaceState(null, '', window.location.pathname);
  try {
    if (kept === null) throw lost();
    const { binding, links } = JSON.parse(kept) as Begun;
    const given = { binding, state, code, error };
    if (!links) {
      await session.enter(FINISH_ESIA, given);
      return { refused: [], toLink: null };
    }
    if (session.snapshot().identity === null) throw lost();
    return { refused: [], toLink: given };
  } catch (failure) {
    // The sign-in form has a code of its own, which this is not about.
    return { refused: problemsOf(failure).map((problem) => ({ ...problem, field: null })), toLink: null };
  }
}

function lost(): Refused {
  return new Refused([{ code: 'ESIA_STATE_MISMATCH', field: null, message: formTexts.esiaLost }]);
}
