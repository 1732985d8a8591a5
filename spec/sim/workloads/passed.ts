/**
 * Clients that wait at agents, which pass that on and share what is alike, for changes of services that come,
 * change and go. Who waits is told of what all servers know; whoever has written something is shown it; in the
 * end everybody answers alike.
 */
import { healthTopic } from '../../../server/state/topic-names.ts';
import type { Answer, SimClient } from '../client.ts';
import { Clients } from './clients.ts';

const SERVICES = ['passed-a', 'passed-b'] as const;
const STATUSES = ['passing', 'warning', 'critical'] as const;
/** It says the same as `?passing`, of the checks of an instance. */
const FILTER = 'not Checks.Status != passing';
/** Where an instance is: several on one node, and one on another. */
const nodeOf = (id: string) => `passed-${id.endsWith('-0') ? 0 : 1}`;
/** Of a service by name, and of all. */
const QUESTIONS = [
  (name: string) => `/v1/health/service/${name}`,
  (name: string) => `/v1/health/service/${name}?passing`,
  (name: string) => `/v1/catalog/service/${name}`,
  (name: string) => `/v1/health/checks/${name}`,
  (name: string) => `/v1/health/service/${name}?filter=${encodeURIComponent(FILTER)}`,
  (name: string) => `/v1/health/node/${nodeOf(name)}`,
  (name: string) => `/v1/catalog/node/${nodeOf(name)}`,
  () => '/v1/catalog/services',
  () => '/v1/health/state/any',
] as const;
const MODES = ['', 'stale', 'cached'] as const;
const WATCHERS = 6;
const WRITERS = 2;
const INSTANCES = 3;
const WRITE_MS = 500;
const WAIT_S = 6;
/** A wait, and as long as a default read may be held back, or an agent look for a server, before it. */
const LATEST_MS = WAIT_S * 1000 * (1 + 1 / 16) + 12_000;
const RETRY_MS = 150;
const LOOK_MS = 250;
/** Since nothing goes wrong any more: by then a wait has been passed to a server that answers. */
const HEALED_MS = 12_000;
const WAKE_MS = 1500;
/** What nobody has answered is done by then, or never. */
const LATE_MS = 60_000;

/** The writes of an instance. */
interface Written {
  count: number;
  /** Under way. */
  open: number;
  /** Since when there is none that may still be done. */
  knownFrom: number;
}

interface Row {
  readonly Service: { readonly ID: string };
  readonly Checks: readonly { readonly CheckID: string; readonly Status: string }[];
}

interface Waiting {
  readonly service: string;
  readonly seen: number;
  readonly who: string;
  lateSince: number | undefined;
}

export class Passed extends Clients {
  readonly #waiting = new Set<Waiting>();
  /** By its id. */
  readonly #written = new Map<string, Written>();

  async run(untilMs: number): Promise<void> {
    await Promise.all([
      this.each('i', WRITERS, (client) => this.#write(client, untilMs)),
      this.each('j', WATCHERS, (client, i) => this.#watch(client, i, untilMs)),
      this.#look(untilMs),
    ]);
  }

  async look(): Promise<void> {
    await this.as('all', async (client) => {
      for (const service of SERVICES) {
        for (const question of QUESTIONS) await this.#agree(client, question(service));
      }
    });
  }

  async #agree(client: SimClient, path: string): Promise<void> {
    const said = new Map<string, number>();
    for (const port of this.cluster.doors) {
      const answer = await client.ask(port, 'GET', path);
      if (answer?.status === 200) said.set(answer.text, port);
      else this.violations.add('whoever has healed does not answer', `${port} ${path}`);
    }
    if (said.size <= 1) return;
    const all = [...said].map(([text, port]) => `${port} ${text.slice(0, 300)}`);
    this.violations.add('answers differ after a rest', `${path}: ${all.join('; ')}`);
  }

  async #write(client: SimClient, untilMs: number): Promise<void> {
    const { world } = this.cluster;
    const { random } = world;
    while (world.now < untilMs) {
      const service = SERVICES[Math.floor(random.next() * SERVICES.length)] ?? '';
      const ID = `${service}-${Math.floor(random.next() * INSTANCES)}`;
      const Status = STATUSES[Math.floor(random.next() * STATUSES.length)] ?? '';
      const isThere = random.next() < 0.75;
      const Check = { CheckID: `c-${ID}`, Name: 'c', ServiceID: ID, Status };
      const Service = { ID, Service: service };
      const Node = nodeOf(ID);
      const what = isThere
        ? { Node, Address: '10.8.0.1', Service, Check }
        : { Node, ServiceID: ID };
      const path = `/v1/catalog/${isThere ? 'register' : 'deregister'}`;
      const body = JSON.stringify(what);
      const write = () => client.ask(this.anyPort(), 'PUT', path, { body });
      const isKnown = await this.#isKnown(ID, write);
      const seen = isKnown() ? await this.#statusOf(client, service, ID) : undefined;
      const wanted = isThere ? Status : '';
      // Another may have written meanwhile.
      if (isKnown() && seen !== undefined && seen.status !== wanted) {
        const found = `${ID} at ${seen.port}: "${seen.status}", not "${wanted}"`;
        this.violations.add('what was written is not shown', found);
      }
      await this.rest(client, WRITE_MS);
    }
  }

