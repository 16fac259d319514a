// Codes that were sent: the handle of each is kept in this tab alone, until it is used or ends, so that whoever closes a
// dialog or loads the page anew still gives back the code that is on its way.
import { useState } from 'react';
import type { Sent } from './doors';
import { problemsOf } from './problem';
import type { Session } from './session';

interface Kept extends Sent {
  // The code came back already: what it was for may follow.
  isProved: boolean;
}

export interface CodeSent {
  // The code that is asked for here; null before that.
  handle: string | null;
  // The last digits of where it went, where that is told.
  sentTo: string | null;
  isProved: boolean;
  // Has a code sent. Where none can be sent now, the one before is gone on with.
  ask: (operation: string, variables?: Variables) => Promise<void>;
  // The same handle, or that of a code which was asked for before.
  last: (variables?: Variables) => string | null;
  prove: (expiresAt: string) => void;
  // What the code was for is done.
  done: () => void;
}

type Variables = Record<string, unknown>;

// Too soon for another, or it went to where none is sent once more.
const BEFORE = ['RESEND_TOO_SOON', 'CONTACT_MISSING'];

export function useSentCode(session: Session, purpose: string): CodeSent {
  const [sent, setSent] = useState<{ key: string; kept: Kept } | null>(null);

  function keep(key: string, given: Kept) {
    window.sessionStorage.setItem(key, JSON.stringify(given));
    setSent({ key, kept: given });
  }

  async function ask(operation: string, variables: Variables = {}) {
    const key = keyOf(session, purpose, variables);
    try {
      const { handle, expiresAt, sentTo = null } = await session.ask<Sent>(operation, variables);
      keep(key, { handle, expiresAt, sentTo, isProved: false });
    } catch (error) {
      const before = kept(key);
      const isBefore = problemsOf(error).some(({ code }) => BEFORE.includes(code));
      // Whoever sees the code's field already is told when the next may come.
      if (sent !== null || before === null || !isBefore) throw error;
      setSent({ key, kept: before });
    }
  }

  return {
    handle: sent?.kept.handle ?? null,
    sentTo: sent?.kept.sentTo ?? null,
    isProved: sent?.kept.isProved ?? false,
    ask,
    last: (variables = {}) => (sent?.kept ?? kept(keyOf(session, purpose, variables)))?.handle ?? null,
    prove: (expiresAt) => sent && keep(sent.key, { ...sent.kept, expiresAt, isProved: true }),
    done: () => window.sessionStorage.removeItem(sent?.key ?? keyOf(session, purpose, {})),
  };
}

// A code that was sent by the way.
export function keepSent(session: Session, purpose: string, variables: Variables, sent: Sent): void {
  window.sessionStorage.setItem(keyOf(session, purpose, variables), JSON.stringify({ ...sent, isProved: false }));
}

function keyOf(session: Session, purpose: string, variables: Variables): string {
  return ['code', purpose, markOf(variables), session.snapshot().identity?.account.publicId].filter(Boolean).join(' ');
}

// Tells what was asked for from what else was, and nobody what it is: a contact is left nowhere.
function markOf(variables: Variables): string {
  const text = JSON.stringify(variables).replaceAll(/[\s()-]/g, '').toLowerCase();
  let mark = 0;
  for (const letter of text) mark = (Math.imul(mark, 31) + (letter.codePointAt(0) ?? 0)) & 0xffff;
  return mark.toString(36);
}

function kept(key: string): Kept | null {
  const found = window.sessionStorage.getItem(key);
  const sent = found === null ? null : (JSON.parse(found) as Kept);
  return sent && new Date(sent.expiresAt) > new Date() ? sent : null;
}
