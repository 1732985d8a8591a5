/**
 * Services that come, change and go, and a desk that is told: each notice begins with what the desk knew, and
 * after a rest it knows how everything is. Now and then it is busy, or takes a notice and says nothing.
 */
import type { ServiceStatus } from '../../../server/notice-commands.ts';
import { serviceHealth } from '../../../server/notify/service-health.ts';
import { toldKey } from '../../../server/state/told.ts';
import type { SimClient } from '../client.ts';
import { DESK, Desk, type Mood, type Told } from '../desk.ts';
import { Clients } from './clients.ts';

const SERVICES = ['notice-a', 'notice-b', 'notice-c'] as const;
const STATUSES = ['passing', 'warning', 'critical'] as const;
const CLIENTS = 2;
const PAUSE_MS = 1500;
const LOOK_MS = 250;
/** As long as it may take a notice to come, and a server to hear what was written of it. */
const KNOWN_MS = 8000;
const BUSY = 0.15;
const SILENT = 0.1;

/** What somebody may have taken the desk to know, and until when. */
interface Known {
  readonly status: ServiceStatus;
  readonly at: number;
}

export class Notices extends Clients {
  readonly #desk = new Desk(this.cluster.world);
  readonly #known = new Map<string, Known[]>();
  readonly #last = new Map<string, ServiceStatus>();
  #untilMs = 0;

  async run(untilMs: number): Promise<void> {
    this.#untilMs = untilMs;
    this.#desk.mood = () => this.#mood();
    this.#desk.onTold = (told) => this.#judge(told);
    await this.#desk.open();
    await Promise.all([
      this.each('v', CLIENTS, (client) => this.#work(client, untilMs)),
      this.#look(untilMs),
    ]);
  }

  /** Told as it is, however it came to be. */
  async look(): Promise<void> {
    for (const { machine, process } of this.cluster.servers) {
      for (const service of SERVICES) {
        if (process === undefined) continue;
        const { status } = serviceHealth(process.state, service);
        const last = this.#last.get(service) ?? 'absent';
        if (status === last) continue;
        const what = `${service} is ${status} at ${machine.name}, and it was told ${last}`;
        this.violations.add('the desk does not know how it is', what);
      }
    }
  }

  #mood(): Mood {
    const { world } = this.cluster;
    // What fails often is tried again after half a minute.
    if (world.now > this.#untilMs || this.cluster.isCalm) return 'takes';
    const chance = world.random.next();
    if (chance < BUSY) return 'is busy';
    return chance < BUSY + SILENT ? 'takes and says nothing' : 'takes';
  }

  async #work(client: SimClient, untilMs: number): Promise<void> {
    const { world } = this.cluster;
    const { random } = world;
    while (world.now < untilMs) {
      const service = SERVICES[Math.floor(random.next() * SERVICES.length)] ?? '';
      const Node = `${service}-${client.machine.name}`;
      const Status = STATUSES[Math.floor(random.next() * STATUSES.length)] ?? '';
      const isThere = random.next() < 0.75;
      const Check = { CheckID: 'c', Name: 'c', ServiceID: service, Status };
      const Service = { ID: service, Service: service };
      const what = isThere ? { Node, Address: '10.6.0.1', Service, Check } : { Node };
      const path = `/v1/catalog/${isThere ? 'register' : 'deregister'}`;
      const answer = await client.ask(this.anyPort(), 'PUT', path, { body: JSON.stringify(what) });
      world.say(`${Node} ${isThere ? Status : 'goes'}: ${answer?.status ?? 'no answer'}`);
      await this.rest(client, PAUSE_MS);
    }
  }

  #judge({ Service, From, To }: Told): void {
    const { world } = this.cluster;
    world.say(`the desk is told: ${Service} from ${From} to ${To}`);
    this.#see(Service);
    const known = this.#known.get(Service) ?? [];
    if (From !== this.#last.get(Service) && !known.some(({ status }) => status === From)) {
      const what = `${Service} from ${From}, and it knew ${this.#last.get(Service) ?? 'of none'}`;
      this.violations.add('a notice begins with what nobody was told', what);
    }
    this.#last.set(Service, To);
    known.push({ status: To, at: world.now });
    this.#known.set(Service, known);
  }

  async #look(untilMs: number): Promise<void> {
    const { world } = this.cluster;
    while (world.now < untilMs) {
      for (const service of SERVICES) this.#see(service);
      await world.sleep(LOOK_MS);
    }
  }

  /** What servers say that the desk was told last. */
  #see(service: string): void {
    const { world, servers } = this.cluster;
    const known = (this.#known.get(service) ?? []).filter(({ at }) => at > world.now - KNOWN_MS);
    for (const { process } of servers) {
      if (process === undefined) continue;
      const row = process.state.told.get(toldKey(DESK, service));
      known.push({ status: row?.Status ?? 'absent', at: world.now });
    }
    this.#known.set(service, known);
  }
}
