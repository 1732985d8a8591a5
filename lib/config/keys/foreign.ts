/**
 * Keys of Consul's that are checked for their form, and have no part in Proconsul: there is no
 * gossip, no mesh, no Raft. A file written for Consul goes on working.
 */
import type { Problems } from '../problems.ts';
import {
  atLeast,
  bool,
  duration,
  float,
  int,
  newer,
  noEffect,
  optional,
  text,
  tree,
  trees,
} from '../row.ts';

const MS = 1;
const SECOND = 1000 * MS;
const MINUTE = 60 * SECOND;

const gossip = (of: 'LAN' | 'WAN', lan: boolean) => ({
  gossip_interval: duration('', {
    default: lan ? 200 * MS : 500 * MS,
    shown: `Gossip${of}GossipInterval`,
  }),
  gossip_nodes: int('', { default: 3, shown: `Gossip${of}GossipNodes` }),
  probe_interval: duration('', {
    default: lan ? SECOND : 5 * SECOND,
    shown: `Gossip${of}ProbeInterval`,
  }),
  probe_timeout: duration('', {
    default: lan ? 500 * MS : 3 * SECOND,
    shown: `Gossip${of}ProbeTimeout`,
  }),
  retransmit_mult: int('', { default: 4, shown: `Gossip${of}RetransmitMult` }),
  suspicion_mult: int('', { default: lan ? 4 : 6, shown: `Gossip${of}SuspicionMult` }),
});

const RAFT = noEffect('there is no Raft: the event log orders writes', {
  raft_protocol: int('', { flag: 'raft-protocol', shown: 'RaftProtocol' }),
  raft_snapshot_interval: duration('', { shown: 'RaftSnapshotInterval' }),
  raft_snapshot_threshold: int('', { shown: 'RaftSnapshotThreshold' }),
  raft_trailing_logs: int('', { shown: 'RaftTrailingLogs' }),
  non_voting_server: bool('', { flag: 'non-voting-server', shown: 'NonVotingServer' }),
  autopilot: {
    cleanup_dead_servers: bool('', { default: true, shown: 'AutopilotCleanupDeadServers' }),
    disable_upgrade_migration: bool('', { shown: 'AutopilotDisableUpgradeMigration' }),
    last_contact_threshold: duration('', {
      default: 200 * MS,
      shown: 'AutopilotLastContactThreshold',
    }),
    max_trailing_logs: int('', {
      default: 250,
      shown: 'AutopilotMaxTrailingLogs',
      rule: atLeast(0),
    }),
    min_quorum: int('', { shown: 'AutopilotMinQuorum', rule: atLeast(0) }),
    redundancy_zone_tag: text('', { shown: 'AutopilotRedundancyZoneTag' }),
    server_stabilization_time: duration('', {
      default: 10 * SECOND,
      shown: 'AutopilotServerStabilizationTime',
    }),
    upgrade_version_tag: text('', { shown: 'AutopilotUpgradeVersionTag' }),
  },
  consul: {
    coordinate: {
      update_batch_size: int('', { default: 128, shown: 'ConsulCoordinateUpdateBatchSize' }),
      update_max_batches: int('', { default: 5, shown: 'ConsulCoordinateUpdateMaxBatches' }),
      update_period: duration('', { default: 5 * SECOND, shown: 'ConsulCoordinateUpdatePeriod' }),
    },
    raft: {
      election_timeout: duration('', { default: SECOND, shown: 'ConsulRaftElectionTimeout' }),
      heartbeat_timeout: duration('', { default: SECOND, shown: 'ConsulRaftHeartbeatTimeout' }),
      leader_lease_timeout: duration('', {
        default: 500 * MS,
        shown: 'ConsulRaftLeaderLeaseTimeout',
      }),
    },
    server: {
      health_interval: duration('', { default: 2 * SECOND, shown: 'ConsulServerHealthInterval' }),
    },
  },
});

const GOSSIP = noEffect('there is no gossip: agents beat to servers', {
  gossip_lan: gossip('LAN', true),
  gossip_wan: gossip('WAN', false),
  protocol: int('', { default: 2, flag: 'protocol', shown: 'RPCProtocol' }),
  segment: text('', { flag: 'segment', shown: 'SegmentName', rule: segment }),
  segment_limit: int('', { default: 64, shown: 'SegmentLimit' }),
  segment_name_limit: int('', { default: 64, shown: 'SegmentNameLimit' }),
  sync_coordinate_interval_min: duration('', {
    default: 15 * SECOND,
    shown: 'SyncCoordinateIntervalMin',
  }),
  sync_coordinate_rate_target: float('', { default: 64, shown: 'SyncCoordinateRateTarget' }),
  ae_interval: duration('', { default: MINUTE, shown: 'AEInterval' }),
  cache: {
    entry_fetch_max_burst: int('', {
      default: 2,
      shown: 'Cache.EntryFetchMaxBurst',
      rule: positive,
    }),
    entry_fetch_rate: float('', {
      default: Number.MAX_VALUE,
      shown: 'Cache.EntryFetchRate',
      rule: positive,
    }),
  },
});

export const FOREIGN_KEYS = {
  ...RAFT,
  ...GOSSIP,
  segments: optional(trees('Refused where there are any, as in Consul.', { rule: segments })),
  snapshot_agent: optional(tree('nothing: it is a part of Consul Enterprise', { effect: 'none' })),
  ...noEffect('the program knows its own', {
    revision: text('', { shown: 'Revision' }),
    version: optional(text()),
    version_prerelease: text('', { shown: 'VersionPrerelease' }),
  }),
  ...newer(
    'advertise_reconnect_timeout',
    'auto_reload_config',
    'cloud',
    'default_intention_policy',
    'experiments',
    'federation',
    'license_path',
    'namespace',
    'partition',
    'peering',
    'raft_logstore',
    'raft_pre_vote_disabled',
    'read_replica',
    'reporting',
    'rpc',
    'server_rejoin_age_max',
    'use_streaming_backend',
    'xds',
    'build_date',
    'version_metadata',
  ),
};

function segment(value: string, _path: string, problems: Problems): string {
  if (value !== '') problems.refuse(NO_SEGMENTS);
  return value;
}

function segments<T extends readonly unknown[]>(value: T, _path: string, problems: Problems): T {
  if (value.length > 0) problems.refuse(NO_SEGMENTS);
  return value;
}

const NO_SEGMENTS = 'Network segments are not supported in this version of Consul';

/** In Consul's words. */
function positive(value: number, path: string, problems: Problems): number {
  if (value <= 0) problems.refuse(`${path} must be strictly positive, was: ${value}`);
  return value;
}
