// One GraphQL request of the page's own, and its payload or its problems.
import { type Problem, Refused, unreachable } from './problem';
import { texts } from './texts';

export const ENDPOINT = '/graphql';

export type Send = (url: string, init: RequestInit) => Promise<Response>;

interface Answer {
  data?: Record<string, unknown> | null;
  errors?: { message: string; extensions?: { code?: string } }[];
}

// The payload of the operation's one root field. Throws Refused, for a payload's errors too.
export async function request<Payload extends { errors: Partial<Problem>[] }>(
  send: Send,
  query: string,
  variables: Record<string, unknown> = {},
): Promise<Payload> {
  const response = await send(ENDPOINT, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json, application/json;q=0.9' },
    body: JSON.stringify({ query, variables }),
  });
  const answer = await read(response);
  const errors = answer.errors ?? [];
  if (errors.length > 0) {
    throw new Refused(
      errors.map(({ message, extensions }) => ({ code: extensions?.code ?? `HTTP_${response.status}`, field: null, message })),
    );
  }
  const payload = Object.values(answer.data ?? {})[0] as Payload | null | undefined;
  if (!payload) throw new Refused([{ code: `HTTP_${response.status}`, field: null, message: texts.notGraphQL }]);
  if (payload.errors.length > 0) {
    throw new Refused(
      payload.errors.map(({ code = 'UNKNOWN', field = null, message = code }) => ({ code, field, message })),
    );
  }
  return payload;
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
