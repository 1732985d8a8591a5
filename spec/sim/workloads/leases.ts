/**
 * Holders of locks that renew their sessions, and agents that beat, both through any server that
 * answers. Whoever lives and tries keeps what it has: no session ends, no agent is called dead.
 */
import type { Beat } from '../../../lib/membership.ts';
import { SERF_HEALTH } from '../../../lib/model.ts';
import type { SimClient } from '../client.ts';
import { Clients } from './clients.ts';

const HOLDERS = 3;
const AGENTS = 3;
/** Those that stop renewing, one after the other, so that something is about to end at any time: it ends. */
const LOST = 4;
const TTL_MS = 10_000;
const BEAT_MS = 2000;
/** A holder that was answered tries again after so long; one that was not, at once. */
const RENEW_MS = 3000;
const RETRY_MS = 200;
const LOOK_MS = 500;
/** The last fault is long over by then. */
const GIVE_UP_MS = 15_000;

export class LeaseHolders extends Clients {
  #giveUpAt = 0;
  renewals = 0;
  beats = 0;

  async run(untilMs: number): Promise<void> {
    this.#giveUpAt = untilMs + GIVE_UP_MS;
    await Promise.all([
      this.each('h', HOLDERS, (holder) => this.#hold(holder, untilMs)),
      this.each('a', AGENTS, (agent) => this.#beat(agent, untilMs)),
      this.each('d', LOST, (agent, i) => this.#beat(agent, untilMs * lifeOf(i))),
      this.each('g', LOST, (holder, i) => this.#hold(holder, untilMs * lifeOf(i), true)),
      this.#look(untilMs),
    ]);
  }

  /** What was not renewed is gone by now, whatever clocks did. */
  async look(): Promise<void> {
    for (const { machine, process } of this.cluster.servers) {
      for (let i = 1; i <= LOST; i++) {
        const check = process?.state.catalog.check(`d${i}`, SERF_HEALTH);
        if (check?.Status !== 'critical') {
          this.violations.add(`d${i} is dead and not critical`, machine.name);
        }
        const held = process?.state.kv.get(`lock/g${i}`);
        if (held === undefined) continue;
        this.violations.add(`g${i} is gone and still has its lock`, machine.name);
      }
    }
  }

  #ended(what: string, where = ''): void {
    if (!this.cluster.mayEndLeases) this.violations.add(what, where);
  }

  /** Takes a session and a lock, and keeps both as long as the run lasts. */
  async #hold(holder: SimClient, untilMs: number, goes = false): Promise<void> {
    const { name } = holder.machine;
    const { world } = this.cluster;
    // It falls with the health of its node too, as every session does that says nothing else.
    const Node = `a${1 + (Number(name.slice(-1)) % AGENTS)}`;
    const body = JSON.stringify({ Node, TTL: `${TTL_MS / 1000}s`, Behavior: 'delete' });
    const made = await this.#untilAnswered(holder, 'PUT', '/v1/session/create', body);
    const { ID = '' } = JSON.parse(made || '{}') as { ID?: string };
    const key = `/v1/kv/lock/${name}`;
    const taken = await this.#untilAnswered(holder, 'PUT', `${key}?acquire=${ID}`, name);
    if (!taken.startsWith('true'))
      this.violations.add(`${name} does not get a lock that nobody has`);
    while (world.now < untilMs) {
      await this.#untilAnswered(holder, 'PUT', `/v1/session/renew/${ID}`, '', (status) => {
        if (status === 404) this.#ended(`the session of ${name} ended, which was renewed`);
      });
      this.renewals++;
      await holder.pause(RENEW_MS);
    }
    if (goes) return;
    const pair = await this.#untilAnswered(holder, 'GET', key);
    if (!pair.includes(ID)) this.#ended(`${name} has lost its lock`);
  }

  async #beat(agent: SimClient, untilMs: number): Promise<void> {
    const { name } = agent.machine;
    const beat: Beat = {
      ID: `00000000-0000-4000-b000-0000000000${name}`,
      Node: name,
      Datacenter: 'dc1',
      Address: `10.1.0.${name.slice(-1)}`,
      LanPort: 8301,
      Tags: { role: 'node' },
    };
    const { ID, Node, Address } = beat;
    const Check = { CheckID: SERF_HEALTH, Name: SERF_HEALTH, Status: 'passing' };
    const node = { ID, Node, Address, Check };
    await this.#untilAnswered(agent, 'PUT', '/v1/catalog/register', JSON.stringify(node));
    while (this.cluster.world.now < untilMs) {
      await this.#untilAnswered(agent, 'PUT', '/v1/internal/agent/beat', JSON.stringify(beat));
      this.beats++;
      await agent.pause(BEAT_MS);
    }
  }

  /** From outside, as nobody could: what each server's state says of the agents. */
  async #look(untilMs: number): Promise<void> {
    const { world, servers } = this.cluster;
    while (world.now < untilMs) {
      for (const { machine, process } of servers) {
        for (let i = 1; i <= AGENTS; i++) {
          const check = process?.state.catalog.check(`a${i}`, SERF_HEALTH);
          if (check?.Status === 'critical') {
            this.#ended(`a${i} lives and is critical`, machine.name);
          }
        }
      }
      await world.sleep(LOOK_MS);
    }
  }

  /** Asks one server after the other, and gives the text of the first answer. */
  async #untilAnswered(
    client: SimClient,
    method: string,
    path: string,
    body = '',
    other: (status: number) => void = () => undefined,
  ): Promise<string> {
    const { servers, world } = this.cluster;
    for (let i = 0; ; i++) {
      const port = servers[i % servers.length]?.port ?? 0;
      const answer = await client.ask(port, method, path, { body, timeoutMs: 1000 });
      if (answer?.status === 200) return answer.text;
      if (answer !== undefined) other(answer.status);
      if (answer?.status === 404) return answer.text;
      if (world.now > this.#giveUpAt) {
        this.violations.add(`${client.machine.name} gets no answer`, answer?.text);
        return '';
      }
      await client.pause(RETRY_MS);
    }
  }
}

/** Of the run. */
function lifeOf(number: number): number {
  return (number + 1) / (LOST + 1);
}
