/**
 * What a caller may do about a failure:
 * - invalid: the request itself is wrong; sent again it fails again.
 * - rejected: understood and refused. Consul answers these with 500, and clients match the text.
 * - too-large, busy: over a limit.
 * - unavailable: certainly not done; may be tried again.
 * - unknown: a write that may or may not have happened.
 */
export type ErrorCode =
  | 'invalid'
  | 'rejected'
  | 'unauthorized'
  | 'forbidden'
  | 'not-found'
  | 'too-large'
  | 'busy'
  | 'unavailable'
  | 'unknown'
  | 'internal';

/** The only error class that Proconsul throws on purpose. Its message never repeats its cause's. */
export class ProconsulError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'ProconsulError';
    this.code = code;
  }
}

/** Patroni and Go's lock retry on exactly this text behind a 500. */
export const NO_LEADER = 'No cluster leader';

export function noLeader(cause?: unknown): ProconsulError {
  return new ProconsulError('unavailable', NO_LEADER, { cause });
}

/** An error and all its causes in one line, for the logger; never for a client. */
export function describeChain(error: unknown): string {
  const parts: string[] = [];
  for (let at: unknown = error; at !== undefined && parts.length < 8; ) {
    parts.push(at instanceof Error ? at.message : String(at));
    at = at instanceof Error ? at.cause : undefined;
  }
  return parts.join(': ');
}
