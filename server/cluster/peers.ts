/** The servers of the cluster, as the operator's endpoints and status show them. */
import type { Clock } from '../../lib/clock.ts';
import { NS_PER_MS } from '../../lib/duration.ts';
import { hostPort } from '../../lib/ip.ts';
import { MEMBER_STATUS } from '../../lib/membership.ts';
import { CONSUL_VERSION } from '../../lib/version.ts';
import type { AutopilotSettings } from '../commands.ts';
import { autopilotSettings } from '../state/autopilot.ts';
import type { KnownMember, State } from '../state/state.ts';
import type { Leader } from './leader.ts';

/** A server of the cluster. */
export interface Peer {
  readonly id: string;
  readonly node: string;
  /** host:port, as Consul's servers speak to one another. */
  readonly address: string;
  readonly leader: boolean;
  /** It beats. One that failed is a peer until it is cleaned up or taken out. */
  readonly alive: boolean;
  /** Since when it lives or has failed, by the log's clock. */
  readonly since: number;
  readonly version: string;
  /** For how long nothing was heard of it where something should have been. */
  readonly silentMs: number;
  /** The index that it has applied, and how many entries it lacks. */
  readonly applied: number;
  readonly behind: number;
  /** By what autopilot was told. */
  readonly well: boolean;
}

export interface Cluster {
  /** In the order of their addresses: those that live, this one among them, and those that failed. */
  peers(): readonly Peer[];
  /** How many of them must live for a write to be acknowledged. */
  readonly needed: number;
  /** False where somebody else became the leader meanwhile. */
  handOverTo(server: string): Promise<boolean>;
}

/** A server, as the log has last heard of it. */
type Heard = Pick<Peer, 'silentMs' | 'applied' | 'behind'> & { readonly server: string };

export interface PeersDeps {
  readonly log: {
    servers(): { readonly seen: readonly Heard[]; readonly needed: number };
    status(): { readonly lastContactMs: number };
  };
  readonly state: () => State;
  readonly leader: Pick<Leader, 'knowsLeader' | 'handOverTo'>;
  /** Before its first beat a server knows of itself all the same. */
  readonly self: Pick<Peer, 'id' | 'node' | 'address'>;
  readonly clock: Pick<Clock, 'now'>;
}

/** Consul looks for dead servers so often. */
const CLEAN_UP_AFTER_MS = 10_000;

export class Peers implements Cluster {
  readonly #deps: PeersDeps;

  constructor(deps: PeersDeps) {
    this.#deps = deps;
  }

  get needed(): number {
    return this.#deps.log.servers().needed;
  }

  handOverTo(server: string): Promise<boolean> {
    return this.#deps.leader.handOverTo(server);
  }

  peers(): Peer[] {
    const { log, state, self } = this.#deps;
    const { liveServers, failedServers } = state();
    const { seen } = log.servers();
    const othersOf = (known: Iterable<KnownMember>) =>
      [...known].filter(({ ID }) => ID !== self.id);
    const living = othersOf(liveServers.values());
    const failed = this.#keptOf(othersOf(failedServers.values()), living.length + 1);
    const others = [...living, ...failed].map((known) => this.#other(known, seen));
    return [this.#self(seen), ...others].sort((a, b) => (a.address < b.address ? -1 : 1));
  }

  /** As Consul cleans up: only a minority, and not below what the operator wants to keep. */
  #keptOf(failed: readonly KnownMember[], living: number): readonly KnownMember[] {
    const { state, clock } = this.#deps;
    const { CleanupDeadServers, MinQuorum } = autopilotSettings(state());
    const isMinority = 2 * failed.length < failed.length + living;
    if (!CleanupDeadServers || !isMinority || living < Number(MinQuorum)) return failed;
    return failed.filter(({ since }) => clock.now() - since < CLEAN_UP_AFTER_MS);
  }

  #self(seen: readonly Heard[]): Peer {
    const { state, self, log } = this.#deps;
    const { liveServers, index, t } = state();
    const known = [...liveServers.values()].find(({ ID }) => ID === self.id);
    const heard = seen.find(({ server }) => server === self.id);
    return this.#judged({
      ...self,
      leader: this.#leads(self.id),
      alive: true,
      since: known?.since ?? t,
      version: CONSUL_VERSION,
      silentMs: heard?.silentMs ?? log.status().lastContactMs,
      applied: index,
      behind: heard?.behind ?? 0,
    });
  }

  #other(known: KnownMember, seen: readonly Heard[]): Peer {
    const { ID, Node, Address, Tags, Status, since } = known;
    const heard = seen.find(({ server }) => server === ID);
    return this.#judged({
      id: ID,
      node: Node,
      address: hostPort(Address, Tags['port'] ?? ''),
      leader: this.#leads(ID),
      alive: Status === MEMBER_STATUS.alive,
      since,
      version: (Tags['build'] ?? '').split(':', 1)[0] ?? '',
      silentMs: heard?.silentMs ?? Math.max(0, this.#deps.clock.now() - since),
      applied: heard === undefined ? 0 : heard.applied + this.#deps.state().jump,
      behind: heard?.behind ?? 0,
    });
  }

  #judged(peer: Omit<Peer, 'well'>): Peer {
    return { ...peer, well: isWell(peer, autopilotSettings(this.#deps.state())) };
  }

  #leads(id: string): boolean {
    const { leader, state } = this.#deps;
    return leader.knowsLeader && state().leadership.server === id;
  }
}

/** Whether a server keeps up: it lives, is heard of, and lacks no more than it may. */
function isWell(
  { alive, silentMs, behind }: Omit<Peer, 'well'>,
  { LastContactThreshold, MaxTrailingLogs }: AutopilotSettings,
): boolean {
  return alive && silentMs * NS_PER_MS <= LastContactThreshold && behind <= MaxTrailingLogs;
}
