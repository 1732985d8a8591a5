/**
 * Which hosts are near, by the coordinates that agents measure. They are followed once for all that a process calls,
 * and looked at once in a while: they change slowly, and are as many as there are nodes.
 */
import type { Endpoint } from '../lib/balance/host.ts';
import { pause } from '../lib/clock.ts';
import type { Coordinate } from '../lib/model.ts';
import { coordinateIn, distanceS } from '../lib/place.ts';
import { retryMs } from '../lib/retries.ts';
import { nodeOf } from './endpoints.ts';
import { type Agent, type Loss, lossOf } from './follow.ts';
import { listIn, objectIn, textIn } from './said.ts';

/** From one look to the next, however many nodes move. */
const LOOKS_MS = 60_000;
/** Whose error is larger has measured nothing yet. */
const UNSURE = 1;
/** Who was near stays so until it is that much farther: places jitter. */
const STAYS = 1.25;

export interface NearRules {
  /** A round trip may take so much longer than to the nearest of all. */
  readonly withinMs: number;
  /** With fewer of those all are alike: they would bear the calls of everybody near. */
  readonly minHosts: number;
}

/** Of the hosts of one target. */
export interface Near {
  /** Those that are not near come a level after those that are; as they were, where nothing is known. */
  levelled(endpoints: readonly Endpoint[]): readonly Endpoint[];
  /** Tells, until the signal is aborted, that it may be otherwise now. */
  onChange(tell: () => void, signal: AbortSignal): void;
}

interface Known {
  readonly node: string;
  readonly places: ReadonlyMap<string, Coordinate>;
}

export class Nearness {
  readonly #agent: Agent;
  readonly #lost: (loss: Loss) => void;
  readonly #listeners = new Set<() => void>();
  #known: Known = { node: '', places: new Map() };

  /** `lost` hears why nothing new is known; what was known goes on to count. */
  constructor(agent: Agent, lost: (loss: Loss) => void) {
    this.#agent = agent;
    this.#lost = lost;
  }

  /** Resolves when the signal is aborted. */
  async follow(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#agent;
    let [node, index, failures] = ['', '', 0];
    while (!signal.aborted) {
      try {
        node ||= await this.#ownNode(signal);
        index = await this.#look(node, index, signal);
        failures = 0;
        await pause(clock, LOOKS_MS, signal);
      } catch (error) {
        if (signal.aborted) return;
        index = '';
        this.#lost(lossOf(error, ++failures));
        await pause(clock, retryMs(failures, random), signal);
      }
    }
  }

  /** For one target: it remembers who was near. */
  of({ withinMs, minHosts }: NearRules): Near {
    let near: ReadonlySet<string> = new Set();
    return {
      levelled: (endpoints) => {
        const distances = this.#distancesTo(endpoints);
        // The nearest of all may be down: then those are near that are next to it.
        const called = endpoints.filter(({ health }) => health === 'healthy');
        const from = called.flatMap(({ id }) => distances.get(id) ?? []);
        const within = Math.min(...from) + withinMs;
        const isNear = ({ id }: Endpoint) =>
          (distances.get(id) ?? Number.POSITIVE_INFINITY) <=
          (near.has(id) ? within + withinMs * (STAYS - 1) : within);
        const found = endpoints.filter(isNear);
        near = new Set(found.map(({ id }) => id));
        if (found.filter(({ health }) => health !== 'draining').length < minHosts) return endpoints;
        return endpoints.map((each) =>
          near.has(each.id) ? each : { ...each, priority: each.priority + 1 },
        );
      },
      onChange: (tell, signal) => {
        this.#listeners.add(tell);
        signal.addEventListener('abort', () => this.#listeners.delete(tell), { once: true });
      },
    };
  }

  /** By id, of those that are known. */
  #distancesTo(endpoints: readonly Endpoint[]): ReadonlyMap<string, number> {
    const { node, places } = this.#known;
    const own = places.get(node);
    const distances = new Map<string, number>();
    if (own === undefined || own.Error >= UNSURE) return distances;
    for (const { id } of endpoints) {
      const on = nodeOf(id);
      const place = places.get(on);
      if (on === node) distances.set(id, 0);
      else if (place !== undefined && place.Error < UNSURE) {
        distances.set(id, 1000 * distanceS(own, place));
      }
    }
    return distances;
  }

  async #ownNode(signal: AbortSignal): Promise<string> {
    const self = { path: '/v1/agent/self', query: [] } as const;
    const { json } = await this.#agent.ask(self, signal);
    return textIn(objectIn(objectIn(json)['Config'])['NodeName']);
  }

  async #look(node: string, seen: string, signal: AbortSignal): Promise<string> {
    const query = seen === '' ? [] : [['index', seen] as const];
    const question = { path: '/v1/coordinate/nodes', query };
    const { json, index } = await this.#agent.ask(question, signal);
    const places = new Map<string, Coordinate>();
    for (const each of listIn(json)) {
      const place = coordinateIn(each['Coord']);
      if (place !== undefined && textIn(each['Segment']) === '')
        places.set(textIn(each['Node']), place);
    }
    this.#known = { node, places };
    for (const tell of this.#listeners) tell();
    // One that went back, or is none, is of another server: all is asked anew.
    return /^\d{1,20}$/.test(index) && BigInt(index) >= BigInt(seen || 0) ? index : '';
  }
}
