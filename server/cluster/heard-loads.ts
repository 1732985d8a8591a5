/**
 * What agents tell this server of the load of services. It is added up, and written once in
 * a while, whatever number of agents there are; what several servers have written adds up in the state.
 */
import type { Cancel, Clock } from '../../lib/clock.ts';
import { SERVICE_SCALING, scalingOf } from '../../lib/config-entries/kinds/service-scaling.ts';
import { describeChain } from '../../lib/errors.ts';
import {
  type InstanceLoad,
  type LoadReport,
  MAX_LOAD_MS,
  MIN_LOAD_MS,
  NO_LOAD,
  type ServiceLoad,
  STEP_MS,
  sumOf,
} from '../../lib/load.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Command } from '../commands.ts';
import type { Outcome } from '../state/outcome.ts';
import type { State } from '../state/state.ts';
import { fold, rowKey } from '../state/topic-names.ts';
import { LogTime } from './log-time.ts';

/** Services in one entry: the instances of each are counted while it is applied. */
const AT_ONCE = 100;
/**
 * So many times what is aimed at is believed of one instance. It is more than any can do, so that more of
 * them come as fast as they may; and what one that lies says is worth so many, now and as it is predicted.
 */
const MOST_TIMES = 10;

export interface HeardLoadsDeps {
  readonly state: () => State;
  readonly propose: (command: Command) => Promise<Outcome>;
  readonly clock: Pick<Clock, 'after' | 'monotonic'>;
  readonly logger: Logger;
}

/** Within the step that goes on. */
interface Hearing {
  load: ServiceLoad;
  /** By instance, the time over which something was told. */
  readonly told: Map<string, number>;
  readonly counted: Map<string, number>;
}

export class HeardLoads {
  readonly #deps: HeardLoadsDeps;
  /** By folded name. There are no more than services. */
  #hearings = new Map<string, Hearing>();
  readonly #logTime: LogTime;
  #cancel: Cancel | undefined;
  #stopped = false;
  /** How often an agent has told something. */
  reports = 0;

  constructor(deps: HeardLoadsDeps) {
    this.#deps = deps;
    this.#logTime = new LogTime(deps.clock);
  }

  /** Whoever reports may be the node; what is on it, the catalog says. */
  take({ Node, Instances }: Pick<LoadReport, 'Node' | 'Instances'>): void {
    const { catalog, configEntries } = this.#deps.state();
    this.reports++;
    for (const each of Instances) {
      const instance = catalog.instance(Node, each.ServiceID);
      if (instance === undefined) continue;
      const scaling = configEntries.entryOf(SERVICE_SCALING, instance.Service);
      // What it answered is kept of every service, and what it uses only where somebody asks for it.
      if (scaling === undefined && each.RequestMs === 0) continue;
      const aim = scaling === undefined ? 0 : scalingOf(scaling).RequestsPerSecond;
      const most = (MOST_TIMES * aim * each.RequestMs) / 1000;
      this.#hear(fold(instance.Service), rowKey(Node, each.ServiceID), each, most);
    }
    this.#arm();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  /** Of its requests `most` count for the scale. */
  #hear(service: string, instance: string, load: InstanceLoad, most: number): void {
    const nothing = { load: NO_LOAD, told: new Map(), counted: new Map() };
    const hearing = this.#hearings.get(service) ?? nothing;
    this.#hearings.set(service, hearing);
    const ms = taken(hearing.told, instance, load.Ms);
    const requestMs = taken(hearing.counted, instance, load.RequestMs);
    const { Requests, Errors: errors = 0, Latency: latency = [] } = load;
    const requests = requestMs > 0 ? Math.min(Requests, most) : 0;
    const served =
      requestMs > 0
        ? { requests: Requests, errors: Math.min(errors, Requests), latency }
        : undefined;
    const memoryOver = Math.min(ms, load.MemoryMs ?? ms);
    const cpuMs = load.CPU * ms;
    const heard = { ms, cpuMs, memoryMs: load.Memory * memoryOver, memoryOver };
    hearing.load = sumOf(hearing.load, {
      ...{ ...NO_LOAD, ...heard, requestMs, requests },
      ...(served && { served }),
    });
  }

  /** All servers write at the end of a step, by the log's time: a server's own clock may be wrong. */
  #arm(): void {
    const now = this.#logTime.now(this.#deps.state());
    if (this.#hearings.size === 0 || this.#stopped || this.#cancel !== undefined) return;
    const step = Math.floor(now / STEP_MS);
    const wait = (step + 1) * STEP_MS - now;
    this.#cancel = this.#deps.clock.after(wait, () => void this.#write(step));
  }

  /** What cannot be written is lost: by the time that it could be, it would be of no use. */
  async #write(step: number): Promise<void> {
    const { propose, logger } = this.#deps;
    this.#cancel = undefined;
    const loads = [...this.#hearings].map(([service, { load, told, counted }]) => {
      const instances = { told: told.size, counted: counted.size };
      return [service, { ...load, ...instances }] as const;
    });
    this.#hearings = new Map();
    try {
      for (let at = 0; at < loads.length; at += AT_ONCE) {
        await propose({ type: 'load-heard', step, loads: loads.slice(at, at + AT_ONCE) });
      }
    } catch (error) {
      logger.debug(`scale: the load is not written: ${describeChain(error)}`);
    }
  }
}

/**
 * Of the time over which an instance tells something, what counts. Whoever says the same again and again would
 * else be heard above all the others, and something over no time is no rate.
 */
function taken(sofar: Map<string, number>, instance: string, ms: number): number {
  const all = (sofar.get(instance) ?? 0) + ms;
  if (ms < MIN_LOAD_MS || all > MAX_LOAD_MS) return 0;
  sofar.set(instance, all);
  return ms;
}
