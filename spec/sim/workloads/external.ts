/**
 * Nodes without an agent whose checks the servers look at, by HTTP and TCP, while programs there change how
 * they are. Whichever server looks, and where one of them is away: soon all know how each is.
 */
import type { SimClient } from '../client.ts';
import { HEALED_MS, type Looked, Looks } from './looks.ts';

/** So many that each server looks after some. */
const NODES = 9;
/** Longer than it takes to be known. */
const PAUSE_MS = 5000;
const RETRY_MS = 200;
/** Since one server has been away alone: by then the others look in its place. */
const TAKEN_OVER_MS = 10_000;

export class External extends Looks {
  async run(untilMs: number): Promise<void> {
    await Promise.all([
      this.each('x', NODES, (client, i) => this.#work(client, i, untilMs)),
      this.watch(untilMs, () => true),
    ]);
  }

  async look(): Promise<void> {
    this.judge();
  }

  protected override isTime(): boolean {
    return super.isTime() || this.#isTakenOver();
  }

  #isTakenOver(): boolean {
    const { servers, world } = this.cluster;
    const [gone, ...more] = servers.filter(({ downSince }) => downSince !== undefined);
    if (gone?.downSince === undefined || more.length > 0) return false;
    const downMs = world.now - gone.downSince;
    return downMs > TAKEN_OVER_MS && this.cluster.faultsWithin(HEALED_MS + downMs) === 1;
  }

  async #work(client: SimClient, number: number, untilMs: number): Promise<void> {
    const { world } = this.cluster;
    const target = this.target();
    const node = `external-${number}`;
    await this.#register(client, node, target.port, untilMs);
    for (const kind of ['http', 'tcp'] as const) {
      this.looked.push({ node, check: `${kind}-${node}`, kind, target } satisfies Looked);
    }
    while (world.now < untilMs) {
      await this.rest(client, PAUSE_MS);
      target.become(this.anyMood());
    }
  }

  async #register(client: SimClient, Node: string, port: number, untilMs: number): Promise<void> {
    const { world } = this.cluster;
    const times = { Interval: '1s', Timeout: '500ms' };
    const checks = {
      http: { HTTP: `http://127.0.0.1:${port}/` },
      tcp: { TCP: `127.0.0.1:${port}` },
    };
    const Checks = Object.entries(checks).map(([kind, where]) => ({
      ...{ CheckID: `${kind}-${Node}`, Name: kind, ServiceID: Node, Status: 'critical' },
      Definition: { ...where, ...times },
    }));
    const body = JSON.stringify({
      ...{ Node, Address: '127.0.0.1', Checks },
      NodeMeta: { 'external-node': 'true', 'external-probe': 'true' },
      Service: { ID: Node, Service: 'outside', Port: port },
    });
    while (world.now < untilMs) {
      const path = '/v1/catalog/register';
      const answer = await client.ask(this.anyServer(), 'PUT', path, { body });
      if (answer?.status === 200) return;
      await client.pause(RETRY_MS);
    }
  }
}
