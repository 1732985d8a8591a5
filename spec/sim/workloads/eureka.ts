/**
 * Clients of Eureka that renew at any server that answers, and others that come and go, or fall silent. Who
 * renews is there all the time and never down; who does not goes. One keeps what it is told by changes alone, as
 * real clients do, and never finds that it comes to another hash. In the end Consul's clients see the same.
 */
import type { SimClient } from '../client.ts';
import { Clients } from './clients.ts';

const LIVING = 3;
const LEASE_S = 5;
const RENEW_MS = 1000;
const RETRY_MS = 200;
const LOOK_MS = 500;
const FETCH_MS = 700;
const COME_AND_GO_MS = 2500;
const FLIP_MS = 3000;
/** Of the run: then one falls silent for good. */
const SILENT = 0.3;
const GONE = 'z1';
const APP = 'SIM';
const JSON_FORM = 'application/json';

interface Seen {
  readonly instanceId: string;
  readonly app: string;
  readonly status: string;
  readonly actionType: string;
}

interface Listed {
  readonly applications: {
    readonly apps__hashcode: string;
    readonly application: readonly { readonly instance: readonly Seen[] }[];
  };
}

const pathOf = (id: string) => `/eureka/apps/${APP}/${id}`;

export class Eureka extends Clients {
  readonly #there = new Set<string>();

  async run(untilMs: number): Promise<void> {
    await Promise.all([
      this.each('e', LIVING, (client) => this.#live(client, untilMs)),
      this.as(GONE, (client) => this.#live(client, untilMs * SILENT)),
      this.as('y1', (client) => this.#comeAndGo(client, untilMs)),
      this.as('w1', (client) => this.#follow(client, untilMs)),
      this.as('k1', (client) => this.#flip(client, untilMs)),
      this.#look(untilMs),
    ]);
  }

  /** Whoever has been silent for so long is gone, and all say the same. */
  async look(): Promise<void> {
    for (const { machine, process } of this.cluster.servers) {
      if (process?.state.eureka.get(APP, GONE) === undefined) continue;
      this.violations.add(`${GONE} renews no more and is there`, machine.name);
    }
    await this.as('judge', async (client) => {
      for (const { port, machine } of this.cluster.servers)
        await this.#agree(client, port, machine.name);
    });
  }

  async #agree(client: SimClient, port: number, server: string): Promise<void> {
    const here = await this.#list(client, port, '/eureka/apps');
    const there = await client.ask(port, 'GET', `/v1/health/service/${APP.toLowerCase()}`);
    if (here === undefined || there?.status !== 200) {
      this.violations.add('a server that has healed answers nothing', server);
      return;
    }
    const rows = JSON.parse(there.text) as {
      readonly Service: { readonly ID: string };
      readonly Checks: readonly { readonly Status: string }[];
    }[];
    const byEureka = here.all
      .filter(({ app }) => app === APP)
      .map(({ instanceId, status }) => `${instanceId} ${status}`);
    const byConsul = rows.map(({ Service, Checks }) => {
      const isUp = Checks.every(({ Status }) => Status === 'passing');
      return `${Service.ID} ${isUp ? 'UP' : 'DOWN'}`;
    });
    if (byEureka.sort().join() === byConsul.sort().join()) return;
    this.violations.add('Consul and Eureka differ', `${server}: ${byConsul} and ${byEureka}`);
  }

  async #live(client: SimClient, untilMs: number): Promise<void> {
    const { world } = this.cluster;
    const { name } = client.machine;
    if (await this.#register(client, untilMs)) this.#there.add(name);
    while (world.now < untilMs) {
      await client.pause(RENEW_MS);
      const status = await this.#taken(client, 'PUT', pathOf(name), untilMs);
      if (status !== 404) continue;
      this.#lost(`${name} renews and is told that it is not there`);
      await this.#register(client, untilMs);
    }
    this.#there.delete(name);
  }

  /** Each time by another id: what was asked of a server that froze may be done late. */
  async #comeAndGo(client: SimClient, untilMs: number): Promise<void> {
    const { world } = this.cluster;
    for (let n = 1; world.now < untilMs; n++) {
      const id = `${client.machine.name}-${n}`;
      const since = world.now;
      const path = pathOf(id);
      const isThere = await this.#register(client, untilMs, id);
      const answer = await client.ask(this.anyServer(), 'PUT', path, { form: JSON_FORM });
      const isInTime = world.now - since < LEASE_S * 1000;
      if (isThere && isInTime && answer?.status === 404)
        this.#lost(`${id} has come and is not there`);
      await this.rest(client, COME_AND_GO_MS);
      await this.#taken(client, 'DELETE', path, untilMs);
      await this.rest(client, COME_AND_GO_MS);
    }
  }

  /** One of Consul's own instances, which stays, and whose check alone changes. */
  async #flip(client: SimClient, untilMs: number): Promise<void> {
    const { world } = this.cluster;
    const there = { Node: 'plain', Address: '10.6.0.9' };
    const Service = { ID: 'plain-1', Service: 'plain' };
    const path = '/v1/catalog/register';
    for (let n = 0; world.now < untilMs; n++) {
      const Status = n % 2 === 0 ? 'passing' : 'critical';
      const Check = { CheckID: 'plain', Name: 'plain', ServiceID: Service.ID, Status };
      const known = { ...there, SkipNodeUpdate: true, Check };
      const body = JSON.stringify(n === 0 ? { ...there, Service, Check } : known);
      const answer = await client.ask(this.anyServer(), 'PUT', path, { body });
      if (answer?.status !== 200 && n === 0) n--;
      await this.rest(client, FLIP_MS);
    }
  }

  async #register(client: SimClient, untilMs: number, id = client.machine.name): Promise<boolean> {
    const instance = {
      ...{ instanceId: id, hostName: `host-${id}`, app: APP, ipAddr: '10.6.0.1' },
      dataCenterInfo: {
        '@class': 'com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo',
        name: 'MyOwn',
      },
      leaseInfo: { renewalIntervalInSecs: RENEW_MS / 1000, durationInSecs: LEASE_S },
    };
    const body = JSON.stringify({ instance });
    const status = await this.#taken(client, 'POST', `/eureka/apps/${APP}`, untilMs, body);
    return status === 204;
  }

  /** What a server that was asked again and again said at last. */
  async #taken(
    client: SimClient,
    method: string,
    path: string,
    untilMs: number,
    body = '',
  ): Promise<number> {
    const { world } = this.cluster;
    for (let port = this.anyServer(); world.now < untilMs; port = this.nextServer(port)) {
      const sent = { body, timeoutMs: 1000, form: JSON_FORM };
      const answer = await client.ask(port, method, path, sent);
      if (answer !== undefined && (answer.status < 300 || answer.status === 404)) {
        return answer.status;
      }
      await client.pause(RETRY_MS);
    }
    return 0;
  }

