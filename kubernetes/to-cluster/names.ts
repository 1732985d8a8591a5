/** The names of all services that the catalog has: there may be very many, and of each no more is kept than what counts. */
import { type Clock, pause } from '../../lib/clock.ts';
import { ProconsulError } from '../../lib/errors.ts';
import type { Agent } from '../../sidecar/follow.ts';
import { objectIn } from '../api/shapes.ts';
import { type Catalog, plainJson, WAIT } from '../catalog.ts';
import { type BackRules, mayBeBrought } from './rules.ts';

export const NAMES = '/v1/catalog/services';
/**
 * Some hundred thousand names. More would find room, but to look through them at each change of any name takes seconds, in which
 * no beat goes out.
 */
const MAX_NAMES_BYTES = 16 * 1024 * 1024;
/** Between two answers, of which each change of any name makes one: ten megabytes no more than once a second. */
const PACE_OF_CHAR_MS = 1 / 10_000;
/** Shorter ones come as they are. */
const FEW_CHARS = 1024 * 1024;
/** So many are looked at in one turn of the event loop. */
const MAX_LOOKS = 20_000;

/** Those that may be brought, and whether any instance of each has the tag of what came from the cluster. */
export type Names = ReadonlyMap<string, boolean>;

/** Asks for all of them: the answer is Names. */
export function namesFrom(
  { catalog, clock }: { readonly catalog: Catalog; readonly clock: Clock },
  rules: BackRules,
  maxBytes = MAX_NAMES_BYTES,
): (
  ...asked: Parameters<Agent['ask']>
) => Promise<{ readonly index: string; readonly json: Names }> {
  let chars = 0;
  return async ({ query }, signal) => {
    if (chars > FEW_CHARS) await pause(clock, chars * PACE_OF_CHAR_MS, signal);
    const waiting = [...query, ['wait', WAIT] as const];
    const request = { method: 'GET', path: NAMES, query: waiting, maxBytes } as const;
    try {
      const { index, text, json } = await catalog.ask(request, signal);
      chars = text.length;
      return { index, json: await namesIn(text === '' ? json : plainJson(text), rules) };
    } catch (error) {
      if (!(error instanceof ProconsulError) || error.code !== 'too-large') throw error;
      const why = `the names of all services are over ${maxBytes} bytes`;
      throw new ProconsulError('too-large', why, { cause: error });
    }
  };
}

/** Rejects with a ProconsulError where there are none: what is not named there would be deleted. */
async function namesIn(json: unknown, rules: BackRules): Promise<Names> {
  const all = objectIn(json);
  const none = () => new ProconsulError('unavailable', `${NAMES}: the answer has no services`);
  if (all !== json) throw none();
  const names = new Map<string, boolean>();
  let looks = 0;
  for (const name of Object.keys(all)) {
    if (++looks % MAX_LOOKS === 0) await new Promise<void>((resolve) => setImmediate(resolve));
    const tags = all[name];
    if (!Array.isArray(tags)) throw none();
    if (mayBeBrought(name, rules)) names.set(name, tags.includes(rules.tag));
  }
  return names;
}
