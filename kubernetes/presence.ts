/**
 * This process as an instance in the catalog, with a check that it has to renew each moment: a sync that is dead
 * shows as such, and the lock that rests on the check goes to the next one.
 */
import { type Clock, pause } from '../lib/clock.ts';
import { formatDuration, NS_PER_MS } from '../lib/duration.ts';
import { messageOf, ProconsulError } from '../lib/errors.ts';
import type { Logger } from '../lib/logger.ts';
import { Notices } from '../lib/notices.ts';
import { within } from '../lib/within.ts';
import { objectIn, objectsIn, textIn } from './api/shapes.ts';
import type { Catalog } from './catalog.ts';
import { DEFAULT_OWNER, SOURCE, SOURCE_META, SYNC_SERVICE } from './ours.ts';

/** Of a node without an agent, whose address says nothing: so consul-k8s has it. */
const ADDRESS = '127.0.0.1';
/** Whose sync it is; not the mark of what came from a cluster, which this is not. */
const FOR_META = 'k8s-sync-for';
const BEATS = 4;
const RETRY_MS = 500;
/** So much sooner than the catalog counts it: whoever looks has to see it in time. */
const EARLY_MS = 100;

export interface Identity {
  /** The node that all instances are on. */
  readonly node: string;
  readonly owner: string;
  /** Of this process among others of the same owner. */
  readonly instance: string;
  readonly leaseMs: number;
}

export interface PresenceDeps {
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly logger: Logger;
}

export class Presence {
  readonly #deps: PresenceDeps;
  readonly #self: Identity;
  readonly #doubt: () => string;
  readonly #notices: Notices;
  #isThere = false;
  /** When the last beat of those that were answered was sent, by the clock that never goes back. */
  #heardAt = Number.NEGATIVE_INFINITY;
  /** The catalog is being told anew, and when it was. */
  #telling: Promise<void> | undefined;
  #toldAt = Number.NEGATIVE_INFINITY;

  /** `doubt` says why this one is of no use though it lives; '' where it is. */
  constructor(deps: PresenceDeps, self: Identity, doubt: () => string) {
    this.#deps = deps;
    this.#self = self;
    this.#doubt = doubt;
    this.#notices = new Notices((text) => deps.logger.warn(`k8s: ${text}`));
  }

  /** The catalog has it, and has heard of it lately. */
  get isThere(): boolean {
    return this.#isThere;
  }

  /** No beat was answered for so long that the catalog may take it for dead: what rests on its check is over. */
  get isSilent(): boolean {
    return this.#deps.clock.monotonic() - this.#heardAt >= this.#self.leaseMs - EARLY_MS;
  }

  /** Two of one host and node may be of two owners. */
  get id(): string {
    const { owner, instance } = this.#self;
    return `${SYNC_SERVICE}-${instance}${owner === DEFAULT_OWNER ? '' : `@${owner}`}`;
  }

  /** The check that a session may rest on. */
  get check(): string {
    return checkOf(this.id);
  }

