/**
 * What a caller may do about a failure:
 * - invalid: the request itself is wrong; sent again it fails again.
 * - rejected: understood and refused. Consul answers these with 500, and clients match the text.
 * - too-large, too-slow, busy: over a limit.
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
  | 'too-slow'
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

/** Whether it is for want of a right, which a token that is made or changed may give. */
export function isForbidden(error: unknown): boolean {
  return error instanceof ProconsulError && error.code === 'forbidden';
}

/** Patroni and Go's lock retry on exactly this text behind a 500. */
export const NO_LEADER = 'No cluster leader';

export function noLeader(cause?: unknown): ProconsulError {
  return new ProconsulError('unavailable', NO_LEADER, { cause });
}

/** Nobody is told: it ends what was done for him. */
export function gone(): ProconsulError {
  return new ProconsulError('unavailable', 'whoever asked has gone');
}

/** In words what was thrown, which may be anything. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

const MAX_CAUSES = 8;

/** Whether it or one of its causes is of this code of the system's. */
export function hasCode(error: unknown, code: string): boolean {
  let at: unknown = error;
  for (let depth = 0; at instanceof Error && depth < MAX_CAUSES; depth++, at = at.cause)
    if ((at as { readonly code?: unknown }).code === code) return true;
  return false;
}

/**
 * An error and all its causes in one line, for the logger; never for a client. A cause that is told
 * already, because it is in Consul's words of the whole, is not told again.
 */
export function describeChain(error: unknown): string {
  const texts: string[] = [];
  let at: unknown = error;
  for (let depth = 0; at !== undefined && depth < MAX_CAUSES; depth++) {
    const text = messageOf(at);
    if (text !== '' && !texts.some((before) => tells(before, text))) texts.push(text);
    at = at instanceof Error ? at.cause : undefined;
  }
  return texts.join(': ');
}

/** As a cause and a whole: a cause of one word may be a part of anything that was said before it. */
function tells(text: string, cause: string): boolean {
  if (text === cause) return true;
  for (let from = text.indexOf(cause); from >= 0; from = text.indexOf(cause, from + 1)) {
    const before = text.slice(Math.max(0, from - 2), from);
    const after = text.slice(from + cause.length);
    if (/^[:.;*] $/.test(before) && /^(?:$|[\n;:])/.test(after)) return true;
  }
  return false;
}
