/**
 * Who is there: agents and servers beat, here or to any other server. A beat renews a lease and is
 * no entry of the log; only what it changes is one.
 */

import { sameJson } from '../lib/equal.ts';
import { ProconsulError } from '../lib/errors.ts';
import {
  type Beat,
  type BeatAnswer,
  DEFAULT_BEAT_MS,
  MEMBER_STATUS,
  type Member,
  member,
  type ServerInfo,
} from '../lib/membership.ts';
import { SERF_HEALTH } from '../lib/model.ts';
import type { Command, MemberRow } from './commands.ts';
import type { Leases } from './leases.ts';
import type { Known } from './state/known-member.ts';
import type { Outcome } from './state/outcome.ts';
import type { State } from './state/state.ts';
import { fold } from './state/topic-names.ts';

/** Beyond so many beats a second the servers ask for fewer, up to a point. */
const MAX_BEATS_PER_SECOND = 1000;
const MAX_BEAT_MS = 4000;
/** A lease outlives its beat by so much: one beat may be lost on the way. */
const LEASE_SLACK_MS = 4000;

const AGENT = 'agent/';

export function agentLease(node: string): string {
  return AGENT + fold(node);
}

/** The folded name of the node whose lease this is; undefined for other leases. */
export function nodeOfLease(id: string): string | undefined {
  return id.startsWith(AGENT) ? id.slice(AGENT.length) : undefined;
}

export interface MembersOptions {
  readonly state: () => State;
  readonly propose: (command: Command) => Promise<Outcome>;
  readonly leases: Leases;
  readonly datacenter: string;
}

export class Members {
  readonly #options: MembersOptions;

  constructor(options: MembersOptions) {
    this.#options = options;
  }

  /** In the order of names. */
  list(): Member[] {
    return this.#rows().map(({ Node, Address, Port, Tags, Status }) =>
      member({ Name: Node, Addr: Address, Port, Tags, Status }),
    );
  }

  /** The members that are servers and live. */
  servers(): ServerInfo[] {
    return this.#rows()
      .filter(({ Tags, Status }) => Tags['role'] === 'consul' && Status === MEMBER_STATUS.alive)
      .map(({ ID, Node, Address, Tags }) => ({
        ID,
        Node,
        Datacenter: this.#options.datacenter,
        Url: `http://${Address.includes(':') ? `[${Address}]` : Address}:${Tags['port']}`,
      }));
  }

  /** Takes a beat; refuses one of a machine whose name another one has that lives. */
  async beat(beat: Beat): Promise<BeatAnswer> {
    const { leases } = this.#options;
    if (fold(beat.Datacenter) !== fold(this.#options.datacenter)) {
      const text = `agent of data centre ${beat.Datacenter} beats in ${this.#options.datacenter}`;
      throw new ProconsulError('invalid', text);
    }
    const { ID, Node, Address, LanPort: Port, Tags } = beat;
    await this.#makeAlive({ ID, Node, Address, Port, Tags });
    const NextMs = this.#beatMs();
    await leases.renew(agentLease(Node), NextMs + LEASE_SLACK_MS);
    return { Servers: this.servers(), Known: this.#isKnown(beat), NextMs };
  }

  /** Its node goes from the catalog with all that is on it. */
  async leave(node: string): Promise<void> {
    await this.#options.propose({ type: 'member-left', node, prune: false });
    await this.#options.leases.drop(agentLease(node));
  }

  /** Takes out a node that is dead; false when nobody knows it. */
  async forceLeave(node: string, prune: boolean): Promise<boolean> {
    const { state, propose, leases } = this.#options;
    if (state().members.get(fold(node)) === undefined) return false;
    await propose({ type: 'member-left', node, prune });
    await leases.drop(agentLease(node));
    return true;
  }

  async #makeAlive(row: MemberRow): Promise<void> {
    const { state, propose } = this.#options;
    const before = state().members.get(fold(row.Node));
    if (before !== undefined && isSame(before, row) && !this.#looksDead(row)) return;
    const { applied } = await propose({ type: 'member-alive', member: row });
    if (applied) return;
    const owner = `${before?.ID} (${before?.Address})`;
    throw new ProconsulError(
      'rejected',
      `Node name ${row.Node} is reserved by node ${owner}, which is alive`,
    );
  }

  /** The catalog may say otherwise, such as after its node was registered by hand. */
  #looksDead({ ID, Node }: MemberRow): boolean {
    const { catalog } = this.#options.state();
    return catalog.node(Node)?.ID === ID && catalog.check(Node, SERF_HEALTH)?.Status === 'critical';
  }

  #isKnown({ ID, Node }: Beat): boolean {
    const { catalog } = this.#options.state();
    return catalog.node(Node)?.ID === ID && catalog.check(Node, SERF_HEALTH) !== undefined;
  }

  #beatMs(): number {
    const wanted = (this.#options.state().members.size / MAX_BEATS_PER_SECOND) * 1000;
    return Math.min(MAX_BEAT_MS, Math.max(DEFAULT_BEAT_MS, Math.ceil(wanted)));
  }

  #rows(): Known[] {
    return [...this.#options.state().members.values()].sort((a, b) => (a.Node < b.Node ? -1 : 1));
  }
}

function isSame(known: Known, { ID, Node, Address, Port, Tags }: MemberRow): boolean {
  return (
    known.Status === MEMBER_STATUS.alive &&
    known.ID === ID &&
    known.Node === Node &&
    known.Address === Address &&
    known.Port === Port &&
    sameJson(known.Tags, Tags)
  );
}
