/**
 * Clients that want the same few locks: whoever has one and renews its session is the only one who has it,
 * sees it, and nobody gets it within the delay after a session that held it has ended. Some of them go without a
 * word; in the end every lock can be had.
 */
import type { SimClient } from '../client.ts';
import { Clients } from './clients.ts';

const CLIENTS = 4;
const LOCKS = 2;
const Node = 'lockers';
const TTL_S = 5;
const DELAY_MS = 2000;
/** By a clock that goes too fast. */
const LEAST_DELAY_MS = DELAY_MS * 0.98;
const RENEW_MS = 1000;
const RETRY_MS = 200;
const PAUSE_MS = 300;
const TRIES = 30;
/** The last fault is long over by then. */
const GIVE_UP_MS = 15_000;

interface Holder {
  readonly name: string;
  readonly session: string;
  /** It may still have the lock, and does not count on it any more. */
  isDone: boolean;
}

export class Locks extends Clients {
  readonly #holders = new Map<string, Holder>();
  /** When whoever held it asked for the end of its session, by lock, and when that was answered. */
  readonly #ended = new Map<string, { readonly from: number; readonly to: number }>();
  /** The token that fences each holder from the one before it. */
  readonly #tokens = new Map<string, number>();

  async run(untilMs: number): Promise<void> {
    await this.each('l', CLIENTS, (client) => this.#work(client, untilMs));
  }

  async look(): Promise<void> {
    await this.as('heir', async (client) => {
      for (let i = 0; i < LOCKS; i++) await this.#inherit(client, keyOf(i));
    });
  }

  async #inherit(client: SimClient, key: string): Promise<void> {
    for (let i = 0; i < TRIES; i++) {
      const session = await this.#begin(client);
      if (session !== undefined && (await this.#acquire(client, key, session))) return;
      await client.pause(RENEW_MS);
    }
    this.violations.add('a lock that nobody holds is not to be had', key);
  }

  async #work(client: SimClient, untilMs: number): Promise<void> {
    const { world } = this.cluster;
    while (world.now < untilMs) {
      await this.rest(client, PAUSE_MS);
      const session = await this.#begin(client);
      if (session === undefined) continue;
      const key = keyOf(Math.floor(world.random.next() * LOCKS));
      const isTaken = await this.#acquire(client, key, session);
      if (isTaken === true) await this.#hold(client, key, session, untilMs);
      // What it did not get, or does not know, goes with its session.
      else await this.#ask(client, `/v1/session/destroy/${session}`);
    }
  }

  /** A session, of a node that is there by then. */
  async #begin(client: SimClient): Promise<string | undefined> {
    const node = JSON.stringify({ Node, Address: '10.7.0.1' });
    await this.#ask(client, '/v1/catalog/register', node);
    const held = { TTL: `${TTL_S}s`, LockDelay: `${DELAY_MS}ms`, Checks: [], NodeChecks: [] };
    const made = await this.#ask(client, '/v1/session/create', JSON.stringify({ Node, ...held }));
    return made === undefined ? undefined : (JSON.parse(made) as { ID: string }).ID;
  }

  /** Undefined where nobody knows. */
  async #acquire(client: SimClient, key: string, session: string): Promise<boolean | undefined> {
    const { world, splits, mayEndLeases } = this.cluster;
    const { name } = client.machine;
    const from = world.now;
    const answer = await this.#ask(client, `/v1/kv/${key}?acquire=${session}`, name);
    if (answer === undefined) return undefined;
    if (!answer.startsWith('true')) return false;
    const before = this.#holders.get(key);
    if (before?.isDone === false && !mayEndLeases) {
      this.violations.add('a lock has two holders', `${key}: ${before.name} and ${name}`);
    }
    this.#judgeDelay(name, key, from);
    const holder = { name, session, isDone: false };
    this.#holders.set(key, holder);
    const row = await client.ask(
      this.anyPort(),
      'GET',
      `/v1/kv/${key}${splits ? '?consistent' : ''}`,
    );
    if (row?.status !== 200 || this.cluster.mayEndLeases) return true;
    const [{ Session, ModifyIndex } = {}] = JSON.parse(row.text) as Partial<Row>[];
    if (Session !== session)
      this.violations.add('a holder does not see its lock', `${name} ${key}`);
    const token = ModifyIndex ?? 0;
    if (token <= (this.#tokens.get(key) ?? 0)) {
      this.violations.add('a lock fences nobody', `${name} has ${key} at ${token}`);
    }
    this.#tokens.set(key, token);
    return true;
  }

  #judgeDelay(name: string, key: string, from: number): void {
    const { world } = this.cluster;
    const ended = this.#ended.get(key);
    if (ended === undefined || from < ended.to || world.now >= ended.from + LEAST_DELAY_MS) return;
    // By the log's clock.
    if (this.cluster.jumps > 0) return;
    const after = (world.now - ended.from).toFixed(0);
    this.violations.add(
      'a lock is had before its delay is over',
      `${name} ${key} after ${after} ms`,
    );
  }

  async #hold(client: SimClient, key: string, session: string, untilMs: number): Promise<void> {
    const { world } = this.cluster;
    const holder = this.#holders.get(key) as Holder;
    const until = Math.min(untilMs, world.now + 4 * RENEW_MS * world.random.next());
    while (world.now < until) {
      const isThere = await this.#renew(client, session, untilMs + GIVE_UP_MS);
      if (!isThere) {
        if (!this.cluster.mayEndLeases)
          this.violations.add('a holder that renews is gone', holder.name);
        break;
      }
      await client.pause(RENEW_MS);
    }
    holder.isDone = true;
    const chance = world.random.next();
    if (chance < 0.2) return;
    if (chance < 0.7) {
      await this.#ask(client, `/v1/kv/${key}?release=${session}`, holder.name);
      await this.#ask(client, `/v1/session/destroy/${session}`);
      return;
    }
    const from = world.now;
    const done = await this.#ask(client, `/v1/session/destroy/${session}`);
    // Where nobody answered it may have been done long before, or by the end of its time.
    if (done !== undefined) this.#ended.set(key, { from, to: world.now });
  }

  /** Tries until somebody answers. */
  async #renew(client: SimClient, session: string, giveUpAt: number): Promise<boolean> {
    const { world } = this.cluster;
    for (let port = this.anyServer(); world.now < giveUpAt; port = this.nextServer(port)) {
      const path = `/v1/session/renew/${session}`;
      const answer = await client.ask(port, 'PUT', path, { timeoutMs: 1000 });
      if (answer?.status === 404) return false;
      if (answer?.status === 200) return true;
      await client.pause(RETRY_MS);
    }
    this.violations.add('nobody renews a session', client.machine.name);
    return true;
  }

  async #ask(client: SimClient, path: string, body = ''): Promise<string | undefined> {
    const answer = await client.ask(this.anyServer(), 'PUT', path, { body });
    const said =
      answer === undefined ? 'no answer' : `${answer.status} ${answer.text.slice(0, 40)}`;
    this.cluster.world.say(`${client.machine.name} ${path}: ${said}`);
    return answer?.status === 200 ? answer.text : undefined;
  }
}

interface Row {
  readonly Session: string;
  readonly ModifyIndex: number;
}

function keyOf(number: number): string {
  return `locks/${number}`;
}
