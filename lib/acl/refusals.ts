/** Refusals of access control, in Consul's words: clients and tools match them. */
import { ProconsulError } from '../errors.ts';

export const PERMISSION_DENIED = 'Permission denied';

export function permissionDenied(): ProconsulError {
  return new ProconsulError('forbidden', PERMISSION_DENIED);
}

/** Where Consul says which right it is. */
export function missingRight(need: string, name: string): ProconsulError {
  return new ProconsulError('forbidden', `${PERMISSION_DENIED}: Missing ${need} on ${name}`);
}

/** Words that Consul keeps for itself: they were never tokens. */
const ROOTS: ReadonlySet<string> = new Set(['allow', 'deny', 'manage']);

export function isRoot(token: string): boolean {
  return ROOTS.has(token);
}

/** Whoever asks with such a word is refused, and never looked for. */
export function refuseRoot(token: string): void {
  if (isRoot(token)) throw new ProconsulError('rejected', 'Cannot resolve root ACL');
}

export const TOKEN_NOT_FOUND = 'ACL not found';

/** Whoever brings a token that nobody knows is not taken for one who brings none. */
export function tokenNotFound(): ProconsulError {
  return new ProconsulError('forbidden', TOKEN_NOT_FOUND);
}
