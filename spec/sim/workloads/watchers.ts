/**
 * Clients that wait for changes: who waits is told of a change that its server has applied, and of
 * none at the end of its wait, whatever happened to Redis and to the server's state meanwhile.
 */
import type { Answer, SimClient } from '../client.ts';
import type { SimServer } from '../server.ts';
import { Clients } from './clients.ts';
import { KEYS } from './registers.ts';
import { type Row, Sightings } from './sightings.ts';

const WATCHERS = 8;
const WAIT_S = 8;
/** A wait lasts up to a sixteenth longer, and a default read may be held back for 7 s before. */
const LATEST_MS = WAIT_S * 1000 * (1 + 1 / 16) + 8000;
/** Times of the world are no whole numbers: their difference may be a hair less. */
const HAIR_MS = 1;
/** By a clock that goes too fast. */
const EARLIEST_MS = WAIT_S * 1000 * 0.98;
const RESTORED_MS = 1000;
/** From the entry in the server's state to the bytes at the client. */
const WAKE_MS = 1000;
/** Where nothing has gone wrong for so long, it takes some milliseconds: it is looked for now and then. */
const HEALED_MS = 20_000;
const HEALED_WAKE_MS = 400;
const LOOK_MS = 250;
const RETRY_MS = 100;
const GIVEN_UP_MS = 500;
/**
 * Each for one who waits, in turn with the others, and written so seldom that who was not woken by one write, or
 * when his server's state was replaced, is not woken by the next before it is seen.
 */
const QUIET = 'quiet';
const QUIET_MS = 2500;
/** Who writes is soon where somebody answers: one side of a partition does. */
const HASTY_MS = 300;

interface Waiting {
  readonly server: SimServer;
  readonly process: SimServer['process'];
  /** Undefined for all of them. */
  readonly key: string | undefined;
  readonly seen: number;
  readonly since: number;
  /** Since when the server knows of something newer. */
  lateSince: number | undefined;
}

interface Wanted extends Pick<Waiting, 'key' | 'seen'> {
  readonly isStale: boolean;
}

export class Watchers extends Clients {
  readonly #sightings = new Sightings(this.violations, this.cluster.splits);
  readonly #waiting = new Set<Waiting>();

  async run(untilMs: number): Promise<void> {
    const watching = this.each('w', WATCHERS, (client, i) => this.#watch(client, i, untilMs));
    const writing = this.each(QUIET, WATCHERS, (client, i) => this.#write(client, i, untilMs));
    await Promise.all([watching, writing, this.#look(untilMs)]);
  }

  async #write(client: SimClient, number: number, untilMs: number): Promise<void> {
    const { world } = this.cluster;
    const { key = '', isQuiet } = watchedBy(number);
    let port = this.anyPort();
    for (let i = 1; isQuiet && world.now < untilMs; i++) {
      const asked = { body: `${key}-${i}`, timeoutMs: HASTY_MS };
      const answer = await client.ask(port, 'PUT', `/v1/kv/${key}`, asked);
      if (answer?.status === 200) {
        await this.rest(client, QUIET_MS);
        port = this.anyPort();
      } else {
        // As soon as there is somebody: on this side of a break it is news for who waits on the other.
        await client.pause(RETRY_MS);
        port = this.nextServer(port);
      }
    }
  }

  async #watch(client: SimClient, number: number, untilMs: number): Promise<void> {
    const { world, servers } = this.cluster;
    const { key, isStale } = watchedBy(number);
    let seen = 0;
    for (let at = number; world.now < untilMs; ) {
      const server = servers[at % servers.length] as SimServer;
      const index = await this.#wait(client, server, { key, seen, isStale });
      // Elsewhere, and from what this client has seen: indexes are the same on all servers.
      seen = index ?? seen;
      if (index === undefined || world.random.next() < 0.2) at++;
      if (index === undefined) await client.pause(RETRY_MS);
    }
    // Nothing of a wait may be left whose client has gone: one that would last beyond the run.
    const path = `/v1/kv/${key ?? 'k?recurse'}${key === undefined ? '&' : '?'}index=${seen}&wait=600s`;
    await client.ask(this.anyPort(), 'GET', path, { timeoutMs: GIVEN_UP_MS });
  }

  /** The index of the answer; undefined where there was none, or a refusal. */
  async #wait(client: SimClient, server: SimServer, what: Wanted): Promise<number | undefined> {
    const { key, seen, isStale } = what;
    const since = this.cluster.world.now;
    const waiting = { server, process: server.process, key, seen, since, lateSince: undefined };
    // A default read may be held back before it waits.
    if (isStale) this.#waiting.add(waiting);
    const path = key === undefined ? 'k?recurse&' : `${key}?`;
    const mode = isStale ? 'stale&' : '';
    const target = `/v1/kv/${path}${mode}index=${seen}&wait=${WAIT_S}s`;
    const answer = await client.ask(server.port, 'GET', target, { timeoutMs: LATEST_MS });
    this.#waiting.delete(waiting);
    if (answer === undefined) this.#unanswered(client, waiting);
    else this.#judgeEnd(client, waiting, answer);
    if (answer?.status !== 200 && answer?.status !== 404) return undefined;
    if (answer.status === 200) {
      for (const row of JSON.parse(answer.text) as Row[]) this.#sightings.add(row);
    }
    return answer.index;
  }

  #unanswered(client: SimClient, { server, process, since }: Waiting): void {
    const { world } = this.cluster;
    const stoodStill = server.machine.frozenUntil >= since;
    if (server.process !== process || stoodStill || world.now - since < LATEST_MS - HAIR_MS) return;
    this.violations.add('a wait is not answered at its end', client.machine.name);
  }

