/**
 * An ordinary day's load on a registry, in a process of its own. It is open: what is due is due at its
 * time, whether what was asked before is answered or not, and each latency counts from then. So a server
 * that stands still is charged for all that should have been sent meanwhile.
 */
import process from 'node:process';
import { Connection, Pool } from './connection.ts';

export interface Order {
  /** Of the server, or of the agents that stand between. */
  readonly ports: readonly number[];
  readonly services: number;
  readonly watchers: number;
  readonly readsPerS: number;
  readonly flipsPerS: number;
  readonly warmMs: number;
  readonly forMs: number;
}

export interface Latencies {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

export interface Day {
  readonly reads: Latencies;
  readonly writes: Latencies;
  /** From when a change was due until a watcher had all of the answer that shows it. */
  readonly wakes: Latencies;
  /** How often it was refused, which is asked again; and one where something never was answered. */
  readonly failed: number;
  /** How late this process itself was at most: figures near it are its own. */
  readonly lateMs: number;
}

const READERS = 64;
const WRITERS = 32;
const CONNECTING = 100;
const DRAIN_MS = 15_000;
/** A client asks again so long after it was refused. */
const REFUSED_MS = 100;
const MARK = 'flip-';
const DIGITS = 7;
const MARK_LENGTH = MARK.length + DIGITS;

/** What is measured: from the end of the warming on. */
class Taken {
  readonly #values: number[] = [];

  add(ms: number): void {
    this.#values.push(ms);
  }

  latencies(): Latencies {
    const sorted = Float64Array.from(this.#values).sort();
    const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? Number.NaN;
    return { count: sorted.length, p50: at(0.5), p99: at(0.99), p999: at(0.999) };
  }
}

/** Which flip an answer shows, of which there is one in each. */
class Mark {
  shown = -1;
  /** The end of what came before, where a mark may have begun. */
  #rest = '';

  look(bytes: Buffer): void {
    this.#lookIn(this.#rest + bytes.toString('latin1', 0, MARK_LENGTH - 1));
    const at = bytes.indexOf(MARK);
    if (at >= 0) this.#lookIn(bytes.toString('latin1', at, at + MARK_LENGTH));
    const last = bytes.toString('latin1', Math.max(0, bytes.length - MARK_LENGTH + 1));
    this.#rest = (this.#rest + last).slice(1 - MARK_LENGTH);
  }

  #lookIn(text: string): void {
    const at = text.indexOf(MARK);
    if (at < 0 || text.length < at + MARK_LENGTH) return;
    this.shown = Number(text.slice(at + MARK.length, at + MARK_LENGTH));
  }
}

class Load {
  readonly #order: Order;
  readonly #reads = new Taken();
  readonly #writes = new Taken();
  readonly #wakes = new Taken();
  /** When each flip was due. */
  readonly #flips: number[] = [];
  readonly #watchers: Connection[] = [];
  #measuredFrom = Number.POSITIVE_INFINITY;
  /** So many reads and changes were asked for and are not answered yet. */
  #under = 0;
  #failed = 0;
  #lateMs = 0;
  #isOver = false;

  constructor(order: Order) {
    this.#order = order;
  }

  async run(): Promise<Day> {
    const { ports, watchers, warmMs, forMs, readsPerS, flipsPerS } = this.#order;
    for (let i = 0; i < watchers; i++) {
      void this.#watch(ports[i % ports.length] as number, i % this.#order.services);
      if (i % CONNECTING === 0) await pause(10);
    }
    const readers = new Pool(ports, READERS);
    const writers = new Pool(ports, WRITERS);
    const begin = performance.now() + 1000;
    this.#measuredFrom = begin + warmMs;
    setTimeout(() => process.send?.({ measuring: true }), this.#measuredFrom - performance.now());
    const end = this.#measuredFrom + forMs;
    await Promise.all([
      this.#each(readsPerS, begin, end, (due, i) => this.#read(readers, due, i)),
      this.#each(flipsPerS, begin, end, (due, i) => this.#flip(writers, due, i)),
    ]);
    // What is never answered is not waited for, and counts as failed.
    while (this.#under > 0 && performance.now() < end + DRAIN_MS) await pause(10);
    if (this.#under > 0) this.#failed++;
    await pause(500);
    this.#isOver = true;
    for (const each of [readers, writers, ...this.#watchers]) each.end();
    return {
      reads: this.#reads.latencies(),
      writes: this.#writes.latencies(),
      wakes: this.#wakes.latencies(),
      failed: this.#failed,
      lateMs: this.#lateMs,
    };
  }

  /** Acts at fixed times. What it began may be under way still. */
  async #each(
    perS: number,
    begin: number,
    end: number,
    act: (due: number, i: number) => Promise<void>,
  ): Promise<void> {
    let begun = 0;
    for (let due = begin; due < end; due = begin + (begun * 1000) / perS) {
      const early = due - performance.now();
      if (early > 0) await pause(early);
      const late = performance.now() - due;
      if (due >= this.#measuredFrom) this.#lateMs = Math.max(this.#lateMs, late);
      this.#under++;
      void act(due, begun++).then(() => this.#under--);
    }
  }

  async #read(readers: Pool, due: number, i: number): Promise<void> {
    // In another order than the changes come.
    const service = (i * 7919) % this.#order.services;
    await this.#asks(readers, get(`${pathOf(service)}?passing`));
    this.#took(this.#reads, due);
  }

  async #flip(writers: Pool, due: number, i: number): Promise<void> {
    this.#flips.push(due);
    const service = i % this.#order.services;
    const Check = {
      CheckID: `service:web-${service}-0`,
      Name: `Service 'web-${service}' check`,
      ServiceID: `web-${service}-0`,
      Status: Math.floor(i / this.#order.services) % 2 === 0 ? 'critical' : 'passing',
      Output: `${MARK}${String(i).padStart(DIGITS, '0')}`,
    };
    const body = JSON.stringify({ Node: 'node-0', SkipNodeUpdate: true, Check });
    const head = `PUT /v1/catalog/register HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}`;
    await this.#asks(writers, `${head}\r\n\r\n${body}`);
    this.#took(this.#writes, due);
  }

  /** Until it is answered: to be refused quickly is not to be quick. */
  async #asks(pool: Pool, request: string): Promise<void> {
    while (!this.#isOver && !isWell(await pool.ask(request))) {
      if (performance.now() >= this.#measuredFrom) this.#failed++;
      await pause(REFUSED_MS);
    }
  }

  #took(of: Taken, due: number): void {
    if (due >= this.#measuredFrom && !this.#isOver) of.add(performance.now() - due);
  }

  async #watch(port: number, service: number): Promise<void> {
    const mark = new Mark();
    const connection = new Connection(port, (bytes) => mark.look(bytes));
    this.#watchers.push(connection);
    let index = '';
    let known = -1;
    while (!this.#isOver) {
      const wait = index === '' ? '' : `?index=${index}&wait=5m`;
      const head = await connection.ask(get(`${pathOf(service)}${wait}`));
      const now = performance.now();
      index = /x-consul-index: (\d+)/i.exec(head)?.[1] ?? '';
      const due = this.#flips[mark.shown] ?? 0;
      if (mark.shown > known && due >= this.#measuredFrom) this.#wakes.add(now - due);
      known = mark.shown;
      if (!isWell(head)) await pause(REFUSED_MS);
    }
  }
}

const isWell = (head: string) => head.startsWith('HTTP/1.1 200');
const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
const pathOf = (service: number) => `/v1/health/service/web-${service}`;

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

process.on('message', async (order: Order) => {
  process.send?.({ day: await new Load(order).run() });
});
