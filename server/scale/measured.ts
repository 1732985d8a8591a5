/** What is measured of a service that is scaled: by steps of half a minute. */
import { type ServiceLoad, STEP_MS, sumOf } from '../../lib/load.ts';
import { noted, type Season } from './season.ts';

/** Half an hour: more than the longest FallAfter. */
export const MAX_STEPS = 60;

/** What came in within one step, from whichever server. */
export interface Step {
  /** How many there were before it since 1970. */
  readonly at: number;
  readonly load: ServiceLoad;
  /** That were not critical: whatever tells something lives besides, see `livedIn`. */
  readonly instances: number;
}

/**
 * How many lived. One that is critical may be hard at work, or be no more and have left its row behind: it
 * lives where it tells something.
 */
export function livedIn({ instances, load }: Pick<Step, 'instances' | 'load'>): number {
  return Math.max(instances, load.told, load.counted);
}

/** A row of the state: of one service, that is scaled or of which it is told what it answered. Immutable, as all rows. */
export interface Measured {
  readonly service: string;
  /** The oldest first; the last may still grow. */
  readonly steps: readonly Step[];
  /** Where it is predicted: in instances that are used whole, and in requests a second. */
  readonly cpu?: Season;
  readonly requests?: Season;
}

export interface Heard {
  readonly step: number;
  readonly load: ServiceLoad;
  readonly instances: number;
  /** In milliseconds; 0 where nothing is predicted. */
  readonly seasonMs: number;
}

export function measuredSoFar(
  before: Measured,
  { step: at, load, instances, seasonMs }: Heard,
): Measured {
  const last = before.steps.at(-1);
  if (last !== undefined && last.at >= at)
    return { ...before, steps: added(before.steps, at, load) };
  const steps = [...before.steps, { at, load, instances }].slice(-MAX_STEPS);
  const { service, cpu, requests } = before;
  if (seasonMs === 0) return { service, steps };
  // The step that is over counts for its own time.
  const seen = last && demandOf(last);
  const noting = { seasonMs, t: (last?.at ?? at) * STEP_MS };
  return {
    service,
    steps,
    cpu: noted(cpu, { ...noting, value: seen?.cpu }),
    requests: noted(requests, { ...noting, value: seen?.requests }),
  };
}

/** To a step that is known: another server has heard of other instances in it, or is late. */
function added(steps: readonly Step[], at: number, load: ServiceLoad): readonly Step[] {
  return steps.map((each) => (each.at === at ? { ...each, load: sumOf(each.load, load) } : each));
}

/** As if the living that tell nothing were as the others are. Undefined of what nobody told. */
function demandOf(step: Step) {
  const { ms, cpuMs, requestMs, requests } = step.load;
  const instances = livedIn(step);
  return {
    cpu: ms > 0 ? (cpuMs / ms) * instances : undefined,
    requests: requestMs > 0 ? (requests / requestMs) * 1000 * instances : undefined,
  };
}
