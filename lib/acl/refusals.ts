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

export const TOKEN_NOT_FOUND = 'ACL not found';

/** Whoever brings a token that nobody knows is not taken for one who brings none. */
export function tokenNotFound(): ProconsulError {
  return new ProconsulError('forbidden', TOKEN_NOT_FOUND);
}
