/** The leases of agents and servers: a beat renews one, and who stops beating has failed. */
import { MEMBER_STATUS } from '../../lib/membership.ts';
import type { Command } from '../commands.ts';
import { leaseMs } from '../state/beat-pace.ts';
import type { Outcome } from '../state/outcome.ts';
import type { State } from '../state/state.ts';
import { fold } from '../state/topic-names.ts';
import type { LeaseKind } from './keeper.ts';

const PREFIX = 'agent/';

export function agentLease(node: string): string {
  return PREFIX + fold(node);
}

export interface AgentLeasesDeps {
  readonly state: () => State;
  readonly propose: (command: Command) => Promise<Outcome>;
}

export class AgentLeases implements LeaseKind {
  readonly prefix = PREFIX;
  readonly #deps: AgentLeasesDeps;

  constructor(deps: AgentLeasesDeps) {
    this.#deps = deps;
  }

  readonly held = (): [string, number][] =>
    [...this.#deps.state().members.values()]
      .filter(({ Status }) => Status === MEMBER_STATUS.alive)
      .map((member) => [fold(member.Node), leaseMs(this.#deps.state(), member)]);

  /** By their folded names. */
  async ended(names: readonly string[]): Promise<boolean> {
    const { state, propose } = this.#deps;
    const nodes = names
      .map((name) => state().members.get(name))
      .filter((known) => known !== undefined)
      .filter(({ Status }) => Status === MEMBER_STATUS.alive)
      .map(({ Node }) => Node);
    if (nodes.length === 0) return true;
    const { term } = state().leadership;
    return (await propose({ type: 'members-failed', term, nodes })).applied;
  }
}
