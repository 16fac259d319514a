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

interface Found {
  identity: Identity;
  notice: State['notice'];
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
    this.others.onmessage = () => void this.follow();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly snapshot = (): State => this.state;

  // Goes on in the session that the browser keeps, where there is one, in the role that it acts in.
  async restore(): Promise<void> {
    const found = await this.known();
    if (found) this.begin(found);
    else this.end();
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
      const found = await this.known();
      signal.throwIfAborted();
      if (!found) throw new Refused([{ code: 'COOKIES_NEEDED', field: null, message: texts.cookiesNeeded }]);
      this.begin(found, entered.recommendations ?? []);
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

  // One of the page's own operations, in the role that is shown; where that was revoked, in the one that took its place.
  async ask<Value extends object>(operation: string, variables: Record<string, unknown> = {}): Promise<Value> {
    const role = this.state.identity?.role;
    try {
      return await request<Value>(this.send, operation, variables, role);
    } catch (error) {
      const now = this.state.identity?.role;
      if (now === undefined || now === role || !isRefusedAs(error, 'ROLE_NOT_HELD')) throw error;
      return request<Value>(this.send, operation, variables, now);
    }
  }

  // Where the server could not be told, the session lives on, and is shown: whoever leaves tries again.
  async signOut(): Promise<void> {
    try {
      await this.ask(SIGN_OUT);
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

  // `fetch` in the name of whoever is signed in. Where the role is held no more, or the session is gone, the page follows.
  readonly send: Send = async (url, init) => {
    if (new Headers(init.headers).has('authorization')) return reach(url, init);
    if (this.state.identity === null) return this.anew(url, init);
    const response = await this.kept(url, init);
    if (response.status === 403) await this.follow();
    return response;
  };

  // The session may have been begun, changed or ended elsewhere. The role that is shown goes on while it is held, whatever
  // the session was switched to.
  readonly follow = async (): Promise<void> => {
    const found = await this.known().catch(() => undefined);
    // The server could not be asked.
    if (found === undefined) return;
    if (found === null) this.end();
    else if (found.identity.account.publicId === this.state.identity?.account.publicId) this.resume(found.identity);
    else this.begin(found);
  };

  // What somebody wrote was done: it may have begun or ended the session, which the browser's other pages share.
  async written(): Promise<void> {
    const before = this.state.identity?.account.publicId;
    await this.follow();
    if (this.state.identity?.account.publicId !== before) this.others.postMessage(null);
  }

  // As a visitor, whatever the browser keeps; what is signed in to, or renewed, it keeps from now on.
  private readonly anew: Send = (url, init) => reach(url, byCookie(init, 'new-cookie'));

  // In the session that the browser keeps; what the server no longer takes is renewed once.
  private readonly kept: Send = async (url, init) => {
    const asked = byCookie(init, 'cookie');
    const response = await reach(url, asked);
    return response.status === 401 && (await this.refresh()) ? reach(url, asked) : response;
  };

  // Whose session the browser keeps. A visitor's `Viewer` has no account, so it is asked for after.
  private async known(): Promise<Found | null> {
    let notice: State['notice'] = null;
    try {
      const { roles, activeRole } = await request<Viewer>(this.kept, VIEWER).catch((error) => {
        notice = 'roleGone';
        return this.switched(error);
      });
      if (activeRole === 'VISITOR') return null;
      const { account } = await request<{ account: Account | null }>(this.kept, ACCOUNT);
      return account && { identity: { account, roles, role: activeRole }, notice };
    } catch (error) {
      if (isOver(error)) return null;
      throw error;
    }
  }

  // The role that the session acts in was revoked: it goes on in one that is held.
  private async switched(error: unknown): Promise<Viewer> {
    const held = problemsOf(error).flatMap(({ availableIn = [] }) => availableIn);
    const role = held.find((one) => one === this.state.identity?.role) ?? held[0];
    if (role === undefined) throw error;
    const { viewer } = await request<Entered>(this.kept, SWITCH, { role }, role);
    if (viewer === null) throw error;
    return viewer;
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
      const before = this.state.identity;
      // Signed out while the answer was on its way, or not told yet who this is.
      if (before && viewer) this.resume({ ...before, roles: viewer.roles, role: viewer.activeRole });
      return true;
    } catch (error) {
      // Another page was first, and its cookies are ours as well.
      if (isRefusedAs(error, 'REFRESH_RACED')) return true;
      if (isPassing(error)) throw error;
      this.end();
      return false;
    }
  }

  // Ends a session that was opened for whoever had given up already.
  private async leave(): Promise<void> {
    if (this.state.identity === null && (await this.known())) await request(this.kept, SIGN_OUT);
  }

  private begin({ identity, notice }: Found, told?: readonly string[]): void {
    const { publicId } = identity.account;
    const isSame = this.state.identity?.account.publicId === publicId;
    const recommendations = told ?? (isSame ? this.state.recommendations : []);
    const isAnother = this.lastAccount !== null && this.lastAccount !== publicId;
    this.lastAccount = publicId;
    this.publish({ identity, notice, workspace: this.state.workspace + (isAnother ? 1 : 0), recommendations });
  }

  private resume(after: Identity): void {
    const before = this.state.identity;
    if (before && after.roles.includes(before.role)) {
      const identity = { ...after, role: before.role };
      if (JSON.stringify(identity) !== JSON.stringify(before)) this.publish({ identity });
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
  return isRefusedAs(error, 'UNAUTHENTICATED', 'SESSION_EXPIRED');
}

function isRefusedAs(error: unknown, ...codes: readonly string[]): boolean {
  return problemsOf(error).some(({ code }) => codes.includes(code));
}

// The network or the server failed; the session itself may be sound.
function isPassing(error: unknown): boolean {
  if (!(error instanceof Refused)) return true;
  return problemsOf(error).some(({ code }) => code === 'UNREACHABLE' || /^HTTP_(5\d\d|429)$/.test(code));
}
