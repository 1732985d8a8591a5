/**
 * Programs that call services through proxies beside them, which follow agents that die and come back. A service
 * whose instances stay is called without a loss whatever becomes of servers and agents, once a proxy knows it; one
 * whose instances come and go by plan, where nothing is wrong, and nobody is led to an instance that has gone.
 */
import { SimClient } from '../client.ts';
import { MOVES, type SimSidecar, STAYS } from '../sidecar.ts';
import { Target } from '../target.ts';
import { Clients } from './clients.ts';

const INSTANCES = { [STAYS]: 2, [MOVES]: 4 } as const;
const CALL_MS = 250;
const PAUSE_MS = 2500;
const LIFE_MS = 12_000;
const DOWN_MS = 1000;
const RETRY_MS = 200;
const HEALED_MS = 20_000;
/** Between an instance's registration, or its end, and what proxies make of that, where nothing is wrong. */
const KNOWN_MS = 3000;
/** From its end until its program goes. */
const DRAIN_MS = 5000;
const LAST_CALLS = 8;
/** The last fault is long over by then. */
const GIVE_UP_MS = 15_000;

type Service = keyof typeof INSTANCES;

interface Instance {
  readonly service: Service;
  readonly name: string;
  readonly target: Target;
  isThere: boolean;
  /** When that was asked for; nobody knows until it is acknowledged. */
  since: number;
}

interface Call {
  readonly proxy: SimSidecar;
  readonly service: Service;
  readonly by: SimClient;
  readonly from: number;
  readonly life: number | undefined;
}

export class Proxies extends Clients {
  readonly #instances: Instance[] = [];
  /** Proxies that have led a call to a service, by their lives: they know an instance that stays. */
  readonly #met = new Set<string>();
  calls = 0;

