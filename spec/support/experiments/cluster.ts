/** Servers that lead by one log and one set of leases, without HTTP: each may stall or be gone. */
import { type Logger, silentLogger } from '../../../lib/logger.ts';
import { AgentLeases } from '../../../server/cluster/agent-leases.ts';
import { Keeper } from '../../../server/cluster/keeper.ts';
import { Leader } from '../../../server/cluster/leader.ts';
import { Members } from '../../../server/cluster/members.ts';
import { MemoryLeases } from '../../../server/cluster/memory-leases.ts';
import { Reaper } from '../../../server/cluster/reaper.ts';
import { SessionLeases } from '../../../server/cluster/session-leases.ts';
import type { Command } from '../../../server/commands.ts';
import type { Leases } from '../../../server/leases.ts';
import type { Outcome } from '../../../server/state/outcome.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { History } from './history.ts';

const HOUR_MS = 3_600_000;

export class Cluster {
  readonly clock = new FakeClock();
  readonly leases: Leases;
  readonly history = new History();
  /** What reached the log. */
  readonly commands: Command[] = [];
  readonly lines: string[] = [];
  readonly members: Members;
  readonly sessions: SessionLeases;
  /** What is thrown where a command is proposed. */
  refusal: (command: Command) => Error | undefined = () => undefined;

  constructor(leasesOn: (clock: FakeClock) => Leases = (clock) => new MemoryLeases(clock)) {
    this.leases = leasesOn(this.clock);
    const { leases, state, propose } = this;
    this.members = new Members({ leases, state, propose, datacenter: 'dc1' });
    this.sessions = new SessionLeases({ leases, state, propose, logger: silentLogger });
  }

  readonly state = () => this.history.state;

  readonly propose = async (command: Command): Promise<Outcome> => {
    const refusal = this.refusal(command);
    if (refusal !== undefined) throw refusal;
    this.commands.push(command);
    return this.history.run(command, 1).outcome;
  };

  leader(server: string, reconnectTimeoutMs = 72 * HOUR_MS): Leader {
    const { leases, state, propose, clock, sessions } = this;
    const say = (line: string) => void this.lines.push(line);
    const logger: Logger = { ...silentLogger, info: say, warn: say };
    const agents = new AgentLeases({ state, propose });
    return new Leader({ server, leases, state, propose, clock, logger }, [
      new Keeper({ leases, kinds: [sessions, agents], clock, logger }),
      new Reaper({ state, propose, clock, logger, reconnectTimeoutMs }),
    ]);
  }

  /** An agent of this name says that it lives. */
  async beat(Node: string, ID = `id-of-${Node}`): Promise<void> {
    const Tags = { role: 'node' };
    const Address = '10.0.0.1';
    await this.members.beat({ ID, Node, Address, Datacenter: 'dc1', LanPort: 8301, Tags });
  }

  statusOf(node: string): number | undefined {
    return this.state().members.get(node)?.Status;
  }
}
