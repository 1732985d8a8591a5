/**
 * Clients read and write a few keys through all servers. What they saw must be what one copy could
 * have answered, values and indexes; nothing acknowledged is lost; no client's index goes back. A stale
 * read is no older than it says.
 */
import { impossible, type Operation, upTo } from '../../support/experiments/linearizability.ts';
import type { SimClient } from '../client.ts';
import { Clients } from './clients.ts';
import { type Row, Sightings } from './sightings.ts';

export const KEYS = 5;
/** Some know of one server each, so that somebody is there whichever of them is parted from the others. */
const ROAMING = 2;
const PAUSE_MS = 40;
/**
 * Who waits for the one server that does not answer is not there while another one does what it must not; and who
 * knows of one alone waits for none of its writes, or nobody reads there while it is parted from the others.
 */
const HASTY = { share: 0.5, timeoutMs: 150 };
const LONG = 0.25;
const LONG_CHARS = 1500;
const STALE = 0.15;
/** Of all that a client does: it writes and deletes what nobody writes again, and a server has to know that it was there. */
const PASSING = 0.05;
/** What an answer says of its age is in whole milliseconds, by a clock that may go a little wrong. */
const ROUNDED = { ms: 2, rate: 1.03 };

interface Seen {
  readonly value: string | null;
  readonly index: number;
}

interface Wanted {
  readonly chance: number;
  readonly seen: Map<string, Seen>;
  readonly isRoaming: boolean;
}

/** Everything is in it that was acknowledged before. */
interface StaleRead {
  readonly key: string;
  readonly index: number;
  readonly since: number;
  readonly at: number;
  readonly who: string;
}

export class Registers extends Clients {
  readonly #history = new Map<string, Operation[]>();
  readonly #sightings = new Sightings(this.violations, false);
  readonly #stale: StaleRead[] = [];
  #written = 0;
  operations = 0;

