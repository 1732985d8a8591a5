/**
 * How agents and servers tell one another who lives, in place of gossip. docs/agents.md describes
 * the exchange; servers answer these routes, agents ask them.
 */
import type { StringMap } from './model.ts';

/** PUT by every agent to any server, again and again: Beat → BeatAnswer. Never a log entry. */
export const BEAT_PATH = '/v1/internal/agent/beat';
/** PUT by an agent that leaves on purpose: Leave → true. Its node goes from the catalog. */
export const LEAVE_PATH = '/v1/internal/agent/leave';
/** PUT: ForceLeave → true; 404 for a node that nobody knows. */
export const FORCE_LEAVE_PATH = '/v1/internal/agent/force-leave';
/** GET from a server: Member[], all agents and servers that it knows. */
export const MEMBERS_PATH = '/v1/internal/members';
/** GET on ports.serf_lan of any agent or server: Introduction. What joining asks for. */
export const INTRODUCTION_PATH = '/v1/internal/introduction';

/** A server, as agents reach it. */
export interface ServerInfo {
  readonly ID: string;
  readonly Node: string;
  readonly Datacenter: string;
  /** 'http://10.0.0.1:8300': where it answers the whole API to agents (bind_addr, ports.server). */
  readonly Url: string;
}

export interface Beat {
  readonly ID: string;
  readonly Node: string;
  readonly Address: string;
  readonly Datacenter: string;
  /** ports.serf_lan, where this agent answers introductions. */
  readonly LanPort: number;
  readonly Tags: StringMap;
}

export interface BeatAnswer {
  /** All servers that live, this one included. */
  readonly Servers: readonly ServerInfo[];
  /**
   * Whether the catalog has this node, by its id, with its serfHealth. An agent that is not known
   * registers all it has at once: that is how a lost catalog comes back.
   */
  readonly Known: boolean;
  /** When to beat next: a server stretches this with the size of the cluster. */
  readonly NextMs: number;
  /** Whether any service is scaled, so that anybody wants to know of its load. */
  readonly WantsLoad?: boolean;
  /** To who told where it stands. */
  /** A `PlaceAnswered`, as its server says. */
  readonly Here?: unknown;
}

export interface Leave {
  readonly ID: string;
  readonly Node: string;
}

export interface ForceLeave {
  readonly Node: string;
  /** Also forget it as a member. */
  readonly Prune: boolean;
}

export interface Introduction {
  readonly ID: string;
  readonly Node: string;
  readonly Datacenter: string;
  /** The servers that it knows; of a server, itself first. */
  readonly Servers: readonly ServerInfo[];
}

/** The tag `role` of whoever is a server. */
export const SERVER_ROLE = 'consul';

/** Serf's numbers, as clients of /v1/agent/members know them. */
export const MEMBER_STATUS = { none: 0, alive: 1, leaving: 2, left: 3, failed: 4 } as const;

/** As /v1/agent/members shows it. */
export interface Member {
  readonly Name: string;
  readonly Addr: string;
  readonly Port: number;
  readonly Tags: StringMap;
  readonly Status: number;
  readonly ProtocolMin: number;
  readonly ProtocolMax: number;
  readonly ProtocolCur: number;
  readonly DelegateMin: number;
  readonly DelegateMax: number;
  readonly DelegateCur: number;
}

/** A Member from what differs between members; the rest is the version that we call ourselves. */
export function member(parts: Pick<Member, 'Name' | 'Addr' | 'Port' | 'Tags' | 'Status'>): Member {
  const { Name, Addr, Port, Tags, Status } = parts;
  return {
    Name,
    Addr,
    Port,
    Tags,
    Status,
    ProtocolMin: 1,
    ProtocolMax: 5,
    ProtocolCur: 2,
    DelegateMin: 2,
    DelegateMax: 5,
    DelegateCur: 4,
  };
}

/** Where agents are not so many that their servers ask for fewer (server/state/beat-pace.ts). */
export const DEFAULT_BEAT_MS = 2000;