  /**
   * Resolves when the catalog has it, or the signal is aborted. No turn of before goes on by it: of a process of the
   * same name that was killed, or one that could not be given up while the catalog was away.
   */
  async register(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !(await this.#attempt('register', () => this.#put(signal), signal))) {
      await pause(this.#deps.clock, RETRY_MS, signal);
    }
  }

  /**
   * Renews it until the signal is aborted; then takes it out. No beat waits for the one before: a server that hangs holds up
   * none of those that come to another.
   */
  async run(signal: AbortSignal, last: AbortSignal): Promise<void> {
    const underWay = new Set<Promise<unknown>>();
    while (!signal.aborted) {
      const beat = this.#attempt('beat', () => this.#beatInTime(signal), signal);
      underWay.add(beat);
      void beat.finally(() => underWay.delete(beat));
      await pause(this.#deps.clock, this.#self.leaseMs / BEATS, signal);
    }
    await Promise.all(underWay);
    await this.#attempt('leave', () => this.#remove(this.id, last), last);
  }

  /**
   * Takes out those that have died: whoever has the turn now is there in their place. `suspects` were dead before, for one
   * may only be late; undefined takes out all. Which are dead now; those of before where the catalog does not say.
   */
  async removeDead(
    suspects: readonly string[] | undefined,
    signal: AbortSignal,
  ): Promise<readonly string[]> {
    try {
      const others = await this.#others(signal);
      const dead = others.filter(({ status }) => status === 'critical').map(({ id }) => id);
      const sure = dead.filter((id) => suspects === undefined || suspects.includes(id));
      for (const id of sure) await this.#remove(id, signal);
      this.#notices.clear('dead');
      return dead;
    } catch (error) {
      if (!(error instanceof ProconsulError)) throw error;
      const why = `cannot take out syncs that died: ${messageOf(error)}`;
      if (!signal.aborted) this.#notices.tell('dead', why);
      return suspects ?? [];
    }
  }

  /** Whether another of the same owner lives, and does not doubt itself; false where the catalog does not say. */
  async isAnotherWell(signal: AbortSignal): Promise<boolean> {
    const others = await this.#others(signal).catch(() => []);
    return others.some(({ status }) => status === 'passing');
  }

  /** How each says that it is. */
  async #others(signal: AbortSignal): Promise<{ id: string; status: string }[]> {
    const { node, owner } = this.#self;
    const path = `/v1/health/service/${SYNC_SERVICE}`;
    const { json } = await this.#deps.catalog.ask({ method: 'GET', path }, signal);
    return objectsIn(json).flatMap((entry) => {
      const service = objectIn(entry['Service']);
      const id = textIn(service['ID']);
      const isOurs = objectIn(service['Meta'])[FOR_META] === owner;
      if (!isOurs || id === this.id || textIn(objectIn(entry['Node'])['Node']) !== node) return [];
      // Its own check alone: the node's may be critical for all of them, as in maintenance.
      const own = objectsIn(entry['Checks']).find(({ CheckID }) => CheckID === checkOf(id));
      return [{ id, status: textIn(own?.['Status']) }];
    });
  }

  async #put(signal: AbortSignal): Promise<void> {
    const { node, owner, leaseMs } = this.#self;
    const body = {
      Node: node,
      Address: ADDRESS,
      NodeMeta: { [SOURCE_META]: SOURCE },
      SkipNodeUpdate: true,
      Service: { ID: this.id, Service: SYNC_SERVICE, Meta: { [FOR_META]: owner } },
      Check: {
        CheckID: this.check,
        Name: 'Writes the services of Kubernetes, or waits for its turn',
        // Whatever session rests on it ends by that; the beat that follows makes it pass.
        Status: 'critical',
        ServiceID: this.id,
        Definition: { TTL: formatDuration(leaseMs * NS_PER_MS) },
      },
    };
    await this.#deps.catalog.ask({ method: 'PUT', path: '/v1/catalog/register', body }, signal);
    if (await this.#beat(signal)) return;
    throw new ProconsulError('unavailable', 'the catalog does not have what it has just taken');
  }

  /** After its lease it would renew nothing any more. */
  #beatInTime(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    const sent = clock.monotonic();
    return within(clock, this.#self.leaseMs, signal, async (either) => {
      // A catalog that has lost it is told anew, and once: what rests on the check ends each time.
      if ((await this.#beat(either)) || sent < this.#toldAt) return;
      this.#telling ??= this.#put(either).finally(() => {
        this.#telling = undefined;
        this.#toldAt = clock.monotonic();
      });
      await this.#telling;
    });
  }

  /** Whether the catalog has what is renewed by it. */
  async #beat(signal: AbortSignal): Promise<boolean> {
    const why = this.#doubt();
    const sent = this.#deps.clock.monotonic();
    const query = [['node', this.#self.node] as const, ['note', why] as const];
    const path = `/v1/agent/check/${why === '' ? 'pass' : 'warn'}/${encodeURIComponent(this.check)}`;
    const { status } = await this.#deps.catalog.ask(
      { method: 'PUT', path, query, accept: [404] },
      signal,
    );
    if (status === 404) return false;
    this.#heardAt = Math.max(this.#heardAt, sent);
    return true;
  }

  async #remove(id: string, signal: AbortSignal): Promise<void> {
    const body = { Node: this.#self.node, ServiceID: id };
    await this.#deps.catalog.ask({ method: 'PUT', path: '/v1/catalog/deregister', body }, signal);
  }

  async #attempt(what: string, act: () => Promise<void>, signal: AbortSignal): Promise<boolean> {
    const began = this.#deps.clock.monotonic();
    try {
      await act();
      this.#notices.clear(what);
      this.#isThere = what !== 'leave';
      return true;
    } catch (error) {
      if (!(error instanceof ProconsulError)) throw error;
      // One that was sent later has been answered.
      if (what === 'beat' && began < this.#heardAt) return false;
      this.#isThere = false;
      if (!signal.aborted) this.#notices.tell(what, `cannot ${what}: ${messageOf(error)}`);
      return false;
    }
  }
}

function checkOf(id: string): string {
  return `service:${id}`;
}
