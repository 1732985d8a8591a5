/** What may be written to the log: plain typed objects, each with all that applying it needs. */
import type { AuthMethod, BindingRule, Policy, Role, Token } from '../lib/acl/model.ts';
import type { ConfigEntry } from '../lib/config-entries/entry.ts';
import type { CaRoot } from '../lib/connect/model.ts';
import type { HistoryLimits, HistoryRow, PastRow } from '../lib/history.ts';
import type { ServiceLoad } from '../lib/load.ts';
import type {
  Check,
  CheckDefinition,
  Deregistration,
  Indexed,
  Instance,
  KeyValue,
  Node,
  NodeCoordinate,
  NodeDefinition,
  PreparedQuery,
  Registration,
  ServiceDefinition,
  Session,
  StringMap,
  Uint64,
  UserEvent,
} from '../lib/model.ts';
import type { AclCommand } from './acl-commands.ts';
import type { ConfigCommand } from './config-commands.ts';
import type { ConnectCommand, RootKey, StoredCaConfig } from './connect-commands.ts';
import type { EurekaCommand } from './eureka-commands.ts';
import type { NoticeCommand } from './notice-commands.ts';

/** Someone may do it by what was stored at this index: see state/judged.ts. */
export interface Judgement {
  readonly at: number;
  /** It may not change the node that it is on. */
  readonly keepsNode?: true;
}

/**
 * Whoever has asked for it: the accessor of his token, and the index at which he was who he is. Not said
 * where there is no access control, or a server proposes it by itself.
 */
export interface Asker {
  readonly accessor: string;
  readonly at: number;
}

export interface Judged {
  /** Not said where who does it may do anything. */
  readonly judged?: Judgement;
}

/** Changes the catalog: see Registration. */
export interface Register extends Registration, Judged {
  readonly type: 'register';
}

export interface Deregister extends Deregistration, Judged {
  readonly type: 'deregister';
}

export interface KvOp {
  readonly verb: string;
  readonly key: string;
  /** Base64; null when empty. */
  readonly value: string | null;
  readonly flags: Uint64;
  /** For cas, delete-cas and check-index. */
  readonly index: Uint64;
  /** For lock, unlock and check-session. */
  readonly session: string;
}

export interface Kv {
  readonly type: 'kv';
  readonly op: KvOp;
}

export interface NodeOp {
  readonly verb: string;
  readonly node: NodeDefinition;
  readonly index: Uint64;
}

export interface ServiceOp {
  readonly verb: string;
  readonly node: string;
  readonly service: ServiceDefinition;
  readonly index: Uint64;
}

export interface CheckOp {
  readonly verb: string;
  readonly node: string;
  readonly check: CheckDefinition;
  readonly index: Uint64;
}

export type TxnOp =
  | { readonly kv: KvOp }
  | { readonly node: NodeOp }
  | { readonly service: ServiceOp }
  | { readonly check: CheckOp };

/** All or nothing. */
export interface Txn extends Judged {
  readonly type: 'txn';
  readonly ops: readonly TxnOp[];
}

export interface CreateSession {
  readonly type: 'create-session';
  readonly session: Omit<Session, 'CreateIndex' | 'ModifyIndex'>;
}

export interface DestroySession {
  readonly type: 'destroy-session';
  readonly id: string;
}

/** The leader saw leases end. `term` is its fencing token: an older leader's is refused. */
export interface ExpireSessions {
  readonly type: 'expire-sessions';
  readonly term: number;
  readonly ids: readonly string[];
}

/**
 * The leader saw that nobody reported these in time; `term` as in ExpireSessions. One that is not as
 * it was then, at the index `at`, stays: somebody has said something of it since.
 */
export interface ExpireChecks {
  readonly type: 'expire-checks';
  readonly term: number;
  readonly checks: readonly { readonly node: string; readonly id: string; readonly at: number }[];
}

/** Takes the leadership over from the term it names; the index of this entry is the new term. */
export interface ClaimLeadership {
  readonly type: 'claim-leadership';
  readonly server: string;
  readonly replaces: number;
}

export interface UpdateCoordinates {
  readonly type: 'update-coordinates';
  readonly coordinates: readonly NodeCoordinate[];
}

export interface FireEvent {
  readonly type: 'fire-event';
  readonly event: Omit<UserEvent, 'LTime'>;
}

/** Makes a prepared query, or with `update` replaces the one with its id. */
export interface SetQuery extends Judged {
  readonly type: 'set-query';
  readonly query: Omit<PreparedQuery, 'CreateIndex' | 'ModifyIndex'>;
  readonly update: boolean;
}

export interface DeleteQuery extends Judged {
  readonly type: 'delete-query';
  readonly id: string;
}

/** What is known of an agent or server beside the catalog; for a dead one, for as long as needed. */
export interface MemberRow {
  readonly ID: string;
  readonly Node: string;
  readonly Address: string;
  /** ports.serf_lan. */
  readonly Port: number;
  readonly Tags: StringMap;
}

/** An agent beats that is not known as it is: it is new, has changed, or is back. */
export interface MemberAlive {
  readonly type: 'member-alive';
  readonly member: MemberRow;
}

/** The leader saw agents' leases end; `term` as in ExpireSessions. */
export interface MembersFailed {
  readonly type: 'members-failed';
  readonly term: number;
  readonly nodes: readonly string[];
}

/** It goes on purpose, or somebody takes a dead one out: its node leaves the catalog. */
export interface MemberLeft {
  readonly type: 'member-left';
  readonly node: string;
  /** Whose name it is: if another machine has it, nothing happens. Older entries do not say. */
  readonly id?: string;
  /** Somebody else says so: nothing happens to one that lives. */
  readonly onlyDead?: boolean;
  /** Also forgets it as a member. */
  readonly prune: boolean;
}

