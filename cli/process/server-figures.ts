/** The figures of /v1/agent/self that only a server has. */
import type { Config } from '../../lib/config/config.ts';
import type { Server } from '../../server/server.ts';

type Figured = Pick<Server, 'state' | 'knowsLeader' | 'deps'>;
type ServerFigures = ReturnType<typeof figuresOf>;

interface Known {
  readonly state: object;
  readonly position: number;
  readonly knowsLeader: boolean;
  readonly figures: ServerFigures;
}

/**
 * They follow from the log and from whether its leader lives, so that they are the very same objects until one
 * of these changes: agent/self is asked by every client's health check, and compares them each time.
 */
export function serverFigures(server: Figured, config: Config): () => ServerFigures {
  let known: Known | undefined;
  return () => {
    const { state, knowsLeader } = server;
    const { position } = state;
    // A server that has failed is a peer until some time has passed.
    const isLasting = state.failedServers.size === 0;
    const isSame =
      known?.state === state && known.position === position && known.knowsLeader === knowsLeader;
    if (known !== undefined && isLasting && isSame) return known.figures;
    const figures = figuresOf(server, config);
    known = { state, position, knowsLeader, figures };
    return figures;
  };
}

function figuresOf({ state, deps }: Figured, config: Config) {
  const peers = deps.cluster.peers();
  const leader = peers.find((peer) => peer.leader);
  const position = String(state.position);
  return {
    consul: {
      acl: config.acl.enabled ? 'enabled' : 'disabled',
      bootstrap: String(config.bootstrap),
      known_datacenters: '1',
      leader: String(leader?.node === config.nodeName),
      leader_addr: leader?.address ?? '',
      server: 'true',
    },
    raft: {
      applied_index: position,
      commit_index: position,
      last_log_index: position,
      num_peers: String(peers.length - 1),
      state: leader?.node === config.nodeName ? 'Leader' : 'Follower',
    },
  };
}
