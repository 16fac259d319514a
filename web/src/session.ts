// Who is signed in, and in which role. Its tokens lie in cookies that no script can read.
import { reach, request, type Send } from './graphql';
import { ACCOUNT, type Account, type Entered, REFRESH, SIGN_OUT, SWITCH, VIEWER, type Viewer } from './operations';
import { problemsOf, Refused } from './problem';
import type { Role } from './roles';
import { texts } from './texts';

export interface Identity {
  account: Account;
  roles: readonly Role[];
  role: Role;
}

export interface State {
  identity: Identity | null;
  // Why the page left the session or the role by itself, until the next sign-in or switch.
  notice: 'sessionEnded' | 'roleGone' | null;
  // Another number is another person's workspace: nothing of the one before may stay in it.
  workspace: number;
  // What the last sign-in told to do for the account, until that is put aside.
  recommendations: readonly string[];
}

// An access token lives ten minutes.
const FRESH = 8 * 60_000;

export class Session {
  private state: State = { identity: null, notice: null, workspace: 0, recommendations: [] };
  private readonly listeners = new Set<() => void>();
  private freshUntil = 0;
  private entering = new AbortController();
  private lastAccount: string | null = null;
  private refreshing: Promise<boolean> | null = null;
  // The pages of a browser share its cookies: each tells the others when they hold another session, or none.
  private readonly others = new BroadcastChannel('cabinet');

