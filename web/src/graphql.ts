// One GraphQL request of the page's own, and its payload or its problems.
import { type Problem, Refused, unreachable } from './problem';
import type { Role } from './roles';
import { texts } from './texts';

export const ENDPOINT = '/graphql';

export type Send = (url: string, init: RequestInit) => Promise<Response>;

interface Answer {
  data?: Record<string, unknown> | null;
  errors?: { message: string; extensions?: { code?: string; availableIn?: Role[] } }[];
}

// The value of the operation's one root field. Throws Refused, for the errors of a mutation's payload too.
export async function request<Value extends object>(
  send: Send,
  query: string,
  variables: Record<string, unknown> = {},
  role?: string,
): Promise<Value> {
  const response = await send(ENDPOINT, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/graphql-response+json, application/json;q=0.9',
      ...(role ? { 'x-cabinet-role': role } : {}),
    },
    body: JSON.stringify({ query, variables }),
  });
  const answer = await read(response);
  const errors = answer.errors ?? [];
  if (errors.length > 0) {
    throw new Refused(
      errors.map(({ message, extensions: { code = `HTTP_${response.status}`, availableIn = [] } = {} }) => ({
        code, field: null, message, availableIn,
      })),
    );
  }
  const value = Object.values(answer.data ?? {})[0] as Value | null | undefined;
  if (!value) throw new Refused([{ code: `HTTP_${response.status}`, field: null, message: texts.notGraphQL }]);
  const { errors: problems = [] } = value as { errors?: Partial<Problem>[] };
  if (problems.length > 0) {
    throw new Refused(
      problems.map(({ code = 'UNKNOWN', field = null, message = code }) => ({ code, field, message })),
    );
  }
  return value;
}

async function read(response: Response): Promise<Answer> {
  try {
    return (await response.json()) as Answer;
  } catch {
    throw new Refused([{ code: `HTTP_${response.status}`, field: null, message: texts.notGraphQL }]);
  }
}

export async function reach(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, { credentials: 'omit', cache: 'no-store', ...init });
  } catch (error) {
    // An abort carries its own reason.
    if (init.signal?.aborted) throw error;
    throw unreachable();
  }
}
