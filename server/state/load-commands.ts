/** What servers have heard of the load of services that are scaled: a row for each, which no query waits for. */
import {
  MAX_SCALED,
  SERVICE_SCALING,
  scalingOf,
} from '../../lib/config-entries/kinds/service-scaling.ts';
import { NS_PER_MS } from '../../lib/duration.ts';
import { STEP_MS } from '../../lib/load.ts';
import { SERF_HEALTH } from '../../lib/model.ts';
import type { LoadHeard } from '../commands.ts';
import { MAX_STEPS, type Measured, measuredSoFar } from '../scale/measured.ts';
import type { Instances } from '../scale/wanted.ts';
import type { Catalog } from './catalog.ts';
import { APPLIED, type Outcome } from './outcome.ts';
import type { State } from './state.ts';
import { fold } from './topic-names.ts';

/** Steps. */
const MAX_LATE = 4;
/** Services that are scaled, and as many that are not; some ten kilobytes each. */
const MAX_MEASURED = 2 * MAX_SCALED;

export function loadHeard(state: State, { step, loads }: LoadHeard): Outcome {
  const now = Math.floor(state.t / STEP_MS);
  // Of a server whose clock is wrong, or that could not write for long.
  if (step > now + 1 || step < now - MAX_LATE) return APPLIED;
  const { measured, catalog } = state;
  for (const [service, load] of loads) {
    const scaling = state.configEntries.entryOf(SERVICE_SCALING, service);
    const key = fold(service);
    const before = measured.get(key);
    if (scaling === undefined && (load.served === undefined || !hasRoom(state, before))) continue;
    const instances = instancesOf(catalog, service).living;
    const seasonMs = scaling === undefined ? 0 : scalingOf(scaling).Season / NS_PER_MS;
    measured.set(
      key,
      measuredSoFar(before ?? { service, steps: [] }, { step, load, instances, seasonMs }),
    );
  }
  return APPLIED;
}

/** For one that nobody scales: those of which nothing was told for longer than any window make room. */
function hasRoom(state: State, before: Measured | undefined): boolean {
  const { measured, configEntries } = state;
  if (before !== undefined || measured.size < MAX_MEASURED) return true;
  const oldest = Math.floor(state.t / STEP_MS) - MAX_STEPS;
  for (const { service, steps } of [...measured.values()]) {
    const isScaled = configEntries.entryOf(SERVICE_SCALING, service) !== undefined;
    if (!isScaled && (steps.at(-1)?.at ?? 0) < oldest) measured.delete(fold(service));
  }
  return measured.size < MAX_MEASURED;
}

/** An agent that is gone left its instances behind: nobody can start or stop those. */
export function instancesOf(catalog: Catalog, service: string): Instances {
  let [there, living] = [0, 0];
  for (const { Node, ID } of catalog.instancesOf(service)) {
    if (catalog.check(Node, SERF_HEALTH)?.Status === 'critical') continue;
    there++;
    const checksOf = catalog.checksOfEach(Node);
    const isCritical = [...checksOf(''), ...checksOf(ID)].some((c) => c.Status === 'critical');
    if (!isCritical) living++;
  }
  return { there, living };
}

/** Of a service that is scaled no more nothing is kept. */
export function forgetUnscaled({ measured, configEntries }: State): void {
  for (const { service } of [...measured.values()]) {
    if (configEntries.entryOf(SERVICE_SCALING, service) === undefined)
      measured.delete(fold(service));
  }
}
