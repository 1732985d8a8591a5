import { MEMBER_STATUS } from '../../lib/membership.ts';
import type { Indexed, UserEvent } from '../../lib/model.ts';
import type { AutopilotSettings } from '../commands.ts';
import { Acl } from './acl.ts';
import { Catalog } from './catalog.ts';
import { Coordinates } from './coordinates.ts';
import { KeyValues } from './key-values.ts';
import type { KnownMember } from './known-member.ts';
import { Queries } from './queries.ts';
import { Sessions } from './sessions.ts';
import { Journal, Table } from './table.ts';
import { EVENTS, fold, LEADER, MEMBERS } from './topic-names.ts';
import { Topics } from './topics.ts';

/** Consul's agents remember as many. */
export const MAX_EVENTS = 256;

/** Who leads, by the log; the term is the index of the entry that made it leader. */
export interface Leadership {
  readonly server: string;
  readonly term: number;
}

export interface AutopilotRow extends AutopilotSettings, Indexed {}

/**
 * Everything that the entries so far came to. Only `apply` changes it; everyone else reads. Rows
 * are immutable, so whoever holds one may keep it.
 */
export class State {
  /** The position of the last entry that was applied. */
  index = 0;
  epoch = 1;
  t = 0;
  hash = '';

  readonly journal = new Journal();
  readonly topics = new Topics();
  readonly catalog = new Catalog(this.journal, this.topics);
  readonly kv = new KeyValues(this.journal, this.topics);
  readonly sessions = new Sessions(this.journal, this.topics);
  readonly queries = new Queries(this.journal, this.topics);
  readonly acl = new Acl(this.journal, this.topics);
  readonly coordinates = new Coordinates(this.journal, this.topics);
  readonly members = new Table<KnownMember>(this.journal, (before, after) => {
    this.#memberChanged(before, after);
  });
  /** The members that are servers and live, by folded name: each beat is answered with them. */
  readonly liveServers = new Map<string, KnownMember>();
  /** One row at most, by the name 'autopilot'. */
  readonly autopilot = new Table<AutopilotRow>(this.journal);
  /** The newest last. */
  events: readonly UserEvent[] = [];
  leadership: Leadership = { server: '', term: 0 };
  /** By boot of a server: the counter of its last proposal that was applied. */
  readonly proposals = new Map<string, number>();

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
    if (after !== undefined && isLiveServer(after)) this.liveServers.set(name, after);
    else this.liveServers.delete(name);
    this.topics.touch(MEMBERS);
  }
}

function isLiveServer({ Tags, Status }: KnownMember): boolean {
  return Tags['role'] === 'consul' && Status === MEMBER_STATUS.alive;
}
