/**
 * What DNS says at any agent that answers: asked without staleness, a client finds of its own services
 * exactly what it was last told that it had done, and a prepared query's name comes to the same.
 */
import { type Answer, decode, encode } from 'dns-packet';
import type { SimAgent } from '../agent.ts';
import type { SimClient } from '../client.ts';
import { SimDatagrams } from '../world/datagrams.ts';
import { Clients } from './clients.ts';

const CLIENTS = 2;
const INSTANCES = 3;
const PAUSE_MS = 250;
/** As long as an agent may ask servers for it, and then some: nobody answers a question later. */
const ANSWER_MS = 8000;
const NO_ERROR = 0;
const NO_NAME = 3;

/** What a client has done. Whatever nobody answered makes all of it anew, under another name. */
interface Own {
  readonly service: string;
  readonly there: Set<number>;
}

export class Dns extends Clients {
  #made = 0;

  async run(untilMs: number): Promise<void> {
    await this.each('n', CLIENTS, (client) => this.#work(client, untilMs));
  }

  /** Everything has healed: whoever asks is answered. */
  async look(): Promise<void> {
    await this.as('asker', async (client) => {
      for (const agent of this.cluster.agents) {
        const found = await this.#ask(client, agent, 'nobody.service.consul');
        if (found !== undefined) continue;
        this.violations.add('an agent that has healed answers no DNS', agent.machine.name);
      }
    });
  }

  async #work(client: SimClient, untilMs: number): Promise<void> {
    const { world } = this.cluster;
    let own: Own | undefined;
    while (world.now < untilMs) {
      await this.rest(client, PAUSE_MS);
      if (own === undefined) own = await this.#begin(client);
      else if (world.random.next() < 0.6) await this.#resolve(client, own);
      else if (!(await this.#change(client, own))) own = undefined;
    }
  }

  async #begin(client: SimClient): Promise<Own | undefined> {
    const service = `dns-${client.machine.name}-${++this.#made}`;
    const body = JSON.stringify({ Name: service, Service: { Service: service } });
    const answer = await client.ask(this.anyPort(), 'POST', '/v1/query', { body });
    return answer?.status === 200 ? { service, there: new Set() } : undefined;
  }

  /** False where nobody knows whether it was done. */
  async #change(client: SimClient, { service, there }: Own): Promise<boolean> {
    const number = Math.floor(this.cluster.world.random.next() * INSTANCES);
    const ID = `${service}-${number}`;
    const isThere = there.has(number);
    const Node = `node-${ID}`;
    const what = isThere
      ? { Node }
      : { Node, Address: `10.3.0.${number}`, Service: { ID, Service: service, Port: number + 1 } };
    const path = `/v1/catalog/${isThere ? 'deregister' : 'register'}`;
    const body = JSON.stringify(what);
    const answer = await client.ask(this.anyPort(), 'PUT', path, { body });
    if (answer?.status !== 200) return false;
    if (isThere) there.delete(number);
    else there.add(number);
    return true;
  }

  async #resolve(client: SimClient, { service, there }: Own): Promise<void> {
    const { agents, splits, world } = this.cluster;
    const agent = agents[Math.floor(world.random.next() * agents.length)] as SimAgent;
    const kind = world.random.next() < 0.5 ? 'service' : 'query';
    const name = `${service}.${kind}.consul`;
    const expected = [...there].sort().join();
    const found = await this.#ask(client, agent, name);
    world.say(`${name} is ${found?.join() ?? 'not answered'} at ${agent.machine.name}`);
    // Who is parted from the others with one master may answer what was true before.
    if (found === undefined || splits || found.join() === expected) return;
    this.violations.add(
      'DNS shows what is not so',
      `${client.machine.name} of ${name} at ${agent.machine.name}: ${found.join()}, not ${expected}`,
    );
  }

  /** The numbers of the instances; undefined where nobody answered, or could. */
  async #ask(
    client: SimClient,
    { dnsPort }: SimAgent,
    name: string,
  ): Promise<readonly number[] | undefined> {
    const { world, network } = this.cluster;
    const socket = new SimDatagrams({ world, network, owner: world.here });
    const packet = encode({ type: 'query', id: 1, questions: [{ type: 'SRV', name }] });
    const answer = new Promise<Buffer>((resolve) => socket.once('message', resolve));
    socket.send(packet, 0, packet.length, dnsPort);
    const got = await Promise.race([answer, client.pause(ANSWER_MS)]);
    socket.close();
    if (got === undefined) return undefined;
    const { flags = 0, answers = [] } = decode(got);
    const code = flags & 0xf;
    if (code === NO_NAME) return [];
    return code === NO_ERROR ? answers.flatMap(numberOf).sort() : undefined;
  }
}

function numberOf(answer: Answer): number[] {
  return answer.type === 'SRV' ? [answer.data.port - 1] : [];
}