/** The leader's tidying: members that left or failed long ago. `term` as in ExpireSessions. */
export interface ReapMembers {
  readonly type: 'reap-members';
  readonly term: number;
  readonly nodes: readonly string[];
  /** By the log's clock: one that went later stays. Older entries do not say. */
  readonly olderThanMs?: number;
}

/** What a server has heard within a step of the load of services that are scaled: of several it adds up. */
export interface LoadHeard {
  readonly type: 'load-heard';
  /** How many steps there were before it since 1970: see lib/load.ts. */
  readonly step: number;
  readonly loads: readonly (readonly [service: string, load: ServiceLoad])[];
}

/** Kept for operators' tools, which read back what they wrote; durations in nanoseconds. */
export interface AutopilotSettings {
  readonly CleanupDeadServers: boolean;
  readonly LastContactThreshold: number;
  readonly MaxTrailingLogs: Uint64;
  readonly MinQuorum: Uint64;
  readonly ServerStabilizationTime: number;
  readonly RedundancyZoneTag: string;
  readonly DisableUpgradeMigration: boolean;
  readonly UpgradeVersionTag: string;
}

export interface SetAutopilot {
  readonly type: 'set-autopilot';
  readonly settings: AutopilotSettings;
  /** Only if it stands at this index. */
  readonly cas?: Uint64;
}

/** Of which keys what they said before is kept, and how much of it. */
export interface RevisionSettings {
  readonly Prefixes: readonly string[];
  /** Of one key, with what it says now. */
  readonly Count: number;
  /** In nanoseconds, from when it no longer stood; 0 for as long as there is room. */
  readonly MaxAge: number;
  /** Of all that no longer stand. */
  readonly MaxBytes: number;
}

export interface SetRevisions {
  readonly type: 'set-revisions';
  readonly settings: RevisionSettings;
  /** Only if they stand at this index; 0: only if nobody has set them. */
  readonly cas?: Uint64;
}

/** How much history is to be kept, as the configuration of whoever leads says. */
export interface SetHistory {
  readonly type: 'set-history';
  readonly limits: HistoryLimits;
}

/** Somebody can still write: the leader says so where nobody else writes. */
export interface MarkTime {
  readonly type: 'mark-time';
}

/**
 * Changes the keys that the log is sealed under, in a log that is sealed alone. They are the log's own
 * affair: it reads this by itself, and the state passes it over.
 */
export interface SetKeyring {
  readonly type: 'set-keyring';
  /** The index of the entry with the keyring that this one follows; another's is passed over. */
  readonly replaces: number;
  /** As people write them. */
  readonly keys: readonly string[];
  readonly retired: readonly string[];
  /** Their ids. */
  readonly removed: readonly string[];
}

/** What stands in the place of an entry of which nothing may be applied; never in the log itself. */
export interface VoidEntry {
  readonly type: 'void';
  readonly why: string;
}

/** A row of one of the tables, by its kind, with the indexes that it had. */
export interface StagedRow {
  readonly node?: Node;
  readonly instance?: Instance;
  readonly check?: Check;
  readonly kv?: KeyValue;
  readonly session?: Session;
  readonly coordinate?: NodeCoordinate;
  readonly query?: PreparedQuery;
  readonly autopilot?: AutopilotSettings & Indexed;
  readonly policy?: Policy;
  readonly role?: Role;
  readonly token?: Token;
  readonly authMethod?: AuthMethod;
  readonly bindingRule?: BindingRule;
  readonly configEntry?: ConfigEntry;
  readonly history?: HistoryRow;
  readonly past?: PastRow;
  readonly caConfig?: StoredCaConfig;
  readonly caRoot?: CaRoot;
  readonly rootKey?: RootKey;
}

/** Another state is to be put in place of this one, in parts: see restore-commands.ts. */
export interface BeginRestore {
  readonly type: 'begin-restore';
  readonly restore: string;
  /** No row of it is newer. */
  readonly index: number;
  /** Most rows are there as they are to be: they stay. */
  readonly onto?: true;
}

export interface StageRows {
  readonly type: 'stage-rows';
  readonly restore: string;
  /** Counted from 0. */
  readonly part: number;
  readonly rows: readonly StagedRow[];
}

export interface EndRestore {
  readonly type: 'end-restore';
  readonly restore: string;
  readonly parts: number;
}

export type Command = AnyCommand & { readonly by?: Asker };

type AnyCommand =
  | AclCommand
  | ConfigCommand
  | ConnectCommand
  | EurekaCommand
  | Register
  | Deregister
  | Kv
  | Txn
  | CreateSession
  | DestroySession
  | ExpireSessions
  | ExpireChecks
  | ClaimLeadership
  | UpdateCoordinates
  | FireEvent
  | SetQuery
  | DeleteQuery
  | MemberAlive
  | MembersFailed
  | MemberLeft
  | ReapMembers
  | NoticeCommand
  | LoadHeard
  | SetAutopilot
  | SetRevisions
  | SetHistory
  | MarkTime
  | SetKeyring
  | VoidEntry
  | BeginRestore
  | StageRows
  | EndRestore;

/** A command with its place in the log. */
export interface Entry {
  readonly index: number;
  readonly epoch: number;
  /** The log's clock when it was written, milliseconds since 1970; it never goes back. */
  readonly t: number;
  readonly id: string;
  readonly hash: string;
  /** How long its command is in the log, in characters: what a start has to read. */
  readonly size: number;
  readonly command: Command;
}