  async run(untilMs: number): Promise<void> {
    const clients = this.cluster.servers.length + ROAMING;
    await this.each('c', clients, (client, i) => this.#work(client, i, untilMs));
  }

  /** Every key once more through every server: what was acknowledged is there. */
  async look(): Promise<void> {
    const seen = new Map<string, Seen>();
    await this.as('last', async (client) => {
      for (const { port } of this.cluster.servers) {
        for (let i = 0; i < KEYS; i++) {
          if (await this.#read(client, port, `k${i}`, seen)) continue;
          this.violations.add('a server that has healed answers no read');
        }
      }
    });
  }

  override verdict(before: number): readonly string[] {
    const violations = [...this.#history].flatMap(([key, operations]) => {
      const why = impossible(upTo(operations, before));
      return why === undefined ? [] : [`${key} is not linearizable: ${why}`];
    });
    for (const read of this.#stale) this.#judgeStale(read);
    return [...super.verdict(before), ...violations];
  }

  async #work(client: SimClient, number: number, untilMs: number): Promise<void> {
    const { world, doors, servers } = this.cluster;
    const { random } = world;
    const seen = new Map<string, Seen>();
    let at = number % doors.length;
    while (world.now < untilMs) {
      const port = doors[at] ?? 0;
      const key = `k${Math.floor(random.next() * KEYS)}`;
      const chance = random.next();
      if (random.next() < STALE) await this.#readStale(client, key);
      if (random.next() < PASSING) await this.#pass(client, port);
      const isRoaming = number >= servers.length;
      const done =
        chance < 0.5
          ? await this.#read(client, port, key, seen)
          : await this.#write(client, port, key, { chance, seen, isRoaming });
      if (!done && isRoaming) at = (at + 1) % doors.length;
      await this.rest(client, PAUSE_MS);
    }
  }

  async #pass(client: SimClient, port: number): Promise<void> {
    const path = `/v1/kv/passing/${++this.#written}`;
    for (const method of ['PUT', 'DELETE']) await client.ask(port, method, path, this.#patience());
  }

  async #read(client: SimClient, port: number, key: string, seen: Map<string, Seen>) {
    const { world } = this.cluster;
    const call = world.now;
    const mode = world.random.next() < 0.3 || this.cluster.splits ? '?consistent' : '';
    const answer = await client.ask(port, 'GET', `/v1/kv/${key}${mode}`, this.#patience());
    if (answer === undefined || (answer.status !== 200 && answer.status !== 404)) return false;
    const [row] = answer.status === 200 ? (JSON.parse(answer.text) as Row[]) : [];
    const value = row === undefined ? null : Buffer.from(row.Value ?? '', 'base64').toString();
    const index = row?.ModifyIndex ?? 0;
    if (row !== undefined) this.#sightings.add(row);
    this.#record(key, {
      kind: 'get',
      call,
      ret: world.now,
      value,
      ...(row === undefined ? {} : { index }),
    });
    const before = seen.get(key);
    if (before !== undefined && row !== undefined && index < before.index) {
      const what = `${client.machine.name} saw ${key} at ${before.index}, then at ${index}`;
      this.violations.add('an index goes back', what);
    }
    seen.set(key, { value, index: Math.max(index, before?.index ?? 0) });
    return true;
  }

  /** Of a server that says how old its answer may be, by a clock that has gone all the time. */
  async #readStale(client: SimClient, key: string): Promise<void> {
    const { world, servers, splits } = this.cluster;
    const server = servers[Math.floor(world.random.next() * servers.length)];
    if (server === undefined || splits) return;
    const call = world.now;
    const answer = await client.ask(server.port, 'GET', `/v1/kv/${key}?stale`);
    const [row] = answer?.status === 200 ? (JSON.parse(answer.text) as Row[]) : [];
    if (row === undefined || answer === undefined || server.machine.suspendedMs > 0) return;
    const since = call - answer.lastContactMs * ROUNDED.rate - ROUNDED.ms;
    const at = world.now;
    this.#stale.push({ key, index: row.ModifyIndex, since, at, who: server.machine.name });
  }

  #judgeStale({ key, index, since, at, who }: StaleRead): void {
    for (const { kind, value, ret, ok } of this.#history.get(key) ?? []) {
      if (kind === 'get' || value === null || ok !== true || ret > since) continue;
      const written = this.#sightings.indexOf(value) ?? 0;
      if (written <= index) continue;
      const what = `${who} shows ${key} at ${index}, and ${value.slice(0, 9)} at ${written} was acknowledged before ${since.toFixed(0)}`;
      this.violations.add('a stale answer is older than it says', what, at);
    }
  }

  async #write(client: SimClient, port: number, key: string, { chance, seen, isRoaming }: Wanted) {
    const { world } = this.cluster;
    const call = world.now;
    const last = chance > 0.8 ? seen.get(key) : undefined;
    const isDelete = chance > 0.75 && chance <= 0.8;
    const value = isDelete ? null : this.#anyValue();
    const cas = last === undefined ? '' : `?cas=${last.value === null ? 0 : last.index}`;
    const method = isDelete ? 'DELETE' : 'PUT';
    const body = value === null ? {} : { body: value };
    const asked = { ...body, ...this.#patience(isRoaming ? HASTY.share : 1) };
    const answer = await client.ask(port, method, `/v1/kv/${key}${cas}`, asked);
    const operation = {
      kind: kindOf(isDelete, last),
      call,
      value,
      ...(last === undefined ? {} : { expects: last.value }),
    };
    if (answer?.status === 200) {
      this.#record(key, { ...operation, ret: world.now, ok: answer.text.startsWith('true') });
      return true;
    }
    if (answer?.text.includes('No cluster leader') === true) return false;
    // Nobody knows whether it happened, or will.
    this.#record(key, { ...operation, ret: Number.POSITIVE_INFINITY });
    return false;
  }

  #patience(share = HASTY.share): { readonly timeoutMs?: number } {
    const isHasty = this.cluster.world.random.next() < share;
    return isHasty ? { timeoutMs: HASTY.timeoutMs } : {};
  }

  /** None is written twice; some are longer than what a disk writes whole. */
  #anyValue(): string {
    const name = `v${++this.#written}`;
    return this.cluster.world.random.next() < LONG ? name.padEnd(LONG_CHARS, '.') : name;
  }

  #record(key: string, operation: Operation): void {
    this.operations++;
    this.cluster.world.say(describe(key, operation));
    const operations = this.#history.get(key) ?? [];
    this.#history.set(key, operations);
    operations.push(operation);
  }
}

function describe(key: string, { kind, call, ret, value, index, expects, ok }: Operation): string {
  const what = `${kind} ${key} ${value?.replace(/\.+$/, '…')}${index === undefined ? '' : ` at ${index}`}`;
  const cas = expects === undefined ? '' : ` after ${expects}: ${ok}`;
  return `${what}${cas}, asked at ${call.toFixed(1)}${ret === Number.POSITIVE_INFINITY ? ', no answer' : ''}`;
}

function kindOf(isDelete: boolean, last: Seen | undefined): Operation['kind'] {
  if (isDelete) return 'delete';
  return last === undefined ? 'put' : 'cas';
}
