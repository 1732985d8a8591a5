/**
 * One server asked by two ways at once: by a listener with the fast path, and by one where each request is
 * parsed and comes to its route. What is asked and changed is drawn; both must say the same, byte for byte.
 */
import assert from 'node:assert/strict';
import { createApp } from '../../../../lib/http/app.ts';
import { Listener } from '../../../../lib/http/listener.ts';
import { silentLogger } from '../../../../lib/logger.ts';
import type { Random } from '../../../../lib/random.ts';
import { seededRandom } from '../../fakes/seeded-random.ts';
import { type AclServer, startAclServer } from '../../servers/acl-server.ts';
import { getText, type RawAnswer, RawClient, withoutDate } from '../../servers/raw-client.ts';
import { atEnd } from '../../servers/start-server.ts';
import { until } from '../../until.ts';
import { ChangingWorld } from './changing-world.ts';
import { drawn, type Question, textOf } from './questions.ts';

/** Fewer than are answered in one turn of the loop. */
const PAIRS = 24;
const CHANGES = 0.35;
/** Whoever was answered mostly asks the same again, with the index that he was told. */
const GOES_ON = 0.7;
/** What is asked again and again, by several: the short way is for no other. */
const KNOWN = 30;
const ASKS_KNOWN = 0.8;
/** Tokens come and go. */
const RENEWED = 0.02;

/** The same client, once at each way. */
interface Pair {
  readonly short: RawClient;
  readonly long: RawClient;
  question: Question | undefined;
  index: string;
  /** What was sent, and is not answered. */
  asked: string | undefined;
}

export interface Compared {
  /** How many answers were compared, and how many of them had waited. */
  answers: number;
  waits: number;
  /** How many the short way gave without the parser. */
  readonly byShortWay: number;
}

export class TwoWays {
  readonly #server: AclServer;
  readonly #world: ChangingWorld;
  readonly #random: Random;
  readonly #ports: readonly [short: number, long: number];
  readonly #fences: RawClient[] = [];
  readonly #pairs: Pair[] = [];
  readonly #known: Question[] = [];
  readonly #counts = { answers: 0, waits: 0 };
  /** What was done last, for whoever reads a difference. */
  #last = '';

  static async start(seed: number): Promise<TwoWays> {
    const server = await startAclServer();
    const ways = new TwoWays(server, await longWay(server), seededRandom(seed));
    await ways.#begin();
    return ways;
  }

  private constructor(server: AclServer, longPort: number, random: Random) {
    this.#server = server;
    this.#ports = [server.port, longPort];
    this.#random = random;
    this.#world = new ChangingWorld(server, random);
  }

  get compared(): Compared {
    return { ...this.#counts, byShortWay: this.#server.fastPath.answered };
  }

  async step(): Promise<void> {
    const idle = this.#pairs.filter(({ asked }) => asked === undefined);
    const pair = idle[Math.floor(this.#random.next() * idle.length)];
    if (pair === undefined || this.#random.next() < CHANGES) {
      this.#last = await this.#world.change();
    } else this.#ask(pair);
    await this.#compare();
  }

  end(): void {
    for (const { short, long } of this.#pairs) for (const client of [short, long]) client.close();
    for (const fence of this.#fences) fence.close();
  }

  async #begin(): Promise<void> {
    await this.#world.make();
    for (const port of this.#ports) this.#fences.push(await connected(port));
    for (let i = 0; i < PAIRS; i++) {
      const [short, long] = [await connected(this.#ports[0]), await connected(this.#ports[1])];
      this.#pairs.push({ short, long, question: undefined, index: '1', asked: undefined });
    }
  }

  #ask(pair: Pair): void {
    if (pair.question === undefined || this.#random.next() > GOES_ON) {
      pair.question = this.#draw();
    }
    pair.asked = textOf(pair.question, pair.index);
    pair.long.send(pair.asked);
    pair.short.send(pair.asked);
  }

  #draw(): Question {
    const question = drawn(this.#random, this.#world.token());
    if (this.#known.length < KNOWN) this.#known.push(question);
    const at = Math.floor(this.#random.next() * this.#known.length);
    if (this.#random.next() < RENEWED) this.#known[at] = question;
    return this.#random.next() < ASKS_KNOWN ? (this.#known[at] as Question) : question;
  }

  /** Returns when nobody is owed an answer that the other way has given. */
  async #compare(): Promise<void> {
    // What was to be answered has been by then: both are asked after it.
    for (let i = 0; i < 2; i++) {
      for (const fence of this.#fences) await fence.ask(getText('/v1/status/leader'));
    }
    for (const pair of this.#pairs) if (pair.asked !== undefined) await this.#compareOf(pair);
  }

  async #compareOf(pair: Pair): Promise<void> {
    const { short, long, asked = '' } = pair;
    const hasAnswer = ({ unread, hasEnded }: RawClient) => unread > 0 || hasEnded;
    await until(
      () => hasAnswer(short) === hasAnswer(long),
      () => `one way has answered, after ${this.#last}, and the other not: ${asked}`,
    );
    if (!hasAnswer(short)) return;
    const [byShort, byLong] = [await short.answer(), await long.answer()];
    const what = `after ${this.#last}: ${asked}`;
    assert.equal(shown(byShort), shown(byLong), what);
    assert.equal(short.hasEnded, long.hasEnded, what);
    this.#counts.answers++;
    if (pair.question?.spelling !== undefined) this.#counts.waits++;
    pair.asked = undefined;
    pair.index = /^X-Consul-Index: (\d+)\r$/m.exec(byShort.head)?.[1] ?? '1';
  }
}

function shown({ head, body }: RawAnswer): string {
  return withoutDate(head) + body.toString('latin1');
}

/** A connection's first message is parsed by either way. */
async function connected(port: number): Promise<RawClient> {
  const client = await RawClient.connect(port);
  await client.ask(getText('/v1/status/leader'));
  return client;
}

async function longWay({ server }: AclServer): Promise<number> {
  const served = { routes: server.routes(), access: server.deps.access };
  const listener = new Listener({
    listener: createApp(served, { logger: silentLogger }),
    at: { host: '127.0.0.1', port: 0 },
    limits: { connectionsPerAddress: () => 0 },
  });
  await listener.start();
  atEnd(() => listener.stop());
  return listener.port;
}
