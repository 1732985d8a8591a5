/**
 * Who is there: agents and servers beat, here or to any other server. A beat renews a lease and is
 * no entry of the log; only what it changes is one. What a beat costs does not grow with the cluster.
 */

import { SERVICE_SCALING } from '../../lib/config-entries/kinds/service-scaling.ts';
import { sameJson } from '../../lib/equal.ts';
import { ProconsulError } from '../../lib/errors.ts';
import {
  type Beat,
  type BeatAnswer,
  type Leave,
  MEMBER_STATUS,
  type Member,
  member,
  type ServerInfo,
} from '../../lib/membership.ts';
import { SERF_HEALTH } from '../../lib/model.ts';
import type { Command, MemberRow } from '../commands.ts';
import type { Leases } from '../leases.ts';
import { beatMs, leaseMs } from '../state/beat-pace.ts';
import { namesake } from '../state/members.ts';
import type { Outcome } from '../state/outcome.ts';
import type { KnownMember, State } from '../state/state.ts';
import { fold } from '../state/topic-names.ts';
import { agentLease } from './agent-leases.ts';

export interface MembersDeps {
  readonly state: () => State;
  readonly propose: (command: Command) => Promise<Outcome>;
  readonly leases: Pick<Leases, 'renew' | 'drop'>;
  readonly datacenter: string;
}

export class Members {
  readonly #deps: MembersDeps;
  /** The rows of those that live, and what is told of them: each beat is answered with it. */
  #live: readonly KnownMember[] = [];
  #servers: readonly ServerInfo[] = [];

  constructor(deps: MembersDeps) {
    this.#deps = deps;
  }

  /** In the order of names. */
  list(): Member[] {
    return [...this.#deps.state().members.values()]
      .sort(byName)
      .map(({ Node, Address, Port, Tags, Status }) =>
        member({ Name: Node, Addr: Address, Port, Tags, Status }),
      );
  }

  /** The members that are servers and live, in the order of names. */
  servers(): readonly ServerInfo[] {
    const live = [...this.#deps.state().liveServers.values()];
    const isSame =
      live.length === this.#live.length && live.every((row, i) => row === this.#live[i]);
    if (isSame) return this.#servers;
    this.#live = live;
    this.#servers = live.toSorted(byName).map(({ ID, Node, Address, Tags }) => ({
      ID,
      Node,
      Datacenter: this.#deps.datacenter,
      Url: `${Tags['use_tls'] === '1' ? 'https' : 'http'}://${Address.includes(':') ? `[${Address}]` : Address}:${Tags['port']}`,
    }));
    return this.#servers;
  }

  /** Takes a beat; refuses one of a machine whose name another one has that lives. */
  async beat(beat: Beat): Promise<BeatAnswer> {
    const { leases, datacenter } = this.#deps;
    if (fold(beat.Datacenter) !== fold(datacenter)) {
      const text = `agent of data centre ${beat.Datacenter} beats in ${datacenter}`;
      throw new ProconsulError('invalid', text);
    }
    const { ID, Node, Address, LanPort: Port, Tags } = beat;
    await this.#makeAlive({ ID, Node, Address, Port, Tags });
    const NextMs = beatMs(this.#deps.state(), beat);
    await leases.renew(agentLease(Node), leaseMs(this.#deps.state(), beat), 'patient');
    const WantsLoad = !this.#deps.state().configEntries.isEmptyOf(SERVICE_SCALING.kind);
    const answer = { Servers: this.servers(), Known: this.#isKnown(beat), NextMs };
    return WantsLoad ? { ...answer, WantsLoad } : answer;
  }

  /** Its node goes from the catalog with all that is on it; nothing of another machine's goes. */
  async leave({ ID, Node }: Leave): Promise<void> {
    const { applied } = await this.#deps.propose({
      type: 'member-left',
      node: Node,
      id: ID,
      prune: false,
    });
    if (applied) await this.#deps.leases.drop(agentLease(Node));
  }

  /**
   * Takes out a node that is dead; false when nobody knows it. To one that lives nothing happens, as
   * in Consul: what is on it is not ours to remove, and it would be back with its next beat.
   */
  async forceLeave(node: string, prune: boolean): Promise<boolean> {
    const { state, propose, leases } = this.#deps;
    const known = state().members.get(fold(node));
    if (known === undefined) return false;
    if (known.Status === MEMBER_STATUS.alive) return true;
    const { applied } = await propose({
      type: 'member-left',
      node,
      id: known.ID,
      onlyDead: true,
      prune,
    });
    if (applied) await leases.drop(agentLease(node));
    return true;
  }

  async #makeAlive(row: MemberRow): Promise<void> {
    const { state, propose } = this.#deps;
    const before = state().members.get(fold(row.Node));
    if (before !== undefined && isSame(before, row) && !this.#looksDead(row)) return;
    const { applied } = await propose({ type: 'member-alive', member: row });
    if (applied) return;
    const other = namesake(state(), row);
    if (other !== undefined) {
      const whose = `node ${other.Node} (${other.Address}), which is alive`;
      throw new ProconsulError('rejected', `Node id ${row.ID} of ${row.Node} is that of ${whose}`);
    }
    const owner = state().members.get(fold(row.Node));
    throw new ProconsulError(
      'rejected',
      `Node name ${row.Node} is reserved by node ${owner?.ID} (${owner?.Address}), which is alive`,
    );
  }

  /** The catalog may say otherwise, such as after its node was registered by hand. */
  #looksDead({ ID, Node }: MemberRow): boolean {
    const { catalog } = this.#deps.state();
    return catalog.node(Node)?.ID === ID && catalog.check(Node, SERF_HEALTH)?.Status === 'critical';
  }

  #isKnown({ ID, Node }: Beat): boolean {
    const { catalog } = this.#deps.state();
    return catalog.node(Node)?.ID === ID && catalog.check(Node, SERF_HEALTH) !== undefined;
  }
}

function byName(a: KnownMember, b: KnownMember): number {
  return a.Node < b.Node ? -1 : 1;
}

function isSame(known: KnownMember, { ID, Node, Address, Port, Tags }: MemberRow): boolean {
  return (
    known.Status === MEMBER_STATUS.alive &&
    known.ID === ID &&
    known.Node === Node &&
    known.Address === Address &&
    known.Port === Port &&
    sameJson(known.Tags, Tags)
  );
}
