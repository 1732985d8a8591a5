/** How many instances of a service are wanted: its entry and what was measured, brought to a number. */
import { EVERYTHING } from '../../lib/acl/rights.ts';
import type { Clock } from '../../lib/clock.ts';
import type { ConfigEntry } from '../../lib/config-entries/entry.ts';
import { SERVICE_SCALING } from '../../lib/config-entries/kinds/service-scaling.ts';
import { MAX_STILL_MS } from '../../lib/history.ts';
import { STEP_MS } from '../../lib/load.ts';
import type { Measured } from '../scale/measured.ts';
import { type Wanted, wantedOf } from '../scale/wanted.ts';
import type { State } from '../state/state.ts';
import { fold } from '../state/topic-names.ts';
import { Reader } from './reader.ts';

/** What time it is. Where this machine's clock is wrong, the log's is right but for the pause since its last entry. */
export function logNow({ t }: Pick<State, 't'>, clock: Pick<Clock, 'now'>): number {
  return Math.min(Math.max(t, clock.now()), t + MAX_STILL_MS);
}

/** `Wanted` stands at the top, where a scaler finds it by its name. */
export interface Scale extends Wanted {
  readonly Service: string;
  readonly Time: string;
  /** On nodes that have not failed. */
  readonly Instances: number;
  readonly Min: number;
  readonly Max: number;
}

/** Undefined where nobody has said how it is to be scaled. */
export function scaleOf(reader: Reader, service: string, now: number): Scale | undefined {
  const scaling = reader.config.scaling(service);
  if (scaling === undefined) return undefined;
  const { entry, measured, instances } = scaling;
  const { Name: Service, Min, Max } = entry;
  const wanted = wantedOf({ scaling: entry, measured, instances, now });
  return {
    Service,
    Time: new Date(now).toISOString(),
    ...{ Instances: instances.there, Min, Max },
    ...wanted,
  };
}

/** In one reading: statsd reads each second, and each takes some twenty microseconds. */
const MOST_ANEW = 200;

interface Reckoned {
  readonly entry: ConfigEntry;
  readonly measured: Measured | undefined;
  readonly step: number;
  readonly value: number;
}

/** How many are wanted of each service, as a metric: reckoned again once a step, and never all at once. */
export class WantedReadings {
  #known = new Map<string, Reckoned>();

  none(): readonly [] {
    this.#known.clear();
    return [];
  }

  of(state: State, now: number) {
    const reader = new Reader(state, EVERYTHING);
    const step = Math.floor(now / STEP_MS);
    const known = new Map<string, Reckoned>();
    let anew = 0;
    for (const entry of state.configEntries.ofKind(SERVICE_SCALING.kind)) {
      const { Name: service } = entry;
      const measured = state.measured.get(fold(service));
      const before = this.#known.get(service);
      const isSame =
        before?.step === step && before.entry === entry && before.measured === measured;
      if (before !== undefined && (isSame || anew++ >= MOST_ANEW)) {
        known.set(service, before);
        continue;
      }
      const value = scaleOf(reader, service, now)?.Wanted ?? 0;
      known.set(service, { entry, measured, step, value });
    }
    this.#known = known;
    return [...known].map(([service, { value }]) => ({ labels: { service }, value }));
  }
}
