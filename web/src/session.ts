// Who is signed in, in which role, and the tokens of it, which live in this memory only.
import { reach, request, type Send } from './graphql';
import {
  ACCOUNT,
  type Account,
  REFRESH,
  SIGN_OUT,
  SWITCH,
  type Tokens,
} from './operations';
import { problemsOf, Refused } from './problem';
import type { Role } from './roles';

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
}

const MINUTE = 60_000;
const DEFAULT_LIFETIME = 10 * MINUTE;

export class Session {
  private state: State = { identity: null, notice: null, workspace: 0 };
  private readonly listeners = new Set<() => void>();
  private access: string | null = null;
  private refreshToken: string | null = null;
  private expiresAt = 0;
  private used = false;
  private timer = 0;
  private watching = 0;
  private lastAccount: string | null = null;
  private refreshing: Promise<void> | null = null;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly snapshot = (): State => this.state;

  // Signs in by one of the operations that do; answers with what it told. A sign-in that waits for a factor begins nothing.
  async enter(operation: string, variables: Record<string, unknown>): Promise<Tokens> {
    const tokens = await request<Tokens>(reach, operation, variables);
    const { accessToken } = tokens;
    if (!accessToken) return tokens;
    const asSignedIn: Send = (url, init) => reach(url, { ...init, headers: bearing(new Headers(init.headers), accessToken) });
    const { account } = await request<{ account: Account | null }>(asSignedIn, ACCOUNT);
    if (account) this.begin(tokens, account);
    return tokens;
  }

  // One of the page's own operations, in the role that is shown.
  ask<Value extends object>(operation: string, variables: Record<string, unknown> = {}): Promise<Value> {
    return request<Value>(this.send, operation, variables, this.state.identity?.role);
  }

  async signOut(): Promise<void> {
    try {
      await request(this.send, SIGN_OUT, {}, this.state.identity?.role);
    } finally {
      // Signed out here even where the server could not be told.
      this.lastAccount = null;
      this.end({ notice: null, workspace: this.state.workspace + 1 });
    }
  }

  async switchRole(role: Role): Promise<void> {
    await this.refreshing;
    // Asked for in the role itself: the one that the session acts in may have been revoked.
    const { accessToken, viewer } = await request<Tokens>(this.send, SWITCH, { role }, role);
    if (!accessToken || !viewer || !this.state.identity) return;
    this.take(accessToken);
    this.publish({ identity: { ...this.state.identity, roles: viewer.roles, role: viewer.activeRole }, notice: null });
  }

  // An open subscription keeps the session in use while nothing is sent. Call what it returns when it closes.
  watch(): () => void {
    this.watching += 1;
    let open = true;
    return () => {
      if (open) this.watching -= 1;
      open = false;
    };
  }

  // The access token, renewed first where it is about to expire; null for a visitor.
  async token(): Promise<string | null> {
    this.used = true;
    if (this.access && Date.now() > this.expiresAt) await this.refresh();
    return this.access;
  }

  // `fetch` in the name of whoever is signed in; a token that the server no longer takes is renewed once.
  readonly send = async (url: string, init: RequestInit): Promise<Response> => {
    const headers = new Headers(init.headers);
    if (headers.has('authorization')) return reach(url, init);
    const token = await this.token();
    const response = await reach(url, { ...init, headers: bearing(headers, token) });
    if (response.status !== 401 || !token) return response;
    if (this.access === token) await this.refresh();
    return this.access ? reach(url, { ...init, headers: bearing(headers, this.access) }) : response;
  };

  // One at a time: a refresh token works once, and a second use of it ends the session.
  private refresh(): Promise<void> {
    this.refreshing ??= this.renew().finally(() => {
      this.refreshing = null;
    });
    return this.refreshing;
  }

  private async renew(): Promise<void> {
    try {
      this.resume(await request<Tokens>(reach, REFRESH, { refreshToken: this.refreshToken }));
    } catch (error) {
      if (isPassing(error)) throw error;
      this.end({ notice: 'sessionEnded' });
    }
  }

  private begin({ accessToken, refreshToken, viewer }: Tokens, account: Account): void {
    if (!accessToken || !viewer) return;
    this.refreshToken = refreshToken;
    this.take(accessToken);
    const identity = { account, roles: viewer.roles, role: viewer.activeRole };
    const isAnother = this.lastAccount !== null && this.lastAccount !== account.publicId;
    this.lastAccount = account.publicId;
    this.publish({ identity, notice: null, workspace: this.state.workspace + (isAnother ? 1 : 0) });
  }

  private resume({ accessToken, refreshToken, viewer }: Tokens): void {
    const before = this.state.identity;
    // Signed out while the answer was on its way.
    if (!before || !accessToken) return;
    this.refreshToken = refreshToken;
    this.take(accessToken);
    if (!viewer) return;
    const after = { ...before, roles: viewer.roles, role: viewer.activeRole };
    if (after.roles.includes(before.role)) {
      if (after.roles.join() !== before.roles.join()) this.publish({ identity: { ...after, role: before.role } });
    } else {
      this.publish({ identity: after, notice: 'roleGone' });
    }
  }

  private end(change: Partial<State>): void {
    window.clearTimeout(this.timer);
    this.access = this.refreshToken = null;
    this.publish({ identity: null, ...change });
  }

  private take(accessToken: string): void {
    const lifetime = lifetimeOf(accessToken);
    const margin = Math.min(MINUTE, lifetime / 4);
    this.access = accessToken;
    this.expiresAt = Date.now() + lifetime - margin / 2;
    this.used = false;
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => {
      // A page that nobody uses is left to the server's idle limit.
      if (this.used || this.watching > 0) this.refresh().catch(() => undefined);
    }, lifetime - margin);
  }

  private publish(change: Partial<State>): void {
    this.state = { ...this.state, ...change };
    for (const listener of this.listeners) listener();
  }
}

function bearing(headers: Headers, token: string | null): Headers {
  const own = new Headers(headers);
  if (token) own.set('authorization', `Bearer ${token}`);
  return own;
}

// The network or the server failed; the session itself may be sound.
function isPassing(error: unknown): boolean {
  if (!(error instanceof Refused)) return true;
  return problemsOf(error).some(({ code }) => code === 'UNREACHABLE' || /^HTTP_(5\d\d|429)$/.test(code));
}

// Milliseconds between the token's own two times, so that this machine's clock does not matter.
function lifetimeOf(token: string): number {
  try {
    const body = (token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
    const { exp, iat } = JSON.parse(atob(body)) as { exp: number; iat: number };
    const lifetime = (exp - iat) * 1000;
    return lifetime > 0 && lifetime < 24 * 60 * MINUTE ? lifetime : DEFAULT_LIFETIME;
  } catch {
    return DEFAULT_LIFETIME;
  }
}
