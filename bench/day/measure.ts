/** One ordinary day: see main.ts for what is in it. */
import { type ChildProcess, fork } from 'node:child_process';
import path from 'node:path';
import { fill } from '../compare/fill.ts';
import type { Day, Order } from './load.ts';
import { type Place, placeFor, type Wanted } from './places.ts';

const SERVICES = 200;
const WARM_MS = 5000;

export interface MeasuredDay extends Day {
  /** Of a processor, by the server and by the agents. */
  readonly serverS: number;
  readonly agentsS: number;
}

export interface DayOptions extends Wanted {
  readonly forMs: number;
  /** How much of an ordinary day: a machine that is busy with other things does not keep up with all of it. */
  readonly share?: number;
}

/** Of a Consul or another build of Proconsul; undefined is this one. */
export async function measureDay(
  program: string | undefined,
  options: DayOptions,
): Promise<MeasuredDay> {
  const place = await placeFor(program, options);
  try {
    await fill(place.port, { services: SERVICES, instancesEach: 20, prefix: 'web' });
    return await spendDay(place, options);
  } finally {
    await place.end();
  }
}

/** At a place that knows all services. */
export async function spendDay(
  place: Pick<Place, 'asked' | 'used' | 'happens'>,
  options: DayOptions,
): Promise<MeasuredDay> {
  const { forMs, share = 1 } = options;
  // As it is: where nothing was answered there are no quantiles, which JSON cannot say.
  const load = fork(path.join(import.meta.dirname, 'load.ts'), { serialization: 'advanced' });
  try {
    const rates = { watchers: 2000 * share, readsPerS: 2000 * share, flipsPerS: 100 * share };
    const order: Order = {
      ...{ ports: place.asked, services: SERVICES, warmMs: WARM_MS, forMs },
      ...rates,
    };
    load.send(order);
    await told(load, 'measuring');
    const before = await place.used();
    const day = told<Day>(load, 'day');
    const ofThoseGone = await atTheHalf(place, options);
    const result = await day;
    const after = await place.used();
    return {
      ...result,
      serverS: ofThoseGone + after.serverS - before.serverS,
      agentsS: after.agentsS - before.agentsS,
    };
  } finally {
    load.kill('SIGKILL');
  }
}

async function atTheHalf(
  place: Pick<Place, 'happens'>,
  { during, forMs }: DayOptions,
): Promise<number> {
  if (during === '') return 0;
  await new Promise((resolve) => setTimeout(resolve, forMs / 2));
  return await place.happens();
}

function told<T>(child: ChildProcess, name: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const take = (message: Record<string, T>) => {
      if (!(name in message)) return;
      child.off('message', take);
      resolve(message[name] as T);
    };
    child.on('message', take);
    child.once('exit', () => reject(new Error('the load has ended')));
  });
}
