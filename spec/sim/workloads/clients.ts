/** What workloads share: clients that do things to any server, and what they saw that must not be. */
import { SimClient } from '../client.ts';
import type { SimCluster } from '../cluster.ts';
import { Violations, type Workload } from './workload.ts';

/** Where nothing goes wrong little is found: clients take so many times longer over everything. */
const CALM = 4;

export abstract class Clients implements Workload {
  protected readonly cluster: SimCluster;
  protected readonly violations: Violations;

  constructor(cluster: SimCluster) {
    this.cluster = cluster;
    this.violations = new Violations(cluster.world);
  }

  abstract run(untilMs: number): Promise<void>;

  verdict(): readonly string[] {
    return this.violations.all;
  }

  /** So many clients of this name, with their numbers, from 0 on; until all of them are done. */
  protected async each(
    name: string,
    count: number,
    work: (client: SimClient, number: number) => Promise<void>,
  ): Promise<void> {
    const { world } = this.cluster;
    const clients = Array.from(
      { length: count },
      (_, i) => new SimClient(world, `${name}${i + 1}`),
    );
    await Promise.all(clients.map((client, i) => client.run(() => work(client, i))));
  }

  /** What one more client does, of no number. */
  protected async as<T>(name: string, work: (client: SimClient) => Promise<T>): Promise<T> {
    const client = new SimClient(this.cluster.world, name);
    return await client.run(() => work(client));
  }

  /** Between one thing that a client does and the next: so long on average, while something goes wrong. */
  protected async rest(client: SimClient, ms: number): Promise<void> {
    const { world, isCalm } = this.cluster;
    await client.pause(ms * 2 * world.random.next() * (isCalm ? CALM : 1));
  }

  protected anyPort(): number {
    const { servers, world } = this.cluster;
    return servers[Math.floor(world.random.next() * servers.length)]?.port ?? 0;
  }
}
