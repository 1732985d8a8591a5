/** /v1/operator: what operators' tools read and change of a cluster that in Consul is Raft's. */

import { ProconsulError } from '../../../lib/errors.ts';
import type { Params } from '../../../lib/http/params.ts';
import type { Reply } from '../../../lib/http/reply.ts';
import { needs } from '../../../lib/http/right.ts';
import type { HttpRequest, Route } from '../../../lib/http/route.ts';
import { CONSISTENCY, param } from '../../../lib/http/takes.ts';
import type { Peer } from '../../cluster/peers.ts';
import type { Consistency } from '../../readiness.ts';
import type { ClusterDeps, KeyringDeps, LogDeps, PlaceDeps, ReadDeps, WriteDeps } from '../deps.ts';
import { fresh } from '../reads.ts';
import { autopilotRoutes } from './autopilot.ts';
import { keyringRoutes } from './keyring.ts';
import { kvRevisionsRoutes } from './kv-revisions.ts';
import { logRoutes } from './log.ts';
import { usageOf } from './usage.ts';

type Deps = ReadDeps & WriteDeps & PlaceDeps & ClusterDeps & KeyringDeps & LogDeps;

export function operatorRoutes(deps: Deps): Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/operator/raft/configuration',
      params: CONSISTENCY,
      right: needs('operator:read'),
      does: 'lists the servers',
      handle: async (request) => {
        return await fresh(deps, request, () => ({ json: raftConfiguration(deps) }));
      },
    },
    {
      method: 'DELETE',
      path: '/v1/operator/raft/peer',
      params: {
        id: param.text('the id of the server'),
        address: param.text('its address and port; one of the two'),
      },
      right: needs('operator:write'),
      does: 'takes out a server that has failed',
      handle: (request) => removePeer(deps, request),
    },
    {
      method: 'POST',
      path: '/v1/operator/raft/transfer-leader',
      params: { id: param.text('of the server that is to lead') },
      right: needs('operator:write'),
      does: 'makes another server the leader; with ?id that one',
      handle: ({ params }) => transferLeader(deps, params.get('id')),
    },
    {
      method: 'GET',
      path: '/v1/operator/usage',
      params: CONSISTENCY,
      right: needs('operator:read'),
      does: 'counts nodes, services and instances',
      handle: async (request) => {
        return await fresh(deps, request, (consistency) => usageReply(deps, consistency));
      },
    },
    ...autopilotRoutes(deps),
    ...keyringRoutes(deps),
    ...kvRevisionsRoutes(deps),
    ...logRoutes(deps),
  ];
}

function raftConfiguration({ cluster, node }: Deps) {
  const Servers = cluster.peers().map((peer) => ({
    ID: peer.id,
    Node: peer.node || node,
    Address: peer.address,
    Leader: peer.leader,
    ProtocolVersion: '3',
    Voter: true,
  }));
  return { Servers, Index: 0 };
}

/**
 * A server that lives cannot be taken out: it would be back with its next beat. One that failed leaves
 * as by force-leave, with its node.
 */
async function removePeer({ cluster, members }: Deps, { params }: HttpRequest): Promise<Reply> {
  const isNamed = namedPeer(params);
  const named = cluster.peers().filter(isNamed.by);
  // A machine may have come to the address of one that failed.
  const peer = named.find(({ alive }) => !alive) ?? named[0];
  if (peer === undefined) {
    throw new ProconsulError(
      'rejected',
      `${isNamed.words} was not found in the Raft configuration`,
    );
  }
  if (peer.alive) {
    const why = 'lives, and would be back at once: stop it, or make it leave';
    throw new ProconsulError('rejected', `server ${JSON.stringify(peer.node)} ${why}`);
  }
  await members.forceLeave(peer.node, false);
  return {};
}

function namedPeer(params: Params) {
  const [id, address] = [params.get('id'), params.get('address')];
  if (id === '' && address === '') {
    throw badRequest(
      "Must specify either ?id with the server's ID or ?address with IP:port of peer to remove",
    );
  }
  if (id !== '' && address !== '') throw badRequest('Must specify only one of ?id or ?address');
  const words = id === '' ? `address ${JSON.stringify(address)}` : `id ${JSON.stringify(id)}`;
  return { words, by: (peer: Peer) => (id === '' ? peer.address === address : peer.id === id) };
}

function badRequest(why: string): ProconsulError {
  return new ProconsulError('invalid', `Bad request: ${why}`);
}

async function transferLeader({ cluster }: Deps, id: string): Promise<Reply> {
  const others = cluster.peers().filter((peer) => peer.alive && !peer.leader);
  const [best] = id === '' ? others.sort(byReach) : others.filter((peer) => peer.id === id);
  if (best === undefined) {
    const why = id === '' ? 'there is no other server' : `no other server has the id ${quoted(id)}`;
    throw new ProconsulError('rejected', `leadership cannot be transferred: ${why}`);
  }
  return { json: { Success: await cluster.handOverTo(best.id) } };
}

/** Whoever keeps up best comes first. */
function byReach(a: Peer, b: Peer): number {
  return a.behind - b.behind || a.silentMs - b.silentMs;
}

function quoted(text: string): string {
  return JSON.stringify(text);
}

function usageReply({ state, readiness, datacenter }: Deps, consistency: Consistency): Reply {
  const now = state();
  return {
    headers: {
      'X-Consul-Index': String(now.index),
      'X-Consul-Knownleader': String(readiness.knownLeader),
      'X-Consul-Lastcontact': String(readiness.ageMs(consistency)),
    },
    json: { Usage: { [datacenter]: usageOf(now.catalog) } },
  };
}