  constructor() {
    this.others.onmessage = () => void this.restore().catch(() => undefined);
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly snapshot = (): State => this.state;

  // Goes on in the session that the browser keeps, where there is one.
  async restore(): Promise<void> {
    const identity = await this.known();
    if (identity) this.begin(identity);
    else if (this.state.identity) this.end();
  }

  // The account is another than it was, or holds other roles: here, and in the browser's other pages.
  async renew(): Promise<void> {
    await this.restore();
    this.others.postMessage(null);
  }

  // Signs in by one of the operations that do; answers with what it told. A sign-in that waits for a factor begins nothing.
  async enter(operation: string, variables: Record<string, unknown>): Promise<Entered> {
    const { signal } = (this.entering = new AbortController());
    try {
      const entered = await request<Entered>((url, init) => this.anew(url, { ...init, signal }), operation, variables);
      if (entered.viewer === null) return entered;
      this.freshUntil = Date.now() + FRESH;
      const identity = await this.known();
      signal.throwIfAborted();
      if (!identity) throw new Refused([{ code: 'COOKIES_NEEDED', field: null, message: texts.cookiesNeeded }]);
      this.begin(identity, entered.recommendations ?? []);
      this.others.postMessage(null);
      return entered;
    } catch (error) {
      if (signal.aborted) await this.leave();
      throw error;
    }
  }

  // Nobody waits any longer for the sign-in that is on its way, where one is.
  giveUp(): void {
    this.entering.abort();
  }

  // One of the page's own operations, in the role that is shown.
  ask<Value extends object>(operation: string, variables: Record<string, unknown> = {}): Promise<Value> {
    return request<Value>(this.send, operation, variables, this.state.identity?.role);
  }

  // Where the server could not be told, the session lives on, and is shown: whoever leaves tries again.
  async signOut(): Promise<void> {
    try {
      // In the session's own role: the one that is shown may have been revoked.
      await request(this.send, SIGN_OUT);
    } catch (error) {
      if (!isOver(error)) throw error;
    }
    this.lastAccount = null;
    this.publish({ identity: null, notice: null, workspace: this.state.workspace + 1, recommendations: [] });
    this.others.postMessage(null);
  }

  // The recommendations were read.
  heed(): void {
    this.publish({ recommendations: [] });
  }

  async switchRole(role: Role): Promise<void> {
    await this.refreshing;
    // Asked for in the role itself: the one that the session acts in may have been revoked.
    const { viewer } = await request<Entered>(this.send, SWITCH, { role }, role);
    if (!viewer || !this.state.identity) return;
    this.publish({ identity: { ...this.state.identity, roles: viewer.roles, role: viewer.activeRole }, notice: null });
  }

  // Renews a session that is about to expire, before a websocket takes its cookies.
  async freshen(): Promise<void> {
    if (this.state.identity && Date.now() > this.freshUntil) await this.refresh();
  }

  // `fetch` in the name of whoever is signed in.
  readonly send: Send = (url, init) => {
    if (new Headers(init.headers).has('authorization')) return reach(url, init);
    return this.state.identity ? this.kept(url, init) : this.anew(url, init);
  };

  // As a visitor, whatever the browser keeps; what is signed in to, or renewed, it keeps from now on.
  private readonly anew: Send = (url, init) => reach(url, byCookie(init, 'new-cookie'));

  // In the session that the browser keeps; what the server no longer takes is renewed once.
  private readonly kept: Send = async (url, init) => {
    const asked = byCookie(init, 'cookie');
    const response = await reach(url, asked);
    return response.status === 401 && (await this.refresh()) ? reach(url, asked) : response;
  };

  // Whose session the browser keeps. A visitor's `Viewer` has no account, so it is asked for after.
  private async known(): Promise<Identity | null> {
    try {
      const { roles, activeRole } = await request<Viewer>(this.kept, VIEWER);
      if (activeRole === 'VISITOR') return null;
      const { account } = await request<{ account: Account | null }>(this.kept, ACCOUNT);
      return account && { account, roles, role: activeRole };
    } catch (error) {
      if (isOver(error)) return null;
      throw error;
    }
  }

  // Whether the session goes on. One at a time, in all the pages of the browser: a refresh token works once.
  private refresh(): Promise<boolean> {
    this.refreshing ??= navigator.locks
      .request('cabinet', () => this.renewed())
      .finally(() => {
        this.refreshing = null;
      });
    return this.refreshing;
  }

  private async renewed(): Promise<boolean> {
    try {
      const { viewer } = await request<Entered>(this.anew, REFRESH);
      this.freshUntil = Date.now() + FRESH;
      this.resume(viewer);
      return true;
    } catch (error) {
      // Another page was first, and its cookies are ours as well.
      if (problemsOf(error).some(({ code }) => code === 'REFRESH_RACED')) return true;
      if (isPassing(error)) throw error;
      this.end();
      return false;
    }
  }

  // Ends a session that was opened for whoever had given up already.
  private async leave(): Promise<void> {
    if (this.state.identity === null && (await this.known())) await request(this.kept, SIGN_OUT);
  }

  private begin(identity: Identity, told?: readonly string[]): void {
    const { publicId } = identity.account;
    const isSame = this.state.identity?.account.publicId === publicId;
    const recommendations = told ?? (isSame ? this.state.recommendations : []);
    const isAnother = this.lastAccount !== null && this.lastAccount !== publicId;
    this.lastAccount = publicId;
    this.publish({ identity, notice: null, workspace: this.state.workspace + (isAnother ? 1 : 0), recommendations });
  }

  private resume(viewer: Viewer | null): void {
    const before = this.state.identity;
    // Signed out while the answer was on its way, or not told yet who this is.
    if (!before || !viewer) return;
    const after = { ...before, roles: viewer.roles, role: viewer.activeRole };
    if (after.roles.includes(before.role)) {
      if (after.roles.join() !== before.roles.join()) this.publish({ identity: { ...after, role: before.role } });
    } else {
      this.publish({ identity: after, notice: 'roleGone' });
    }
  }

  private end(): void {
    if (this.state.identity) this.publish({ identity: null, notice: 'sessionEnded', recommendations: [] });
  }

  private publish(change: Partial<State>): void {
    this.state = { ...this.state, ...change };
    for (const listener of this.listeners) listener();
  }
}

function byCookie(init: RequestInit, how: 'cookie' | 'new-cookie'): RequestInit {
  const headers = new Headers(init.headers);
  headers.set('x-cabinet-session', how);
  return { ...init, headers, credentials: 'same-origin' };
}

// There is no session any more.
function isOver(error: unknown): boolean {
  return problemsOf(error).some(({ code }) => code === 'UNAUTHENTICATED' || code === 'SESSION_EXPIRED');
}

// The network or the server failed; the session itself may be sound.
function isPassing(error: unknown): boolean {
  if (!(error instanceof Refused)) return true;
  return problemsOf(error).some(({ code }) => code === 'UNREACHABLE' || /^HTTP_(5\d\d|429)$/.test(code));
}