  /** Takes everything once, and from then on what has changed. */
  async #follow(client: SimClient, untilMs: number): Promise<void> {
    const { world } = this.cluster;
    let known: Map<string, string> | undefined;
    let jumps = 0;
    for (; world.now < untilMs; await this.rest(client, FETCH_MS)) {
      const path = known === undefined ? '/eureka/apps' : '/eureka/apps/delta';
      const found = await this.#list(client, this.anyServer(), path);
      if (found === undefined) continue;
      known ??= new Map();
      for (const { app, instanceId, status, actionType } of found.all) {
        if (actionType === 'DELETED') known.delete(`${app} ${instanceId}`);
        else known.set(`${app} ${instanceId}`, status);
      }
      const hash = hashOf(known.values());
      // What the log's clock has left behind by minutes is told to nobody any more: they take everything.
      const hasJumped = this.cluster.jumps > jumps;
      jumps = this.cluster.jumps;
      if (hash === found.hash) continue;
      known = undefined;
      if (this.cluster.splits || hasJumped) continue;
      this.violations.add('what has changed comes to another hash', `${hash}, and ${found.hash}`);
    }
  }

  async #list(client: SimClient, port: number, path: string) {
    const answer = await client.ask(port, 'GET', path, { form: JSON_FORM });
    if (answer?.status !== 200) return undefined;
    const { apps__hashcode: hash, application } = (JSON.parse(answer.text) as Listed).applications;
    return { hash, all: application.flatMap(({ instance }) => instance) };
  }

  #lost(what: string, where = ''): void {
    if (!this.cluster.mayEndLeases && !this.cluster.splits) this.violations.add(what, where);
  }

  /** From outside: what each server's state says of those that live. */
  async #look(untilMs: number): Promise<void> {
    const { world, servers } = this.cluster;
    while (world.now < untilMs) {
      for (const { machine, process } of servers) {
        for (const id of this.#there) {
          const row = process?.state.eureka.get(APP, id);
          if (row?.Lapsed === true) this.#lost(`${id} renews and is down`, machine.name);
        }
      }
      await world.sleep(LOOK_MS);
    }
  }
}

function hashOf(statuses: Iterable<string>): string {
  const counts = new Map<string, number>();
  for (const status of statuses) counts.set(status, (counts.get(status) ?? 0) + 1);
  return [...counts.keys()]
    .sort()
    .map((status) => `${status}_${counts.get(status)}_`)
    .join('');
}
