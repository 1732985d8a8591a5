/** Tells a target several notices at once; of those that it refuses, it finds out which. */
import { ProconsulError } from '../../lib/errors.ts';
import type { Notice } from './notice.ts';

/** More refusals than it takes to find two bad ones among a hundred: beyond that all may be refused. */
const MAX_REFUSALS = 16;
/** Of these codes 'invalid' alone is sure: see Deliver. */
const REFUSALS: ReadonlySet<string> = new Set(['rejected', 'invalid']);

/** Of what is in neither list nobody knows whether it was taken; `failure` says why. */
export interface Told {
  readonly taken: readonly Notice[];
  readonly refused: readonly (readonly [notice: Notice, why: ProconsulError])[];
  /** What was refused was not taken for all that: each answer said so for sure. */
  readonly isSure: boolean;
  readonly failure: unknown;
}

/** One that a target never takes must not hold up the others, so halves are told for themselves. */
export async function tellEach(
  notices: readonly Notice[],
  deliver: (notices: readonly Notice[]) => Promise<void>,
): Promise<Told> {
  const taken: Notice[] = [];
  const refused: [Notice, ProconsulError][] = [];
  const left = notices.length === 0 ? [] : [notices];
  let refusals = 0;
  let isSure = true;
  for (let part = left.pop(); part !== undefined; part = left.pop()) {
    const why = await deliver(part).then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    if (why === undefined) {
      taken.push(...part);
      continue;
    }
    const { error } = why;
    const isRefusal = error instanceof ProconsulError && REFUSALS.has(error.code);
    if (!isRefusal || ++refusals > MAX_REFUSALS) return { taken, refused, isSure, failure: error };
    isSure &&= error.code === 'invalid';
    const [first] = part;
    const half = part.length >> 1;
    if (half === 0 && first !== undefined) refused.push([first, error]);
    else left.push(part.slice(half), part.slice(0, half));
  }
  return { taken, refused, isSure, failure: undefined };
}
