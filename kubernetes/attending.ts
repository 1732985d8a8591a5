/** What whoever has the turn sees to beside its work: those that died, and that it is itself of use, and heard. */
import { type Clock, pause } from '../lib/clock.ts';
import { ProconsulError } from '../lib/errors.ts';
import type { Presence } from './presence.ts';
import { together } from './together.ts';

export const LOST = 'cannot read the cluster';
const SILENT = 'the catalog answers no beat: another may have the turn';
const LOOK_MS = 50;
const ASK_MS = 1000;
/** So often in a row, in less time than it is early: whoever stood still himself has an answer that he has not read. */
const MANY = 2;
/** So often in a row another must say that it is well: it may not have noticed yet what this one has. */
const SURE = 4;

/** Between two looks for those that died. */
const DEAD_MS = 30_000;

interface AttendingDeps {
  readonly presence: Pick<Presence, 'removeDead' | 'isAnotherWell' | 'isSilent'>;
  readonly clock: Clock;
  /** What it cannot read, or has not yet; '' where it knows all. */
  readonly fault: () => string;
}

/**
 * Rejects once the catalog may take this one for dead, whose turn is another's then; and once it cannot read what it needs, and
 * another can: where nobody can, to change turns would only cost time when it is back.
 */
export async function attend(deps: AttendingDeps, signal: AbortSignal): Promise<void> {
  const both = [untilSilent, untilAnotherIsWell, removeDead];
  await together(
    both.map((each) => (over: AbortSignal) => each(deps, over)),
    signal,
  );
}

/** What is written to the cluster has no fence as transactions have: it ends by what this one knows itself. */
async function untilSilent({ presence, clock }: AttendingDeps, signal: AbortSignal): Promise<void> {
  let silent = 0;
  while (!signal.aborted) {
    silent = presence.isSilent ? silent + 1 : 0;
    if (silent >= MANY) throw new ProconsulError('unavailable', SILENT);
    await pause(clock, LOOK_MS, signal);
  }
}

async function untilAnotherIsWell(
  { presence, clock, fault }: AttendingDeps,
  signal: AbortSignal,
): Promise<void> {
  let wellFor = 0;
  while (!signal.aborted) {
    const why = fault();
    if (why !== '') {
      wellFor = (await presence.isAnotherWell(signal)) ? wellFor + 1 : 0;
      if (wellFor >= SURE) throw new ProconsulError('unavailable', `${why}: another has the turn`);
      await pause(clock, ASK_MS, signal);
    } else {
      wellFor = 0;
      await pause(clock, LOOK_MS, signal);
    }
  }
}

/** At first whoever had the turn before; later those that wait for theirs. */
async function removeDead({ presence, clock }: AttendingDeps, signal: AbortSignal): Promise<void> {
  let dead: readonly string[] | undefined;
  while (!signal.aborted) {
    dead = await presence.removeDead(dead, signal);
    await pause(clock, DEAD_MS, signal);
  }
}
