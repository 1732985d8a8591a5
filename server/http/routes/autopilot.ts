/** /v1/operator/autopilot: what it is told of the servers, and how they are by that. */

import type { ClusterState, ServerState } from '../../../lib/answers.ts';
import { decoder } from '../../../lib/decode.ts';
import { formatDuration, NS_PER_MS } from '../../../lib/duration.ts';
import { ProconsulError } from '../../../lib/errors.ts';
import { uint64Complaint } from '../../../lib/go-literals.ts';
import type { Reply } from '../../../lib/http/reply.ts';
import { needs } from '../../../lib/http/right.ts';
import type { HttpRequest, Route } from '../../../lib/http/route.ts';
import { CONSISTENCY, param } from '../../../lib/http/takes.ts';
import { STREAM, Tellings } from '../../../lib/http/tellings.ts';
import { encodeJson } from '../../../lib/json.ts';
import type { Peer } from '../../cluster/peers.ts';
import type { AutopilotSettings } from '../../commands.ts';
import { autopilotSettings } from '../../state/autopilot.ts';
import { type ClusterDeps, type ReadDeps, type WriteDeps, write } from '../deps.ts';
import { fresh } from '../reads.ts';

type Deps = ReadDeps & WriteDeps & ClusterDeps;

export function autopilotRoutes(deps: Deps): Route[] {
  const tellings = new Tellings(deps.clock);
  const right = needs('operator:read');
  return [
    {
      method: 'GET',
      path: '/v1/operator/autopilot/configuration',
      params: CONSISTENCY,
      right: needs('operator:read'),
      does: 'shows what autopilot was told',
      handle: async (request) => {
        return await fresh(deps, request, () => ({ json: shownSettings(deps) }));
      },
    },
    {
      method: 'PUT',
      path: '/v1/operator/autopilot/configuration',
      right: needs('operator:write'),
      params: { cas: param.number('only where nobody has changed it since this ModifyIndex') },
      body: autopilotBody,
      does: 'tells autopilot when a server is well, and whether dead ones are cleaned up',
      handle: (request) => setAutopilot(deps, request),
    },
    {
      method: 'GET',
      path: '/v1/operator/autopilot/health',
      answers: { 429: 'a server is not well' },
      right: needs('operator:read'),
      does: 'shows whether the servers are well; 429 where one is not',
      handle: () => health(deps),
    },
    {
      method: 'GET',
      path: '/v1/operator/autopilot/state',
      params: STREAM,
      right,
      does: 'shows the same, as a newer Consul does',
      endless: 'stream',
      handle: (request) => {
        const look = () => autopilotState(deps);
        if (request.params.has('stream'))
          return tellings.open(request, { right, look, isForAll: true });
        return { json: look() };
      },
    },
  ];
}

function shownSettings({ state }: Deps) {
  const settings = autopilotSettings(state());
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
  const settings = await request.json(autopilotBody);
  const { params } = request;
  if (!params.has('cas')) {
    await write(request, deps, { type: 'set-autopilot', settings });
    return { json: true };
  }
  const sent = params.get('cas');
  const fault = uint64Complaint(sent);
  if (fault !== undefined) {
    throw new ProconsulError('invalid', `Bad request: Error parsing cas value: ${fault}`);
  }
  const outcome = await write(request, deps, {
    type: 'set-autopilot',
    settings,
    cas: BigInt(sent),
  });
  return { json: outcome.applied };
}

/** A cluster that has only just come may go again: nothing is said of it at first, as by Consul. */
const UNKNOWN_FOR_MS = 5000;

/** Consul answers 429 where it isn't healthy, and its clients read the body even so. */
function health(deps: Deps): Reply {
  const peers = knownPeers(deps);
  if (peers === undefined) {
    const text = encodeJson({ Healthy: false, FailureTolerance: 0, Servers: null });
    return { status: 429, text };
  }
  const Servers = peers.map((peer) => {
    const { ID, Name, Address, ...figures } = figuresOf(deps, peer);
    return {
      ID,
      Name,
      Address,
      SerfStatus: statusOf(peer),
      Leader: peer.leader,
      ...figures,
      Voter: true,
    };
  });
  const shown = { ...summary(deps, peers), Servers };
  return shown.Healthy ? { json: shown } : { status: 429, text: encodeJson(shown) };
}

function autopilotState(deps: Deps): ClusterState {
  const peers = knownPeers(deps);
  if (peers === undefined) {
    return {
      Healthy: false,
      FailureTolerance: 0,
      OptimisticFailureTolerance: 0,
      Servers: {},
      Leader: '',
      Voters: [],
    };
  }
  const { catalog } = deps.state();
  const Servers = peers.map((peer): [string, ServerState] => [
    peer.id,
    {
      ...figuresOf(deps, peer),
      NodeStatus: statusOf(peer),
      ReadReplica: false,
      Status: peer.leader ? 'leader' : 'voter',
      Meta: catalog.node(peer.node)?.Meta ?? {},
      NodeType: 'voter',
    },
  ]);
  const { Healthy, FailureTolerance } = summary(deps, peers);
  return {
    Healthy,
    FailureTolerance,
    // Of redundancy zones, of which there are none.
    OptimisticFailureTolerance: FailureTolerance,
    Servers: Object.fromEntries(Servers),
    Leader: peers.find(({ leader }) => leader)?.id ?? '',
    Voters: peers.map(({ id }) => id),
  };
}

/** Undefined where nothing can be said yet. */
function knownPeers({ cluster, readiness, clock }: Deps): readonly Peer[] | undefined {
  const peers = cluster.peers();
  const isYoung = peers.every(({ since }) => clock.now() - since < UNKNOWN_FOR_MS);
  return isYoung || !readiness.knownLeader ? undefined : peers;
}

/** How many more may fail before writes are refused. */
function summary({ cluster }: Deps, peers: readonly Peer[]) {
  const { length: well } = peers.filter((peer) => peer.well);
  return {
    Healthy: well === peers.length,
    FailureTolerance: Math.max(0, well - cluster.needed),
  };
}

function statusOf({ alive }: Peer): string {
  return alive ? 'alive' : 'failed';
}

function figuresOf({ state }: Deps, peer: Peer) {
  const { term } = state().leadership;
  return {
    ID: peer.id,
    Name: peer.node,
    Address: peer.address,
    Version: peer.version,
    LastContact: peer.leader ? '0s' : formatDuration(peer.silentMs * NS_PER_MS),
    // The entry that made the leader has the term's number: who lacks it knows none as late.
    LastTerm: peer.applied >= term ? term : 0,
    LastIndex: peer.applied,
    Healthy: peer.well,
    StableSince: new Date(peer.since).toISOString(),
  };
}
