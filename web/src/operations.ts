// The operations the page itself sends, and the shape of their answers.
import type { Problem } from './problem';
import type { Role } from './roles';

export interface Viewer {
  roles: Role[];
  activeRole: Role;
}

export interface Account {
  publicId: string;
  email: string | null;
  phone: string | null;
  confirmedAt: string | null;
  esiaLinkedAt: string | null;
  recommendations: string[];
}

export type Factor = 'TOTP' | 'SMS' | 'PASSKEY' | 'RECOVERY_CODE';

// A sign-in that waits for one of these factors.
export interface Pending {
  handle: string;
  expiresAt: string;
  factors: { kind: Factor; contact: string | null }[];
}

// What signing in, renewing and switching tell; the tokens themselves stay in cookies.
export interface Entered {
  viewer: Viewer | null;
  pending?: Pending | null;
  recommendations?: string[] | null;
  // Whoever registers with an e-mail address is sent a code there as well, which confirms the account.
  emailHandle?: string | null;
  errors: Problem[];
}

export const VIEWER = '{ viewer { roles activeRole } }';

export const ACCOUNT = `query Account {
  viewer { account { publicId email phone confirmedAt esiaLinkedAt recommendations } }
}`;

export const REFRESH = `mutation Refresh {
  refreshSession {
    viewer { roles activeRole }
    errors { code field message }
  }
}`;

// Runs in the schema of the role that is left.
export const SWITCH = `mutation Switch($role: Role!) {
  switchRole(role: $role) {
    viewer { roles activeRole }
    errors { code field message }
  }
}`;

export const SIGN_OUT = `mutation SignOut {
  signOut { errors { code } }
}`;
