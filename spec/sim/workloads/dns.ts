/**
 * What DNS says at any agent that answers: asked without staleness, a client finds of its own services
 * exactly what it was last told that it had done, and a prepared query's name comes to the same.
 */
import { type Answer, decode, encode } from 'dns-packet';
import type { SimAgent } from '../agent.ts';
import type { SimClient } from '../client.ts';
import { SimDatagrams } from '../world/datagrams.ts';
import { Owners } from './owners.ts';

/** As long as an agent may ask servers for it, and then some: nobody answers a question later. */
const ANSWER_MS = 8000;
const NO_ERROR = 0;
const NO_NAME = 3;

interface Own {
  readonly service: string;
  readonly there: Set<number>;
}

export class Dns extends Owners<Own> {
  protected readonly name = 'n';
  protected readonly pauseMs = 250;

  /** Everything has healed: whoever asks is answered. */
  async look(): Promise<void> {
    await this.as('asker', async (client) => {
      for (const agent of this.cluster.agents) {
        const found = await this.#resolve(client, agent, 'nobody.service.consul');
        if (found !== undefined) continue;
        this.violations.add('an agent that has healed answers no DNS', agent.machine.name);
      }
    });
  }

  protected async begin(client: SimClient, name: string): Promise<Own | undefined> {
    const service = `dns-${name}`;
    const body = { Name: service, Service: { Service: service } };
    const made = await this.do(client, 'POST', '/v1/query', body);
    return made === undefined ? undefined : { service, there: new Set() };
  }

  protected async change(client: SimClient, { service, there }: Own): Promise<boolean> {
    return await this.toggle(client, service, there);
  }

  protected async ask(client: SimClient, { service, there }: Own): Promise<void> {
    const { agents, splits, world } = this.cluster;
    const agent = agents[Math.floor(world.random.next() * agents.length)] as SimAgent;
    const kind = world.random.next() < 0.5 ? 'service' : 'query';
    const name = `${service}.${kind}.consul`;
    const expected = [...there].sort().join();
    const found = await this.#resolve(client, agent, name);
    world.say(`${name} is ${found?.join() ?? 'not answered'} at ${agent.machine.name}`);
    // Who is parted from the others with one master may answer what was true before.
    if (found === undefined || splits || found.join() === expected) return;
    this.violations.add(
      'DNS shows what is not so',
      `${client.machine.name} of ${name} at ${agent.machine.name}: ${found.join()}, not ${expected}`,
    );
  }

  /** The numbers of the instances; undefined where nobody answered, or could. */
  async #resolve(
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
