/** Asks a server what a token may do. */
import { KNOWN_PARAM, RESOLVE_PATH, type ResolvedToken } from '../../lib/acl/resolving.ts';
import { ProconsulError } from '../../lib/errors.ts';
import { readResolvedToken } from '../servers/read-answers.ts';
import type { Upstream } from '../servers/upstream.ts';

/**
 * What a server says of the token. That one is too long for its ear, or no header, is such a word too:
 * whoever brings it must not be who counts where no server is there.
 */
const REFUSALS: ReadonlySet<number> = new Set([400, 403, 413, 414, 431]);

/** A request waits for it. */
const TIMEOUT_MS = 2000;

export function askOverHttp(upstream: Pick<Upstream, 'ask'>, node: string) {
  return async (token: string, known: string): Promise<ResolvedToken | undefined> => {
    const query = known === '' ? '' : `?${KNOWN_PARAM}=${encodeURIComponent(known)}`;
    const { status, body } = await upstream.ask({
      way: 'acl',
      method: 'GET',
      target: RESOLVE_PATH + query,
      key: `node:${node}`,
      token,
      timeoutMs: TIMEOUT_MS,
    });
    if (REFUSALS.has(status)) return undefined;
    if (status === 200) return read(body);
    const why = `a server does not say what a token may do: ${status}`;
    throw new ProconsulError(status === 429 ? 'busy' : 'unavailable', why);
  };
}

/** What is no answer says nothing of the token. */
function read(body: Buffer): ResolvedToken {
  try {
    return readResolvedToken(body);
  } catch (cause) {
    throw new ProconsulError('unavailable', 'what answers is no server', { cause });
  }
}
