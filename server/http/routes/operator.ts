/** /v1/operator: what operators' tools read of a cluster that in Consul is Raft's. */

import { decoder } from '../../../lib/decode.ts';
import { formatDuration } from '../../../lib/duration.ts';
import { ProconsulError } from '../../../lib/errors.ts';
import { uint64Complaint } from '../../../lib/go-literals.ts';
import type { Params } from '../../../lib/http/params.ts';
import type { Reply } from '../../../lib/http/reply.ts';
import { needs } from '../../../lib/http/right.ts';
import type { HttpRequest, Route } from '../../../lib/http/route.ts';
import { encodeJson } from '../../../lib/json.ts';
import { MAX_JSON_BODY_BYTES } from '../../../lib/limits.ts';
import type { AutopilotSettings } from '../../commands.ts';
import {
  type ClusterDeps,
  type KeyringDeps,
  type PlaceDeps,
  type ReadDeps,
  type WriteDeps,
  write,
} from '../deps.ts';
import { demandOf } from '../reads.ts';
import { keyringRoutes } from './keyring.ts';

type Deps = ReadDeps & WriteDeps & PlaceDeps & ClusterDeps & KeyringDeps;

/** Consul's own, until someone sets them. */
const DEFAULTS: AutopilotSettings = {
  CleanupDeadServers: true,
  LastContactThreshold: 200e6,
  MaxTrailingLogs: 250,
  MinQuorum: 0,
  ServerStabilizationTime: 10e9,
  RedundancyZoneTag: '',
  DisableUpgradeMigration: false,
  UpgradeVersionTag: '',
};

/** Resolves when what is read is as new as the request wants it. */
async function fresh({ readiness }: Deps, params: Params): Promise<void> {
  await readiness.ready(readiness.consistency(demandOf(params)));
}

export function operatorRoutes(deps: Deps): Route[] {
  return [
    {
      method: 'GET',
      path: '/v1/operator/raft/configuration',
      right: needs('operator:read'),
      does: 'lists the servers',
      handle: async ({ params }) => {
        await fresh(deps, params);
        return { json: raftConfiguration(deps) };
      },
    },
    {
      method: 'GET',
      path: '/v1/operator/autopilot/configuration',
      right: needs('operator:read'),
      does: 'shows what autopilot was told',
      handle: async ({ params }) => {
        await fresh(deps, params);
        return { json: shownAutopilot(deps) };
      },
    },
    {
      method: 'PUT',
      path: '/v1/operator/autopilot/configuration',
      right: needs('operator:write'),
      does: 'keeps what autopilot is told; nothing here heeds it',
      handle: (request) => setAutopilot(deps, request),
    },
    {
      method: 'GET',
      path: '/v1/operator/autopilot/health',
      right: needs('operator:read'),
      does: 'shows whether the servers are well',
      handle: () => autopilotHealth(deps),
    },
    {
      method: 'DELETE',
      path: '/v1/operator/raft/peer',
      right: needs('operator:write'),
      does: 'refuses: a server is no peer that an operator could take out',
      handle: ({ params }) => refusePeer(params),
    },
    ...keyringRoutes(deps),
  ];
}

/** There is no Raft here whose peer could be one; servers that are gone are forgotten by themselves. */
function refusePeer(params: Params): never {
  const [id, address] = [params.get('id'), params.get('address')];
  if (id === '' && address === '') {
    throw badRequest(
      "Must specify either ?id with the server's ID or ?address with IP:port of peer to remove",
    );
  }
  if (id !== '' && address !== '') throw badRequest('Must specify only one of ?id or ?address');
  const named = id === '' ? `address ${JSON.stringify(address)}` : `id ${JSON.stringify(id)}`;
  throw new ProconsulError('rejected', `${named} was not found in the Raft configuration`);
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

function shownAutopilot({ state }: Deps) {
  const settings = state().autopilot.get('autopilot') ?? {
    ...DEFAULTS,
    CreateIndex: 1,
    ModifyIndex: 1,
  };
  return {
    ...settings,
    LastContactThreshold: formatDuration(settings.LastContactThreshold),
    ServerStabilizationTime: formatDuration(settings.ServerStabilizationTime),
  };
}

const autopilotBody = decoder<AutopilotSettings>(
  {
    type: 'object',
    properties: {
      CleanupDeadServers: { type: 'boolean', default: false },
      LastContactThreshold: { duration: true, default: 0 },
      MaxTrailingLogs: { uint64: true, default: 0 },
      MinQuorum: { uint64: true, default: 0 },
      ServerStabilizationTime: { duration: true, default: 0 },
      RedundancyZoneTag: { type: 'string', default: '' },
      DisableUpgradeMigration: { type: 'boolean', default: false },
      UpgradeVersionTag: { type: 'string', default: '' },
    },
    // Clients send back what they have read.
    unheeded: ['CreateIndex', 'ModifyIndex'],
  },
  'Bad request: Error parsing autopilot config',
);

async function setAutopilot(deps: Deps, request: HttpRequest): Promise<Reply> {
  const settings = autopilotBody(await request.body(MAX_JSON_BODY_BYTES));
  const { params } = request;
  if (!params.has('cas')) {
    await write(deps, { type: 'set-autopilot', settings });
    return { json: true };
  }
  const sent = params.get('cas');
  const fault = uint64Complaint(sent);
  if (fault !== undefined) throw badRequest(`Error parsing cas value: ${fault}`);
  const outcome = await write(deps, { type: 'set-autopilot', settings, cas: BigInt(sent) });
  return { json: outcome.applied };
}

function badRequest(why: string): ProconsulError {
  return new ProconsulError('invalid', `Bad request: ${why}`);
}

/** A server that has only just come may go again: nothing is said of it at first, as by Consul. */
const UNKNOWN_FOR_MS = 5000;

/** Consul answers 429 where it isn't healthy, and its clients read the body even so. */
function autopilotHealth({ cluster, readiness, state, clock }: Deps): Reply {
  const peers = cluster.peers();
  const young = peers.some(({ since }) => clock.now() - since < UNKNOWN_FOR_MS);
  if (young || !readiness.knownLeader) {
    const text = encodeJson({ Healthy: false, FailureTolerance: 0, Servers: null });
    return { status: 429, text };
  }
  const Servers = peers.map((peer) => ({
    ID: peer.id,
    Name: peer.node,
    Address: peer.address,
    SerfStatus: 'alive',
    Version: '1.8.7',
    Leader: peer.leader,
    LastContact: peer.leader ? '0s' : formatDuration(Math.round(readiness.lastContactMs) * 1e6),
    LastTerm: state().leadership.term,
    LastIndex: state().index,
    Healthy: true,
    Voter: true,
    StableSince: new Date(peer.since).toISOString(),
  }));
  // Every server has the whole log: the last one is enough to go on.
  return { json: { Healthy: true, FailureTolerance: peers.length - 1, Servers } };
}
