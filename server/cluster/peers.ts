/** The servers of the cluster, as the operator's endpoints and status show them. */
import { hostPort } from '../../lib/ip.ts';
import type { State } from '../state/state.ts';

/** A server of the cluster. */
export interface Peer {
  readonly id: string;
  readonly node: string;
  /** host:port, as Consul's servers speak to one another. */
  readonly address: string;
  readonly leader: boolean;
  /** Since when it lives, by the log's clock. */
  readonly since: number;
}

export interface Cluster {
  peers(): readonly Peer[];
}

export interface PeersDeps {
  readonly state: () => State;
  readonly knowsLeader: () => boolean;
  /** Before its first beat a server knows of itself all the same. */
  readonly self: Pick<Peer, 'id' | 'node' | 'address'>;
}

export class Peers implements Cluster {
  readonly #deps: PeersDeps;

  constructor(deps: PeersDeps) {
    this.#deps = deps;
  }

  /** In the order of their addresses, this one among them. */
  peers(): Peer[] {
    const { self, state, knowsLeader } = this.#deps;
    const { id, node, address } = self;
    const { leadership, liveServers, t } = state();
    const leads = (id: string) => knowsLeader() && leadership.server === id;
    const servers = [...liveServers.values()];
    const others = servers
      .filter(({ ID }) => ID !== id)
      .map(({ ID, Node, Address, Tags, since }) => {
        const at = hostPort(Address, Tags['port'] ?? '');
        return { id: ID, node: Node, address: at, leader: leads(ID), since };
      });
    const since = servers.find(({ ID }) => ID === id)?.since ?? t;
    const own = { id, node, address, leader: leads(id), since };
    return [own, ...others].sort((a, b) => (a.address < b.address ? -1 : 1));
  }
}
