import { MEMBER_STATUS, SERVER_ROLE } from '../../lib/membership.ts';
import type { Indexed, UserEvent } from '../../lib/model.ts';
import type { AutopilotSettings, MemberRow } from '../commands.ts';
import type { ToldRow } from '../notice-commands.ts';
import type { Measured } from '../scale/measured.ts';
import { Acl } from './acl.ts';
import { Authority } from './authority.ts';
import { Catalog } from './catalog.ts';
import { ConfigEntries } from './config-entries.ts';
import { Coordinates } from './coordinates.ts';
import { EurekaInstances } from './eureka.ts';
import { History } from './history/history.ts';
import { KeyValues } from './key-values.ts';
import { Queries } from './queries.ts';
import { Revisions } from './revisions.ts';
import { Sessions } from './sessions.ts';
import { Journal, Lookup, Table } from './table.ts';
import { EVENTS, fold, LEADER, MEMBERS } from './topic-names.ts';
import { Topics } from './topics.ts';
import { VirtualAddresses } from './virtual-addresses.ts';

/** A member as the log has it. */
export interface KnownMember extends MemberRow {
  /** One of MEMBER_STATUS. */
  readonly Status: number;
  /** When it came to be so, by the log's clock. */
  readonly since: number;
}

/** Consul's agents remember as many. */
export const MAX_EVENTS = 256;

/** Who leads, by the log; the term is the index of the entry that made it leader. */
export interface Leadership {
  readonly server: string;
  readonly term: number;
}

export interface AutopilotRow extends AutopilotSettings, Indexed {}

/** A state that is being restored, part by part, and that nobody reads before it is whole. */
export interface Staging {
  readonly restore: string;
  /** How many have come. */
  readonly parts: number;
  /** When the last of them came, by the log's clock. */
  readonly t: number;
  readonly state: State;
  /** By kind the rows that stay as they are, where most do: `state` has those alone that come. */
  readonly kept?: Kept;
}

export type Kept = Map<string, Set<object>>;

export function keep(kept: Kept | undefined, kind: string, row: object): void {
  const rows = kept?.get(kind);
  if (rows === undefined) kept?.set(kind, new Set([row]));
  else rows.add(row);
}

/**
 * Everything that the entries so far came to. Only `apply` changes it; everyone else reads. Rows
 * are immutable, so whoever holds one may keep it.
 */
export class State {
  /** Of the last entry that was applied, in the log. */
  position = 0;
  /** By so much all indexes are ahead of the log: what was restored may come from further on. */
  jump = 0;
  epoch = 1;
  t = 0;
  hash = '';

  readonly journal = new Journal();
  readonly topics = new Topics();
  readonly history: History = new History({
    hasInstances: (service) => this.catalog.hasInstances(service),
    forgotten: (past) => this.catalog.forgotten(past),
  });
  readonly eureka = new EurekaInstances(this.journal, this.topics);
  readonly catalog = new Catalog(this.journal, this.topics, {
    notes: this.history.notes,
    said: (text) => this.history.said(text),
    eureka: this.eureka,
  });
  readonly kv = new KeyValues(this.journal, this.topics);
  /** What a restored state says otherwise is a change: they go on with it. */
  revisions = new Revisions();
  readonly sessions = new Sessions(this.journal, this.topics);
  readonly queries = new Queries(this.journal, this.topics);
  readonly acl = new Acl(this.journal, this.topics);
  readonly configEntries = new ConfigEntries(this.journal, this.topics);
  readonly authority = new Authority(this.journal, this.topics);
  readonly virtual = new VirtualAddresses(this.journal, this.topics);
  readonly coordinates = new Coordinates(this.journal, this.topics);
  readonly members = new Table<KnownMember>(this.journal, (before, after) => {
    this.#memberChanged(before, after);
  });
  /** By the id of the machine, of those that say one: fifty thousand that join each look for their namesake. */
  readonly membersById = new Lookup<KnownMember>();
  /** The members that are servers and live, by folded name: each beat is answered with them. */
  readonly liveServers = new Map<string, KnownMember>();
  /** And those that have failed. */
  readonly failedServers = new Map<string, KnownMember>();
  /** One row at most, by the name 'autopilot'. */
  readonly autopilot = new Table<AutopilotRow>(this.journal);
  /** By target and service: see told.ts. */
  readonly told = new Table<ToldRow>(this.journal);
  /** By service, of those that are scaled: see load-commands.ts. */
  readonly measured = new Table<Measured>(this.journal);
  /** The newest last. */
  events: readonly UserEvent[] = [];
  leadership: Leadership = { server: '', term: 0 };
  staging: Staging | undefined;
  /** By boot of a server: the counter of its last proposal that was applied. */
  readonly proposals = new Map<string, number>();

  /** The index of whatever changes now. */
  get index(): number {
    return this.position + this.jump;
  }

  setStaging(staging: Staging | undefined): void {
    const before = this.staging;
    this.journal.note(() => {
      this.staging = before;
    });
    this.staging = staging;
  }

  /** Whatever changes from now on has an index beyond this one. */
  jumpBeyond(index: number): void {
    const before = this.jump;
    this.journal.note(() => {
      this.jump = before;
    });
    this.jump = Math.max(before, index + 1 - this.position);
  }

  setEvents(events: readonly UserEvent[]): void {
    const before = this.events;
    this.journal.note(() => {
      this.events = before;
    });
    this.events = events;
    this.topics.touch(EVENTS);
  }

  setLeadership(leadership: Leadership): void {
    const before = this.leadership;
    this.journal.note(() => {
      this.leadership = before;
    });
    this.leadership = leadership;
    this.topics.touch(LEADER);
  }

  #memberChanged(before: KnownMember | undefined, after: KnownMember | undefined): void {
    const name = fold((after ?? before)?.Node ?? '');
    for (const [servers, status] of [
      [this.liveServers, MEMBER_STATUS.alive],
      [this.failedServers, MEMBER_STATUS.failed],
    ] as const) {
      if (after !== undefined && isServer(after) && after.Status === status) {
        servers.set(name, after);
      } else servers.delete(name);
    }
    const row = (after ?? before) as KnownMember;
    this.membersById.replace(before?.ID || undefined, after?.ID || undefined, name, row);
    this.topics.touch(MEMBERS);
  }
}

function isServer({ Tags }: KnownMember): boolean {
  return Tags['role'] === SERVER_ROLE;
}
