// Codes that were sent: the handle of each is kept in this tab alone, until it is used or ends, so that whoever closes a
// dialog or loads the page anew still gives back the code that is on its way.
import { useState } from 'react';
import type { Sent } from './doors';
import { problemsOf } from './problem';
import type { Session } from './session';

interface Kept {
  handle: string;
  // When it ends.
  expiresAt: string;
  // The code came back already: what it was for may follow.
  isProved: boolean;
}

export interface CodeSent {
  // The code that is asked for here; null before that.
  handle: string | null;
  isProved: boolean;
  // Has a code sent. Where that is too soon, the one before is gone on with.
  ask: (operation: string, variables?: Record<string, unknown>) => Promise<void>;
  // The same handle, or that of a code which was asked for before.
  last: () => string | null;
  prove: (expiresAt: string) => void;
  // What the code was for is done.
  done: () => void;
}

export function useSentCode(session: Session, purpose: string): CodeSent {
  const key = ['code', purpose, session.snapshot().identity?.account.publicId].filter(Boolean).join(' ');
  const [sent, setSent] = useState<Kept | null>(null);

  function keep(given: Kept) {
    window.sessionStorage.setItem(key, JSON.stringify(given));
    setSent(given);
  }

  async function ask(operation: string, variables: Record<string, unknown> = {}) {
    try {
      const { handle, expiresAt } = await session.ask<Sent>(operation, variables);
      keep({ handle, expiresAt, isProved: false });
    } catch (error) {
      const before = kept(key);
      const isTooSoon = problemsOf(error).some(({ code }) => code === 'RESEND_TOO_SOON');
      // Whoever sees the code's field already is told when the next may come.
      if (sent !== null || before === null || !isTooSoon) throw error;
      setSent(before);
    }
  }

  return {
    handle: sent?.handle ?? null,
    isProved: sent?.isProved ?? false,
    ask,
    last: () => (sent ?? kept(key))?.handle ?? null,
    prove: (expiresAt) => sent && keep({ ...sent, expiresAt, isProved: true }),
    done: () => window.sessionStorage.removeItem(key),
  };
}

function kept(key: string): Kept | null {
  const found = window.sessionStorage.getItem(key);
  const sent = found === null ? null : (JSON.parse(found) as Kept);
  return sent && new Date(sent.expiresAt) > new Date() ? sent : null;
}
