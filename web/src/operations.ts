// The operations the page itself sends, and the shape of their answers.
import type { Problem } from './problem';
import type { Role } from './roles';

export interface Viewer {
  roles: Role[];
  activeRole: Role;
  account: { publicId: string } | null;
}

export interface Tokens {
  accessToken: string | null;
  refreshToken: string | null;
  viewer: Viewer | null;
  errors: Problem[];
}

export const SIGN_IN = `mutation SignIn($login: String!, $password: String!, $code: String) {
  signIn(login: $login, password: $password, code: $code) {
    accessToken
    refreshToken
    viewer { roles activeRole account { publicId } }
    errors { code field message }
  }
}`;

export const REFRESH = `mutation Refresh($refreshToken: String!) {
  refreshSession(refreshToken: $refreshToken) {
    accessToken
    refreshToken
    viewer { roles activeRole account { publicId } }
    errors { code field message }
  }
}`;

export const SWITCH = `mutation Switch($role: Role!) {
  switchRole(role: $role) {
    accessToken
    viewer { roles activeRole }
    errors { code field message }
  }
}`;

export const SIGN_OUT = `mutation SignOut {
  signOut { errors { code } }
}`;
