/**
 * An operator who changes the key that seals the log, again and again, through whichever server answers, while
 * somebody writes what nobody else may read. What was acknowledged opens at every server under the keys that it
 * keeps on its disk, those that were taken out are nowhere when their time is over, and no text stands in the log,
 * or on a disk, as it is.
 */
import { FORGET_AFTER_MS } from '../../../server/keyring.ts';
import type { SimClient } from '../client.ts';
import { ROTATED_KEY } from '../cluster.ts';
import { Clients } from './clients.ts';

const PAUSE_MS = 1200;
/** Of a run of two: the operator does one thing right after the other, so that one fault can undo all of it. */
const HURRIED_MS = 40;
const RETRY_MS = 250;
const WRITE_MS = 300;
/** To take a key out waits for a snapshot. */
const PATIENT_MS = 15_000;
/** The last fault is long over by then. */
const GIVE_UP_MS = 40_000;
/** What was begun, and may be lost half-way, is begun anew. */
const LOST_MS = 5000;
/** A key is forgotten by then: in a run that is long enough the operator looks. */
const FORGOTTEN_MS = FORGET_AFTER_MS + 60_000;
/** Whoever was behind has applied it by then. */
const TOLD_MS = 5000;
const SECRET = 'nobody-may-read-this';
const KEYS = 8;
const LOOKS_EVERY = 4;
const PATH = '/v1/operator/keyring';

type Method = 'POST' | 'PUT' | 'DELETE';

interface Pool {
  readonly Keys: Readonly<Record<string, number>>;
  readonly PrimaryKeys: Readonly<Record<string, number>>;
}

export class Rotation extends Clients {
  /** What a server cannot open it has no more, whatever Redis has lost. */
  readonly bearsLoss = true;
  #key = ROTATED_KEY;
  /** When the last one was taken out. */
  #removedAt = 0;
  #made = 0;
  readonly #pauseMs = this.cluster.world.random.next() < 0.5 ? HURRIED_MS : PAUSE_MS;
  #giveUpAt = 0;
  /** By key, what is known to be there; undefined where nobody knows. */
  readonly #written = new Map<string, string | undefined>();
  /** Whether all that was begun has been done. */
  #isDone = false;
  rotations = 0;

