/** How many instances of a service are wanted: its entry and what was measured, brought to a number. */
import type { Clock } from '../../lib/clock.ts';
import { MAX_STILL_MS } from '../../lib/history.ts';
import { type Wanted, wantedOf } from '../scale/wanted.ts';
import type { State } from '../state/state.ts';
import type { Reader } from './reader.ts';

/** What time it is. Where this machine's clock is wrong, the log's is right but for the pause since its last entry. */
export function logNow({ t }: Pick<State, 't'>, clock: Pick<Clock, 'now'>): number {
  return Math.min(Math.max(t, clock.now()), t + MAX_STILL_MS);
}

/** `Wanted` stands at the top, where a scaler finds it by its name. */
export interface Scale extends Wanted {
  readonly Service: string;
  readonly Time: string;
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
    ...{ Instances: instances, Min, Max },
    ...wanted,
  };
}
