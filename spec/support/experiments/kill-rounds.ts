import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { seededRandom } from '../fakes/seeded-random.ts';
import { freePort } from '../servers/free-ports.ts';
import { type Proconsul, startProconsul } from '../servers/proconsul.ts';
import { type Answer, send } from '../servers/start-server.ts';

const WRITERS = 8;
const MAX_WRITES_BEFORE_KILL = 120;

interface Row {
  readonly Key: string;
  readonly Value: string;
  readonly ModifyIndex: number;
}

/**
 * Writers that never stop, and a server that is killed under them, again and again on one folder.
 * Whatever was acknowledged must be there after each start, and no index may have gone back.
 */
export class KillRounds {
  readonly #folder: string;
  readonly #port: number;
  /** By key: the newest acknowledged value, and the index that it was then read with. */
  readonly #acknowledged = new Map<string, number>();
  readonly #agent = new Agent({ keepAlive: true, maxSockets: WRITERS + 1 });
  #round = 0;
  #highest = 0;
  writes = 0;
  /** How long each start took, until the first answer of a leader. */
  readonly startsMs: number[] = [];

  private constructor(folder: string, port: number) {
    this.#folder = folder;
    this.#port = port;
  }

  static async on(folder: string): Promise<KillRounds> {
    return new KillRounds(folder, await freePort());
  }

  /** Starts, checks, writes and kills once. */
  async killOne(): Promise<void> {
    const random = seededRandom(++this.#round);
    const server = await this.#start();
    await this.#check(await this.#read());
    let left = 1 + Math.floor(random.next() * MAX_WRITES_BEFORE_KILL);
    const acknowledged = () => {
      this.writes++;
      if (--left === 0) server.signal('SIGKILL');
    };
    await Promise.all(
      Array.from({ length: WRITERS }, (_, i) => this.#write(`w${i}`, acknowledged)),
    );
    await server.ended;
  }

  /** A last look at a server that then ends in order. */
  async finish(): Promise<void> {
    const server = await this.#start();
    await this.#check(await this.#read());
    server.signal('SIGTERM');
    assert.equal(await server.ended, 0, server.output);
    this.#agent.destroy();
  }

  async #start(): Promise<Proconsul> {
    const began = performance.now();
    const args = ['-server', '-bootstrap', `-data-dir=${this.#folder}`];
    const server = await startProconsul(args, this.#port);
    this.startsMs.push(performance.now() - began);
    return server;
  }

  /** Each writer counts up in keys of its own until the server is gone. */
  async #write(name: string, acknowledged: () => void): Promise<void> {
    for (let count = 1; ; count++) {
      const key = `${name}/${count % 50}`;
      const value = this.#round * 1_000_000 + count;
      const answer = await this.#ask('PUT', `/v1/kv/${key}`, String(value));
      if (answer === undefined) return;
      assert.equal(answer.text, 'true');
      this.#acknowledged.set(key, value);
      acknowledged();
    }
  }

  #read(): Promise<Answer | undefined> {
    return this.#ask('GET', '/v1/kv/?recurse');
  }

  async #check(answer: Answer | undefined): Promise<void> {
    assert(answer !== undefined, 'a server that has just started does not answer');
    if (this.#acknowledged.size === 0) return;
    assert(
      answer.index >= this.#highest,
      `the index went from ${this.#highest} to ${answer.index}`,
    );
    this.#highest = answer.index;
    const rows = new Map((answer.json as Row[]).map((row) => [row.Key, row]));
    for (const [key, value] of this.#acknowledged) {
      const kept = Number(Buffer.from(rows.get(key)?.Value ?? '', 'base64').toString());
      // A newer one was under way when the server was killed: it may have been written too.
      assert(kept >= value, `round ${this.#round}: ${key} is ${kept}, ${value} was acknowledged`);
    }
  }

  async #ask(method: string, path: string, body?: string): Promise<Answer | undefined> {
    const sent = { agent: this.#agent, ...(body === undefined ? {} : { body }) };
    return await send(this.#port, method, path, sent).catch(() => undefined);
  }
}
