/** What workloads share: clients that do things to any server, and what they saw that must not be. */
import { type Answer, type Asked, SimClient } from '../client.ts';
import type { SimCluster } from '../cluster.ts';
import { Violations, type Workload } from './workload.ts';

/** Where nothing goes wrong little is found: clients take so many times longer over everything. */
const CALM = 4;
/** For so long nothing has gone wrong: then an answer takes some milliseconds. */
const HEALED_MS = 20_000;
const SLOW_MS = 250;
/** Waits, archives, and keys that go when a snapshot is saved. */
const TAKES_TIME = /[?&](index|hash)=|^\/v1\/(snapshot|operator\/keyring)|^\/v3\/discovery/;
/** Of a minute without a fault there is nothing to be seen in most: clients rest the longer. */
const LONG_CALM = { afterMs: 20_000, times: 5, lookMs: 1000 };
/** Who has less patience gives up by itself. */
const PATIENT_MS = 3000;

export abstract class Clients implements Workload {
  protected readonly cluster: SimCluster;
  protected readonly violations: Violations;
  /** The newest index that each client was told, by question. */
  readonly #indexes = new Map<string, number>();

  constructor(cluster: SimCluster) {
    this.cluster = cluster;
    this.violations = new Violations(cluster.world);
  }

  abstract run(untilMs: number): Promise<void>;

  verdict(before: number): readonly string[] {
    return this.violations.before(before);
  }

  /** So many clients of this name, with their numbers, from 0 on; until all of them are done. */
  protected async each(
    name: string,
    count: number,
    work: (client: SimClient, number: number) => Promise<void>,
  ): Promise<void> {
    const clients = Array.from({ length: count }, (_, i) => this.#client(`${name}${i + 1}`));
    await Promise.all(clients.map((client, i) => client.run(() => work(client, i))));
  }

  /** What one more client does, of no number. */
  protected async as<T>(name: string, work: (client: SimClient) => Promise<T>): Promise<T> {
    const client = this.#client(name);
    return await client.run(() => work(client));
  }

  /** Of whatever it asks: its indexes never go back, and where nothing fails nobody is refused. */
  #client(name: string): SimClient {
    return new SimClient(this.cluster.world, name, (asked, answer, tookMs) => {
      this.#judgeTook(name, asked, tookMs);
      if (answer === undefined || isRefusal(answer)) this.#judgeRefused(name, asked, answer);
      else {
        this.cluster.answers.judge(asked, answer);
        if (answer.index > 0) this.#judgeIndex(name, asked, answer);
      }
    });
  }

  /** What is rescued by a timer, some seconds later, would look well to all who wait for it. */
  #judgeTook(name: string, { port, method, path, timeoutMs }: Asked, tookMs: number): void {
    if (tookMs < SLOW_MS || TAKES_TIME.test(path) || (timeoutMs ?? PATIENT_MS) < SLOW_MS) return;
    const { calmMs, agents, world } = this.cluster;
    const agent = agents.find((each) => each.port === port);
    const { bornAt = world.now } = agent ?? { bornAt: 0 };
    const healedMs = Math.min(calmMs, world.now - bornAt) - tookMs;
    if (healedMs < HEALED_MS) return;
    const what = `${name} ${method} ${path} at ${port} took ${tookMs.toFixed(0)} ms`;
    this.violations.add('nothing is wrong, and an answer takes long', what);
  }

  #judgeRefused(name: string, { port, method, path, timeoutMs }: Asked, answer?: Answer): void {
    const { isFaultless, servers } = this.cluster;
    const isServer = servers.some((server) => server.port === port);
    if (!isFaultless || !isServer || (timeoutMs ?? PATIENT_MS) < PATIENT_MS) return;
    const what = `${name} ${method} ${path}: ${answer?.text ?? 'no answer'}`;
    this.violations.add('nothing has failed, and a client is refused', what);
  }

  /** Of default and consistent reads; who is parted from the others has the latter alone. */
  #judgeIndex(name: string, { method, path, token = '' }: Asked, { index }: Answer): void {
    // An event's list has a mark of what is in it, which is no index, as Consul's has.
    if (method !== 'GET' || /[?&]stale|event\/list/.test(path)) return;
    if (this.cluster.splits && !/[?&]consistent/.test(path)) return;
    const question = `${name} ${token} ${path.replace(/[?&](index|wait)=\w+/g, '')}`;
    // Of what may not be seen it is 1: rights may change.
    if (token !== '' && index === 1) this.#indexes.delete(question);
    const before = this.#indexes.get(question) ?? 0;
    if (index < before) {
      const what = `${name} ${path} at ${before}, then at ${index}`;
      this.violations.add('the index of an answer goes back', what);
    }
    this.#indexes.set(question, Math.max(index, before));
  }

  /** Between one thing that a client does and the next: so long on average, while something goes wrong. */
  protected async rest(client: SimClient, ms: number): Promise<void> {
    const { cluster } = this;
    const { world } = cluster;
    for (let left = ms * 2 * world.random.next(); left > 0 && world.now < cluster.endsAt; ) {
      if (cluster.calmMs <= LONG_CALM.afterMs) {
        await client.pause(left * (cluster.isCalm ? CALM : 1));
        return;
      }
      // Nobody sleeps through what ends the calm.
      const times = CALM * LONG_CALM.times;
      const restMs = Math.min(left * times, LONG_CALM.lookMs);
      await client.pause(restMs);
      left -= restMs / times;
    }
  }

  protected anyServer(): number {
    const { servers, world } = this.cluster;
    return servers[Math.floor(world.random.next() * servers.length)]?.port ?? 0;
  }

  /** For whoever this one has not answered: one that stands still is not to be met again and again by chance. */
  protected nextServer(port: number): number {
    const { servers } = this.cluster;
    const at = servers.findIndex((server) => server.port === port);
    return servers[(at + 1) % servers.length]?.port ?? 0;
  }

  /** Of servers, and of agents, where there are any: they pass on what they do not know themselves. */
  protected anyPort(): number {
    const { doors, world } = this.cluster;
    return doors[Math.floor(world.random.next() * doors.length)] ?? 0;
  }
}

/** A request that is wrong is answered 500 too, as Consul does. */
function isRefusal({ status, text, applied }: Answer): boolean {
  return (
    status > 500 || status === 429 || applied !== undefined || text.includes('No cluster leader')
  );
}
