/**
 * What the catalog has of the node, as it is watched: whoever else writes there is seen. What this program
 * writes itself is counted at once, and not only when the watch brings it.
 */
import { type Clock, pause } from '../../lib/clock.ts';
import { messageOf, ProconsulError } from '../../lib/errors.ts';
import type { Random } from '../../lib/random.ts';
import { retryMs } from '../../lib/retries.ts';
import { within } from '../../lib/within.ts';
import { objectIn, objectsIn, type Said, textIn } from '../api/shapes.ts';
import { type Catalog, type CatalogAnswer, MAX_LOOK_MS, waitingFrom } from '../catalog.ts';
import { OWNER_META, SOURCE, SOURCE_META } from '../ours.ts';
import type { WantedCheck, WantedInstance } from './instances.ts';

/** The whole node is read at once: after own writes no sooner than this. */
const PACE_MS = 2000;

export interface RegisteredRow {
  /** With its ModifyIndex: nothing is written over what is newer than what is known. */
  readonly service: Said;
  readonly checks: ReadonlyMap<string, Said>;
}

export interface RegisteredDeps {
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly random: Pick<Random, 'next'>;
}

export interface RegisteredEvents {
  /** The catalog was read. */
  readonly read: () => void;
  readonly lost: (why: string) => void;
}

export class Registered {
  readonly #deps: RegisteredDeps;
  readonly #path: string;
  readonly #on: RegisteredEvents;
  #rows = new Map<string, RegisteredRow>();
  #isKnown = false;
  /** Writes that were begun, and those that are under way. */
  #begun = 0;
  #underWay = 0;

  constructor(deps: RegisteredDeps, node: string, on: RegisteredEvents) {
    this.#deps = deps;
    this.#path = `/v1/internal/ui/node/${encodeURIComponent(node)}`;
    this.#on = on;
  }

  /** Before, nobody knows what is there already. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  get(id: string): RegisteredRow | undefined {
    return this.#rows.get(id);
  }

  ids(): Iterable<string> {
    return this.#rows.keys();
  }

  /** What is read meanwhile may be of before or after it, and does not count. */
  async writing<T>(write: () => Promise<T>): Promise<T> {
    this.#begun++;
    this.#underWay++;
    try {
      return await write();
    } finally {
      this.#underWay--;
    }
  }

  /** The catalog has taken it; its index is as before where the instance itself was not written. */
  wrote(id: string, instance: WantedInstance | undefined, index: unknown): void {
    const ModifyIndex = index ?? this.#rows.get(id)?.service['ModifyIndex'];
    if (instance === undefined) this.#rows.delete(id);
    else this.#rows.set(id, rowOf(instance, ModifyIndex));
  }

  /** Resolves when the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#deps;
    let [index, failures] = ['', 0];
    while (!signal.aborted) {
      try {
        const next = await this.#read(index, signal);
        failures = 0;
        // An index that stands still, or goes back, is no reason to ask without end.
        const isNews = isAfter(next, index);
        index = isNews ? next : '';
        await pause(clock, isNews ? PACE_MS / 20 : PACE_MS, signal);
      } catch (error) {
        if (!(error instanceof ProconsulError)) throw error;
        if (signal.aborted) return;
        index = '';
        this.#on.lost(messageOf(error));
        await pause(clock, retryMs(Math.min(++failures, 2), random), signal);
      }
    }
  }

  /** The index to wait at, or '' where what was read does not count. */
  async #read(index: string, signal: AbortSignal): Promise<string> {
    const begun = this.#begun;
    const seen = await this.#look(index, signal);
    if (signal.aborted || begun !== this.#begun || this.#underWay > 0) return '';
    this.#take(seen.json);
    return seen.index;
  }

  #look(index: string, signal: AbortSignal): Promise<CatalogAnswer> {
    const { catalog, clock } = this.#deps;
    const query = waitingFrom(index);
    const request = { method: 'GET', path: this.#path, query, accept: [404] } as const;
    return within(clock, MAX_LOOK_MS, signal, (either) => catalog.ask(request, either));
  }

  /** A node that is not there has nothing. */
  #take(json: unknown): void {
    const node = objectIn(json);
    const checks = new Map<string, Map<string, Said>>();
    for (const check of objectsIn(node['Checks'])) {
      const id = textIn(check['ServiceID']);
      const of = checks.get(id) ?? new Map<string, Said>();
      checks.set(id, of.set(textIn(check['CheckID']), check));
    }
    this.#rows = new Map(
      objectsIn(node['Services']).map((service) => {
        const id = textIn(service['ID']);
        return [id, { service, checks: checks.get(id) ?? new Map() }];
      }),
    );
    this.#isKnown = true;
    this.#on.read();
  }
}

function isAfter(index: string, than: string): boolean {
  if (!/^\d{1,20}$/.test(index)) return false;
  return than === '' || BigInt(index) > BigInt(than);
}

function rowOf({ service, checks }: WantedInstance, ModifyIndex: unknown): RegisteredRow {
  const rows = checks.map((check: WantedCheck): [string, Said] => [check.CheckID, { ...check }]);
  return { service: { ...service, ModifyIndex }, checks: new Map(rows) };
}

/** Whose a row is: ours, of a consul-k8s before us that is taken over, or somebody else's. */
export function ownerOf({ service }: RegisteredRow): string {
  const meta = objectIn(service['Meta']);
  const owner = textIn(meta[OWNER_META]);
  if (owner !== '') return owner;
  return meta[SOURCE_META] === SOURCE ? '' : 'nobody that marks it';
}
