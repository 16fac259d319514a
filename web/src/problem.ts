// Something that went wrong and that a person should read: the cabinet's own problems, and the network's in the same shape.
import type { Role } from './roles';
import { texts } from './texts';

export interface Problem {
  code: string;
  field: string | null;
  message: string;
  // The roles that are still held, where the one that acts is not.
  availableIn?: readonly Role[];
}

export class Refused extends Error {
  constructor(readonly problems: readonly Problem[]) {
    super(problems.map((problem) => problem.message).join(' '));
  }
}

export function unreachable(): Refused {
  return new Refused([{ code: 'UNREACHABLE', field: null, message: texts.unreachable }]);
}

export function problemsOf(error: unknown): readonly Problem[] {
  if (error instanceof Refused) return error.problems;
  return [{ code: 'PAGE_ERROR', field: null, message: String(error) }];
}