  async run(untilMs: number): Promise<void> {
    await Promise.all([
      this.as('operator', (client) => this.#rotate(client, untilMs)),
      this.as('secretary', (client) => this.#write(client, untilMs)),
    ]);
  }

  async look(): Promise<void> {
    await this.as('reader', async (client) => {
      await client.pause(TOLD_MS);
      for (const { port, machine } of this.cluster.servers) {
        await this.#judgeKeys(client, port, machine.name);
        await this.#judgeWritten(client, port, machine.name);
      }
      this.#judgeKept();
    });
    this.#judgeSealed();
  }

  async #rotate(client: SimClient, untilMs: number): Promise<void> {
    const { world, loses } = this.cluster;
    while (world.now < untilMs) {
      const [before, next] = [this.#key, keyOf(++this.#made)];
      this.#isDone = false;
      this.#giveUpAt = loses ? world.now + LOST_MS : untilMs + GIVE_UP_MS;
      if (await this.#change(client, before, next)) {
        this.#removedAt = world.now;
        this.#key = next;
        this.#isDone = true;
        this.rotations++;
      } else if (!loses) return;
      await this.rest(client, this.#pauseMs);
      if (this.rotations % LOOKS_EVERY === 0) await this.#untilForgotten(client, untilMs);
    }
  }

  async #change(client: SimClient, before: string, next: string): Promise<boolean> {
    if (!(await this.#do(client, 'POST', next))) return false;
    await this.rest(client, this.#pauseMs);
    if (!(await this.#do(client, 'PUT', next))) return false;
    await this.rest(client, this.#pauseMs);
    // Who is away all the while would have to be given it by hand.
    await this.#untilAllHave(client, next);
    return await this.#do(client, 'DELETE', before);
  }

  async #untilForgotten(client: SimClient, untilMs: number): Promise<void> {
    const { world } = this.cluster;
    while (world.now + FORGOTTEN_MS < untilMs && world.now < this.#removedAt + FORGOTTEN_MS) {
      await client.pause(PAUSE_MS);
    }
    this.#judgeKept();
  }

  /** Redis may have stood still, or come back, and then it takes longer: only where all is calm. */
  #judgeKept(): void {
    const { servers, calmMs, world, loses } = this.cluster;
    if (loses || !this.#isDone || Math.min(calmMs, world.now - this.#removedAt) < FORGOTTEN_MS)
      return;
    for (const { machine, keptKeys } of servers) {
      if (keptKeys.join() === this.#key) continue;
      this.violations.add('other keys are kept than there are', machine.name);
    }
  }

  async #untilAllHave(client: SimClient, key: string): Promise<void> {
    const { servers, world } = this.cluster;
    for (const { port, machine } of servers) {
      while (world.now < this.#giveUpAt) {
        const answer = await client.ask(port, 'GET', `${PATH}?local-only=true`);
        if (answer?.text.includes(key) === true) break;
        await client.pause(RETRY_MS);
      }
      if (world.now >= this.#giveUpAt) {
        this.#violated('a server does not hear of a key', machine.name);
      }
    }
  }

  /** Tries until somebody has done it: each of them may be done twice. */
  async #do(client: SimClient, method: Method, Key: string): Promise<boolean> {
    const { world } = this.cluster;
    const body = JSON.stringify({ Key });
    for (let port = this.anyServer(); world.now < this.#giveUpAt; port = this.nextServer(port)) {
      const answer = await client.ask(port, method, PATH, { body, timeoutMs: PATIENT_MS });
      const said = `${answer?.status ?? 'no answer'} ${answer?.text.slice(0, 150) ?? ''}`;
      world.say(`${method} of key ${this.#made} at ${port}: ${said.replaceAll('\n', ' ').trim()}`);
      if (answer?.status === 200) return true;
      if (answer?.text.includes('not in the keyring') === true) {
        this.#violated('a key that was installed is not there', said);
        return false;
      }
      await client.pause(RETRY_MS);
    }
    this.#violated('nobody changes the key', method);
    return false;
  }

  /** Unless what led to it may be lost. */
  #violated(what: string, detail: string): void {
    if (!this.cluster.loses) this.violations.add(what, detail);
  }

  async #write(client: SimClient, untilMs: number): Promise<void> {
    const { world } = this.cluster;
    for (let n = 1; world.now < untilMs; n++) {
      const key = `sealed/${n % KEYS}`;
      const value = `${SECRET}-${n}`;
      this.#written.set(key, undefined);
      const answer = await client.ask(this.anyPort(), 'PUT', `/v1/kv/${key}`, { body: value });
      if (answer?.status === 200) this.#written.set(key, value);
      await this.rest(client, WRITE_MS);
    }
  }

  async #judgeKeys(client: SimClient, port: number, name: string): Promise<void> {
    const answer = await client.ask(port, 'GET', PATH);
    if (answer?.status !== 200) {
      this.violations.add('a server that has healed lists no keys', `${name}: ${answer?.text}`);
      return;
    }
    const [{ Keys = {}, PrimaryKeys = {} } = {}] = JSON.parse(answer.text) as Partial<Pool>[];
    const found = `${Object.keys(PrimaryKeys)} of ${Object.keys(Keys)}`;
    if (!this.#isDone || this.cluster.loses || found === `${this.#key} of ${this.#key}`) return;
    this.violations.add('a server has other keys', `${name}: ${found}, not ${this.#key}`);
  }

  async #judgeWritten(client: SimClient, port: number, name: string): Promise<void> {
    if (this.cluster.loses) return;
    for (const [key, value] of this.#written) {
      if (value === undefined) continue;
      const answer = await client.ask(port, 'GET', `/v1/kv/${key}?raw`);
      if (answer?.text === value) continue;
      const what = `${key} at ${name}: ${answer?.status} ${answer?.text}, not ${value}`;
      this.violations.add('what was sealed is not there', what);
    }
  }

  /** From outside, as a thief would. */
  #judgeSealed(): void {
    const plain = [SECRET, Buffer.from(SECRET).toString('base64').slice(0, -4)];
    for (const { machine, store } of this.cluster.redis) {
      const text = store.asWritten().flat().join('\n');
      if (plain.some((each) => text.includes(each))) {
        this.violations.add('a text is not sealed', machine.name);
      }
    }
    for (const { machine, disk } of this.cluster.servers) {
      if (disk.holds(plain)) this.violations.add('a text is not sealed', machine.name);
    }
  }
}

/** Sixteen bytes, as Consul's own; any will do. */
function keyOf(number: number): string {
  return Buffer.from(String(number).padStart(16, 'k')).toString('base64');
}