  /** What tells, once the write was done, whether nobody else writes the same or has just done so. */
  async #isKnown(id: string, write: () => Promise<Answer | undefined>): Promise<() => boolean> {
    const { world } = this.cluster;
    const written = this.#written.get(id) ?? { count: 0, open: 0, knownFrom: 0 };
    this.#written.set(id, written);
    const isAlone = written.open++ === 0;
    const count = ++written.count;
    const isTaken = isAnswer(await write());
    written.open--;
    if (!isTaken) written.knownFrom = world.now + LATE_MS;
    return () => isTaken && isAlone && written.count === count && world.now >= written.knownFrom;
  }

  /** By a question that others wait with; '' where it is not there. */
  async #statusOf(client: SimClient, service: string, id: string) {
    const port = this.anyPort();
    const mode = this.cluster.splits ? '?consistent' : '';
    const answer = await client.ask(port, 'GET', `/v1/health/service/${service}${mode}`);
    if (!isAnswer(answer)) return undefined;
    const row = (JSON.parse(answer.text) as Row[]).find(({ Service }) => Service.ID === id);
    const own = row?.Checks.find(({ CheckID }) => CheckID === `c-${id}`);
    return { port, status: own?.Status ?? '' };
  }

  async #watch(client: SimClient, number: number, untilMs: number): Promise<void> {
    const { world, doors } = this.cluster;
    const service = SERVICES[number % SERVICES.length] as string;
    const path = QUESTIONS[number % QUESTIONS.length]?.(service) as string;
    const isHealth = path.startsWith('/v1/health/service');
    let seen = 0;
    for (let at = doors.length - 1 - number; world.now < untilMs; ) {
      const port = doors[(at + number * doors.length) % doors.length] as number;
      const waiting = {
        service,
        seen,
        who: `${client.machine.name} at ${port}`,
        lateSince: undefined,
      };
      if (isHealth && seen > 0 && this.#isAlive(port)) this.#waiting.add(waiting);
      const timeoutMs = LATEST_MS;
      const answer = await client.ask(port, 'GET', this.#waitFor(path, seen), { timeoutMs });
      this.#waiting.delete(waiting);
      if (isAnswer(answer)) seen = answer.index;
      else await client.pause(RETRY_MS);
      if (!isAnswer(answer) || world.random.next() < 0.2) at++;
    }
  }

  #waitFor(path: string, seen: number): string {
    const { world, splits } = this.cluster;
    const mode = splits ? 'consistent' : MODES[Math.floor(world.random.next() * MODES.length)];
    return `${path}${path.includes('?') ? '&' : '?'}${mode}&index=${seen}&wait=${WAIT_S}s`;
  }

  /** Waits at one that dies or stands still are of no account. */
  #isAlive(port: number): boolean {
    const { servers, agents } = this.cluster;
    const agent = agents.find((each) => each.port === port);
    return servers.some((each) => each.port === port) || agent?.bornAt !== undefined;
  }

  async #look(untilMs: number): Promise<void> {
    const { world } = this.cluster;
    while (world.now < untilMs) {
      for (const waiting of this.#waiting) this.#judge(waiting);
      await world.sleep(LOOK_MS);
    }
  }

  /** From outside: whether all servers know of what a waiter is not told. */
  #judge(waiting: Waiting): void {
    const { world, servers, calmMs } = this.cluster;
    const known = servers.map(
      ({ process }) => process?.state.topics.indexOf(healthTopic(waiting.service)) ?? 0,
    );
    if (calmMs < HEALED_MS || Math.min(...known) <= waiting.seen) waiting.lateSince = undefined;
    else waiting.lateSince ??= world.now;
    if (waiting.lateSince === undefined || world.now - waiting.lateSince <= WAKE_MS) return;
    const what = `${waiting.who} has ${waiting.seen} of ${waiting.service}, servers ${known.join()}`;
    this.violations.add('who waits at an agent is not told', what);
  }
}

function isAnswer(answer: Answer | undefined): answer is Answer {
  return answer?.status === 200;
}