  /** Nothing new is an answer at the end of a wait alone. */
  #judgeEnd(client: SimClient, { server, process, seen, since }: Waiting, answer: Answer): void {
    const { world, history } = this.cluster;
    const isAnswer = answer.status === 200 || answer.status === 404;
    const isNews = seen === 0 || !isAnswer || answer.index !== seen;
    const isEarly = world.now - since < EARLIEST_MS;
    if (isNews || !isEarly || server.process !== process) return;
    // Right after it was replaced: a large one takes a moment.
    if (history.isRestored(server.machine.name, since - RESTORED_MS)) return;
    const took = (world.now - since).toFixed(0);
    this.violations.add(
      'a wait ends early with nothing new',
      `${client.machine.name} after ${took} ms`,
    );
  }

  /** From outside: whether a server knows of what its waiters are not told. */
  async #look(untilMs: number): Promise<void> {
    const { world } = this.cluster;
    while (world.now < untilMs) {
      for (const waiting of this.#waiting) this.#judge(waiting);
      await world.sleep(LOOK_MS);
    }
  }

  #judge(waiting: Waiting): void {
    const { calmMs, world } = this.cluster;
    const { now } = world;
    const wakeMs = calmMs > HEALED_MS ? HEALED_WAKE_MS : WAKE_MS;
    const { server, process, key, seen } = waiting;
    const isThere = server.process === process && server.machine.frozenUntil < now;
    const newest = isThere ? newestOf(process, key) : 0;
    if (seen === 0 || newest <= seen) waiting.lateSince = undefined;
    else waiting.lateSince ??= now;
    if (waiting.lateSince === undefined || now - waiting.lateSince <= wakeMs) return;
    const what = `${server.machine.name} has ${key ?? 'a key'} at ${newest}, its waiter ${seen}`;
    this.violations.add('who waits is not woken', what);
  }
}

/** Every other one a key of his own, of any server; of the others some ask as everybody does. */
function watchedBy(number: number): {
  key: string | undefined;
  isStale: boolean;
  isQuiet: boolean;
} {
  if (number % 2 === 1) return { key: `${QUIET}${number}`, isStale: true, isQuiet: true };
  const isStale = number % 4 === 0;
  return { key: isStale ? undefined : `k${number % KEYS}`, isStale, isQuiet: false };
}

function newestOf(process: SimServer['process'], key: string | undefined): number {
  const keys = key === undefined ? Array.from({ length: KEYS }, (_, i) => `k${i}`) : [key];
  const rows = keys.map((each) => process?.state.kv.get(each)?.ModifyIndex ?? 0);
  return Math.max(...rows);
}
