/**
 * A service that is scaled, without a machine: what it is asked for is shared by the instances that run, which
 * tell each quarter of a minute, and somebody starts and stops instances as is wanted. One that is started is
 * registered at once, and takes a while until it works and tells.
 */
import type { ServiceScaling } from '../../../lib/config-entries/kinds/service-scaling.ts';
import { LOOK_MS, NO_LOAD, STEP_MS, sumOf } from '../../../lib/load.ts';
import type { Random } from '../../../lib/random.ts';
import { type Measured, measuredSoFar } from '../../../server/scale/measured.ts';
import { type Wanted, wantedOf } from '../../../server/scale/wanted.ts';

const HOUR = 3_600_000;

export interface Service {
  readonly scaling: ServiceScaling;
  readonly random: Random;
  /** What it takes, in instances that are used whole. */
  readonly demand: (t: number) => number;
  readonly startsInMs: number;
  /** How far a moment is from its mean, at most. */
  readonly noise: number;
  readonly seasonMs?: number;
  /** Where its check is critical until it works; else it passes from the beginning. */
  readonly beginsCritical?: boolean;
  /** Who starts and stops instances, each quarter of a minute; without one as many as are wanted, each half. */
  readonly scaler?: (t: number, instances: number, wanted: number) => number;
  /** How likely one of them ends within half a minute, and leaves its row behind, critical. */
  readonly dying?: number;
}

/** How it stood at one look. */
export interface Look {
  readonly t: number;
  readonly demand: number;
  /** That somebody has started, without the rows that others left behind. */
  readonly instances: number;
  /** Of what the running ones may use. */
  readonly share: number;
  readonly wanted: Wanted;
}

export function runScaled(service: Service, hours: number, instances: number): Look[] {
  const { scaling, random, demand, startsInMs, noise, beginsCritical, dying = 0 } = service;
  const tellings = new Tellings(service);
  const starts: number[] = Array.from({ length: instances }, () => Number.NEGATIVE_INFINITY);
  const looks: Look[] = [];
  let left = 0;
  for (let t = 0; t < hours * HOUR; t += LOOK_MS) {
    const running = starts.filter((start) => t - start >= startsInMs).length;
    const now = demand(t) * (1 + noise * (2 * random.next() - 1));
    const share = running === 0 ? 0 : Math.min(1, now / running);
    const { length } = starts;
    const living = beginsCritical ? running : length;
    const measured = tellings.told({ t, running, share, instances: living });
    const instances = { there: length + left, living };
    const wanted = wantedOf({ scaling, measured, instances, now: t });
    looks.push({ t, demand: demand(t), instances: length, share, wanted });
    if (service.scaler !== undefined) resize(starts, t, service.scaler(t, length, wanted.Wanted));
    if (t % STEP_MS !== 0) continue;
    if (dying > 0 && random.next() < dying && starts.length > 0) {
      starts.shift();
      left++;
    }
    if (service.scaler === undefined) resize(starts, t, wanted.Wanted);
  }
  return looks;
}

function resize(starts: number[], t: number, count: number): void {
  while (starts.length < count) starts.push(t);
  starts.splice(count);
}

interface Now {
  readonly t: number;
  readonly running: number;
  readonly share: number;
  readonly instances: number;
}

/** What a server makes of it. Now and then it cannot write, or does not hear an agent. */
class Tellings {
  readonly #service: Service;
  #measured: Measured = { service: 'web', steps: [] };
  #heard = NO_LOAD;

  constructor(service: Service) {
    this.#service = service;
  }

  told({ t, running, share, instances }: Now): Measured {
    const { random, seasonMs = 0 } = this.#service;
    const ms = running * LOOK_MS;
    this.#heard = sumOf(this.#heard, { ...NO_LOAD, ms, cpuMs: share * ms });
    if ((t + LOOK_MS) % STEP_MS !== 0) return this.#measured;
    const load = { ...this.#heard, told: running - Number(running > 1 && random.next() < 0.1) };
    const heard = { step: Math.floor(t / STEP_MS), load, instances, seasonMs };
    if (random.next() > 0.02) this.#measured = measuredSoFar(this.#measured, heard);
    this.#heard = NO_LOAD;
    return this.#measured;
  }
}
