/**
 * Agents that look at programs beside them, by HTTP and TCP, and one whose program has to report. After a rest
 * every server knows how each is; whoever has fallen silent is critical.
 */
import type { SimAgent } from '../agent.ts';
import type { SimClient } from '../client.ts';
import { type Looked, Looks } from './looks.ts';

const PAUSE_MS = 2500;
const RETRY_MS = 300;
const TTL_MS = 2000;
const REPORT_MS = 500;
/** Who has been here for so long, and not stood still, has looked. */
const LOOKED_MS = 12_000;
const REPORTED = 'reported';

export class Probes extends Looks {
  async run(untilMs: number): Promise<void> {
    const clients = this.cluster.agents.map((agent) =>
      this.as(`z${agent.machine.name}`, (client) => this.#work(client, agent, untilMs)),
    );
    await Promise.all([...clients, this.watch(untilMs, (looked) => this.#isSeen(looked))]);
  }

  async look(): Promise<void> {
    this.judge();
    for (const { machine, process } of this.cluster.servers) {
      for (const agent of this.cluster.agents) {
        const { name } = agent.machine;
        const row = process?.state.catalog.check(name, REPORTED);
        if (row?.Status === 'critical') continue;
        const what = `${name} at ${machine.name}: ${row?.Status}`;
        this.violations.add('a check that nobody reports is not critical', what);
      }
    }
  }

  #isSeen({ node }: Looked): boolean {
    const { agents, world } = this.cluster;
    const agent = agents.find(({ machine }) => machine.name === node);
    if (agent?.bornAt === undefined) return false;
    const since = Math.max(agent.bornAt, agent.machine.frozenUntil, agent.unheardUntil);
    return world.now - since > LOOKED_MS;
  }

  async #work(client: SimClient, agent: SimAgent, untilMs: number): Promise<void> {
    const { world } = this.cluster;
    const target = this.target();
    const { name } = agent.machine;
    const at = `127.0.0.1:${target.port}`;
    const times = { Interval: '1s', Timeout: '500ms' };
    await this.#register(client, agent, { ID: 'http', HTTP: `http://${at}/`, ...times }, untilMs);
    await this.#register(client, agent, { ID: 'tcp', TCP: at, ...times }, untilMs);
    await this.#register(client, agent, { ID: REPORTED, TTL: `${TTL_MS}ms` }, untilMs);
    for (const kind of ['http', 'tcp'] as const) {
      this.looked.push({ node: name, check: kind, kind, target });
    }
    void this.#report(client, agent, untilMs);
    while (world.now < untilMs) {
      await this.rest(client, PAUSE_MS);
      target.become(this.anyMood());
    }
  }

  async #report(client: SimClient, { port }: SimAgent, untilMs: number): Promise<void> {
    while (this.cluster.world.now < untilMs) {
      await client.ask(port, 'PUT', `/v1/agent/check/pass/${REPORTED}`);
      await client.pause(REPORT_MS);
    }
  }

  async #register(
    client: SimClient,
    { port }: SimAgent,
    check: Readonly<Record<string, string>>,
    untilMs: number,
  ): Promise<void> {
    const body = JSON.stringify({ Name: check['ID'], ...check });
    while (this.cluster.world.now < untilMs) {
      const answer = await client.ask(port, 'PUT', '/v1/agent/check/register', { body });
      if (answer?.status === 200) return;
      await client.pause(RETRY_MS);
    }
  }
}
