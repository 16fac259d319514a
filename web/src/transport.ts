// How the operations of one identity in one role reach the server: requests over HTTP, subscriptions over a websocket.
import type { Fetcher, FetcherParams, Observable } from '@graphiql/toolkit';
import { getOperationAST, type OperationDefinitionNode, parse } from 'graphql';
import { type Client, createClient, type ExecutionResult } from 'graphql-ws';
import { ENDPOINT } from './graphql';
import { problemsOf } from './problem';
import type { Role } from './roles';
import type { Session } from './session';
import { texts } from './texts';

const SUBSCRIPTION_RETRIES = 5;

interface Sink {
  next(result: ExecutionResult): void;
  error(error: unknown): void;
  complete(): void;
}

export class Transport {
  private readonly stopping = new AbortController();
  private readonly socket: Client;

  constructor(
    private readonly session: Session,
    private readonly role: Role | null,
  ) {
    this.socket = createClient({
      // The cookies of the handshake count, and no socket renews them.
      url: async () => {
        await this.session.freshen();
        return new URL(ENDPOINT, window.location.href.replace(/^http/, 'ws')).href;
      },
      connectionParams: { role: this.role },
      retryAttempts: SUBSCRIPTION_RETRIES,
    });
  }

  // GraphiQL introspects anew when this function is another one.
  readonly fetcher: Fetcher = (params, options) => {
    const operation = operationOf(params);
    const named = operation ? { ...params, operationName: operation.name?.value ?? null } : params;
    if (operation?.operation === 'subscription') return this.watch(named);
    const answer = this.post(named, options?.headers);
    if (operation?.operation === 'mutation') void answer.then(() => this.session.written(), () => undefined);
    return answer;
  };

  // Nothing asked for in this role is answered after this.
  stop(): void {
    this.stopping.abort(failure('STOPPED', texts.requestStopped));
    void this.socket.dispose();
  }

  private async post(params: FetcherParams, extra?: Record<string, unknown>): Promise<ExecutionResult> {
    const headers = new Headers({
      'content-type': 'application/json',
      accept: 'application/graphql-response+json, application/json;q=0.9',
    });
    // The role on the page is the role that acts, whatever the session was switched to elsewhere.
    if (this.role) headers.set('x-cabinet-role', this.role);
    for (const [name, value] of Object.entries(extra ?? {})) headers.set(name, String(value));
    try {
      const init = { method: 'POST', headers, body: JSON.stringify(params), signal: this.stopping.signal };
      const response = await this.session.send(ENDPOINT, init);
      return await answerOf(response);
    } catch (error) {
      throw this.stopping.signal.aborted ? this.stopping.signal.reason : readable(error);
    }
  }

  // An observable and not a generator: a generator that waits for its next event cannot be stopped.
  private watch({ query, variables, operationName }: FetcherParams): Observable<ExecutionResult> {
    const payload = { query, variables: variables as Record<string, unknown> | null, operationName: operationName ?? null };
    return {
      subscribe: (sink: Sink) => {
        const unsubscribe = this.socket.subscribe<ExecutionResult['data']>(payload, {
          next: (result) => sink.next(result as ExecutionResult),
          error: (error) => sink.error(readable(error)),
          complete: () => sink.complete(),
        });
        return { unsubscribe };
      },
    } as Observable<ExecutionResult>;
  }
}

// GraphiQL learns of a new text a moment late: run at once, it still names the operation that stood there before.
function operationOf({ query, operationName }: FetcherParams): OperationDefinitionNode | null {
  try {
    const document = parse(query, { noLocation: true });
    return getOperationAST(document, operationName) ?? getOperationAST(document) ?? null;
  } catch {
    // The server says what is wrong with it.
    return null;
  }
}

async function answerOf(response: Response): Promise<ExecutionResult> {
  const text = await response.text();
  try {
    return JSON.parse(text) as ExecutionResult;
  } catch {
    throw failure(`HTTP_${response.status}`, text.slice(0, 300) || texts.notGraphQL);
  }
}

// GraphiQL prints the stack of an Error; a plain object it prints as it is.
function failure(code: string, message: string): object {
  return { message, extensions: { code } };
}

function readable(error: unknown): unknown {
  if (error instanceof CloseEvent) {
    return failure(`SOCKET_${error.code}`, [texts.socketClosed, error.reason].filter(Boolean).join(': '));
  }
  if (error instanceof Error) {
    const [problem] = problemsOf(error);
    return failure(problem?.code ?? 'PAGE_ERROR', error.message);
  }
  return error;
}
