/**
 * What Proconsul's own endpoints answer, and what it says of its servers as a newer Consul does: servers and agents write
 * it, the page reads it. Consul's objects are in model.ts.
 */
import type { Aggregate } from './aggregate-status.ts';
import type { Session, StringMap, Uint64 } from './model.ts';

/** How many instances stand how. */
export interface InstanceCounts {
  readonly Passing: number;
  readonly Warning: number;
  readonly Critical: number;
  readonly Maintenance: number;
}

interface Standing extends InstanceCounts {
  /** Since when not all of them pass; null where they do, or nobody remembers. */
  readonly Since: string | null;
}

/** A service in /v1/internal/overview/services. */
export interface ServiceRow extends Standing {
  readonly Name: string;
  readonly Kind: string;
  readonly Tags: readonly string[];
  /** Who registered it, where that was no agent's configuration. */
  readonly Sources: readonly string[];
  readonly HasProxy: boolean;
}

/** A node in /v1/internal/overview/nodes. */
export interface NodeRow extends Standing {
  readonly Node: string;
  readonly ID: string;
  readonly Address: string;
  readonly Meta: StringMap;
  /** Of the node's own checks. */
  readonly Status: Aggregate | 'none';
}

/** A session in /v1/internal/overview/sessions. */
export interface SessionRow extends Session {
  /** The first of those that it holds. */
  readonly Keys: readonly string[];
  readonly KeysHeld: number;
}

/** Which services the proxies of one call, in /v1/internal/overview/upstreams. */
export interface UpstreamsRow {
  readonly Name: string;
  readonly Upstreams: readonly string[];
}

/** What nobody told is null, and not 0. */
export interface PerformanceFigures {
  readonly ToldSeconds: number;
  readonly Instances: number;
  readonly Requests: number;
  readonly RequestsPerSecond: number | null;
  readonly Errors: number;
  readonly ErrorShare: number | null;
  readonly LatencyMs: { readonly P50: number; readonly P90: number; readonly P99: number } | null;
}

export interface PerformanceWindow extends PerformanceFigures {
  readonly Window: '1m' | '5m' | '30m';
}

export interface PerformanceStep extends PerformanceFigures {
  readonly Time: string;
}

/** /v1/internal/performance: how a service answered, as far as anybody told. */
export interface Performance {
  readonly Service: string;
  readonly Time: string;
  readonly Windows: readonly PerformanceWindow[];
  /** Where they are asked for. */
  readonly Steps?: readonly PerformanceStep[];
}

export interface AvailabilityStep {
  readonly Available: number | null;
  readonly InstancesAvailable: number | null;
}

interface AvailabilityFigures {
  readonly Window: '1h' | '24h' | '720h';
  readonly Available: number | null;
  readonly UpSeconds: number;
  readonly KnownSeconds: number;
  readonly UnknownSeconds: number;
  readonly Outages: number;
  readonly Recovered: number;
  readonly MeanRecoverySeconds: number | null;
  readonly LongestRecoverySeconds: number | null;
}

export interface AvailabilityWindow extends AvailabilityFigures {
  readonly InstancesAvailable: number | null;
  /** Where they are asked for. */
  readonly Steps?: readonly AvailabilityStep[];
}

export interface InstanceAvailability {
  readonly Node: string;
  readonly ServiceID: string;
  readonly Standing: string;
  readonly Windows: readonly AvailabilityFigures[];
  /** How long a failure goes unseen at most. */
  readonly Detection: readonly {
    readonly CheckID: string;
    readonly WithinSeconds: number;
    readonly MadeOf: readonly string[];
  }[];
}

/** /v1/internal/availability: how available a service was. */
export interface Availability {
  readonly Time: string;
  readonly KnownSince: string | null;
  readonly Standing: string;
  readonly Windows: readonly AvailabilityWindow[];
  readonly Instances: readonly InstanceAvailability[];
  readonly InstancesLeftOut: number;
}

/** One of a key's revisions. */
export interface Revision {
  readonly Key: string;
  readonly Revision: number;
  readonly Time: string | null;
  readonly AccessorID: string;
  readonly Deleted: boolean;
  readonly Flags: Uint64;
  readonly Value: string | null;
}

/** /v1/agent/ring: which server has which part of the lookups. */
export interface RingState {
  readonly Servers: readonly RingServer[];
  /** Of the name that was asked for: who has its lookups, and who after him. */
  readonly Key?: string;
  readonly Server?: string;
  readonly Then?: readonly string[];
}

export interface RingServer {
  readonly ID: string;
  readonly Node: string;
  readonly Url: string;
  readonly Share: number;
  readonly Failing: boolean;
}

/** /v1/operator/log: the log as the server that was asked has it. */
export interface LogState {
  readonly Node: string;
  readonly Kind: 'memory' | 'file' | 'redis';
  readonly Sealed: boolean;
  readonly Writable: boolean;
  readonly LastContact: string;
  readonly Index: number;
  readonly Epoch: number;
  readonly ServersInTouch: number;
  readonly ServersNeeded: number;
  readonly Redis: RedisState | null;
}

export interface RedisState {
  /** '' while there is none. */
  readonly Address: string;
  readonly Version: string;
  readonly Commit: 'redis' | 'quorum';
  readonly AppendOnly: boolean;
  /** Null while it says nothing. */
  readonly State: RedisFigures | null;
  /** The newest first. */
  readonly Finds: readonly Find[];
}

export interface RedisFigures {
  readonly Up: string;
  readonly UsedBytes: number;
  /** 0 where nothing bounds it. */
  readonly MostBytes: number;
  readonly Saved: boolean;
  readonly Replicas: readonly Replica[];
}

export interface Replica {
  readonly Address: string;
  readonly Online: boolean;
  readonly BehindBytes: number;
  readonly LastContact: string;
}

/** A Redis came to be of use: at the start, or after one was lost. */
export interface Find {
  readonly Time: string;
  readonly Address: string;
  readonly Epoch: number;
  /** 0 at the server's start. */
  readonly EpochBefore: number;
  readonly Away: string;
  readonly PutBack: number;
  readonly Lost: number;
}

/** /v1/operator/autopilot/state: how the servers are. */
export interface ClusterState {
  readonly Healthy: boolean;
  readonly FailureTolerance: number;
  readonly OptimisticFailureTolerance: number;
  readonly Servers: Readonly<Record<string, ServerState>>;
  readonly Leader: string;
  readonly Voters: readonly string[];
}

export interface ServerState {
  readonly ID: string;
  readonly Name: string;
  readonly Address: string;
  readonly NodeStatus: string;
  readonly Version: string;
  readonly LastContact: string;
  readonly LastTerm: number;
  readonly LastIndex: number;
  readonly Healthy: boolean;
  readonly StableSince: string;
  readonly ReadReplica: boolean;
  readonly Status: string;
  readonly Meta: StringMap;
  readonly NodeType: string;
}

/** What somebody may, in the answer of /v1/internal/acl/authorize. */
export interface Allowed {
  readonly Resource: string;
  readonly Access: string;
  readonly Segment?: string;
  readonly Allow: boolean;
}