  async run(untilMs: number): Promise<void> {
    const { sidecars, world, network } = this.cluster;
    for (const service of [STAYS, MOVES] as const) {
      for (let i = 0; i < INSTANCES[service]; i++) {
        const target = new Target(world, network);
        const name = `${service}-${i}`;
        this.#instances.push({ service, name, target, isThere: false, since: world.now });
      }
    }
    for (const each of sidecars) each.start();
    await Promise.all([
      this.each('po', this.#instances.length, (client, i) => this.#own(client, i, untilMs)),
      ...sidecars.map((proxy) => this.#begin(proxy, untilMs)),
      ...sidecars.flatMap((proxy) =>
        ([STAYS, MOVES] as const).map((service) => this.#use(proxy, service, untilMs)),
      ),
    ]);
  }

  async look(): Promise<void> {
    const { sidecars, world } = this.cluster;
    for (const proxy of sidecars) {
      const client = new SimClient(world, `${proxy.machine.name}l`);
      await client.run(async () => {
        for (let i = 0; i < LAST_CALLS; i++) {
          for (const service of [STAYS, MOVES] as const) {
            const isLost = !(await this.#call(client, proxy, service));
            if (isLost && this.#isThere(service, world.now))
              this.violations.add('all has healed, and a call is lost', client.machine.name);
          }
        }
      });
    }
  }

  /** The first of a service stays; of one whose instances move the others come and go. */
  async #own(client: SimClient, number: number, untilMs: number): Promise<void> {
    const { world } = this.cluster;
    const instance = this.#instances[number] as Instance;
    const { service, name, target } = instance;
    const stays = service === STAYS || name.endsWith('-0');
    while (world.now < untilMs) {
      target.become('well');
      if (!(await this.#say(client, instance, true))) return;
      if (stays) return;
      await this.rest(client, PAUSE_MS);
      if (!(await this.#say(client, instance, false))) return;
      await client.pause(DRAIN_MS);
      target.become('gone');
      await this.rest(client, PAUSE_MS);
    }
  }

  /** Again until it is acknowledged; false where the time is over before that. */
  async #say(client: SimClient, instance: Instance, isThere: boolean): Promise<boolean> {
    const { world } = this.cluster;
    const { service, name, target } = instance;
    const Service = { ID: name, Service: service, Port: target.port };
    const what = isThere ? { Node: name, Address: '127.0.0.1', Service } : { Node: name };
    const path = `/v1/catalog/${isThere ? 'register' : 'deregister'}`;
    const body = JSON.stringify(what);
    instance.isThere = false;
    instance.since = world.now;
    while (world.now < this.cluster.endsAt + GIVE_UP_MS) {
      const answer = await client.ask(this.anyServer(), 'PUT', path, { body });
      instance.since = world.now;
      instance.isThere = isThere && answer?.status === 200;
      if (answer?.status === 200) return true;
      await client.pause(RETRY_MS);
    }
    return false;
  }

  async #begin(proxy: SimSidecar, untilMs: number): Promise<void> {
    const { world } = this.cluster;
    const { random } = world;
    while (world.now < untilMs) {
      await world.sleep(LIFE_MS * (0.5 + random.next()));
      if (world.now >= untilMs) return;
      proxy.kill();
      await world.sleep(2 * DOWN_MS * random.next());
      proxy.start();
    }
  }

  async #use(proxy: SimSidecar, service: Service, untilMs: number): Promise<void> {
    const { world } = this.cluster;
    const client = new SimClient(world, `${proxy.machine.name}${service}`);
    await client.run(async () => {
      while (world.now < untilMs) {
        await this.#call(client, proxy, service);
        await this.rest(client, CALL_MS);
      }
    });
  }

  /** On a connection of its own: one that is kept would stay with its instance. */
  async #call(by: SimClient, proxy: SimSidecar, service: Service): Promise<boolean> {
    const { world } = this.cluster;
    const { bornAt: life } = proxy;
    const call = { proxy, service, by, from: world.now, life };
    const headers = { connection: 'close' };
    const answer = await by.ask(proxy.ports.get(service) ?? 0, 'GET', '/', { headers });
    this.calls++;
    if (answer?.status !== 200) {
      this.#judgeLost(call, answer?.status);
      return false;
    }
    if (life === proxy.bornAt) this.#met.add(lifeOf(call));
    this.#judgeWho(call, Number(answer.text.split(' ')[1]));
    return true;
  }

  #judgeLost(call: Call, status: number | undefined): void {
    const { proxy, service, by, from, life } = call;
    const { world, splits } = this.cluster;
    const stoodStill = Math.max(proxy.machine.frozenUntil, by.machine.frozenUntil) > from;
    if (life === undefined || life !== proxy.bornAt || stoodStill) return;
    if (!this.#isThere(service, from)) return;
    const isKnown = service === STAYS && !splits && this.#met.has(lifeOf(call));
    if (!isKnown && !this.#isHealed(proxy, from)) return;
    const tookMs = (world.now - from).toFixed(0);
    const what = `${by.machine.name}: ${status ?? 'no answer'} after ${tookMs} ms`;
    this.violations.add(
      `a call to what ${service} is lost`,
      `${what}, asked at ${from.toFixed(0)}`,
    );
  }

  /** Whether proxies could know of an instance that stays as long as the service does. */
  #isThere(service: Service, from: number): boolean {
    const [first] = this.#instances.filter((each) => each.service === service);
    return first?.isThere === true && first.since < from - KNOWN_MS;
  }

  #judgeWho({ proxy, service, by, from }: Call, port: number): void {
    if (!this.#isHealed(proxy, from)) return;
    const met = this.#instances.find(({ target }) => target.port === port);
    if (met?.service === service && (met.isThere || met.since > from - KNOWN_MS)) return;
    const what = `${by.machine.name} meets ${met?.name ?? port}, asked at ${from.toFixed(0)}`;
    this.violations.add('a call is led to who has gone', what);
  }

  #isHealed({ agent, bornAt = Number.POSITIVE_INFINITY }: SimSidecar, from: number): boolean {
    const { world, calmMs } = this.cluster;
    const livesMs = from - (agent.bornAt ?? Number.POSITIVE_INFINITY);
    const tookMs = world.now - from;
    return Math.min(calmMs - tookMs, livesMs) > HEALED_MS && from - bornAt > KNOWN_MS;
  }
}

function lifeOf({ proxy, service, life }: Call): string {
  return `${proxy.machine.name} ${life} ${service}`;
}
