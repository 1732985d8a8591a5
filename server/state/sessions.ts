/** Sessions, and the keys that may not be locked again yet. */
import type { Session } from '../../lib/model.ts';
import { type Journal, Lookup, Table } from './table.ts';
import { fold, nodeSessionsTopic, rowKey, SESSIONS, sessionTopic } from './topic-names.ts';
import type { Topics } from './topics.ts';

/** The ids of all checks that a session rests on. */
export function checksUnder(
  session: Pick<Session, 'Checks' | 'NodeChecks' | 'ServiceChecks'>,
): readonly string[] {
  const { Checks, NodeChecks, ServiceChecks } = session;
  return [...(Checks ?? []), ...(NodeChecks ?? []), ...(ServiceChecks ?? []).map(({ ID }) => ID)];
}

export class Sessions {
  readonly table: Table<Session>;
  readonly #byNode = new Lookup<Session>();
  readonly #byCheck = new Lookup<Session>();
  /** By key: until when, by the log's clock, nobody may lock it. */
  readonly #delays = new Map<string, number>();
  readonly #topics: Topics;
  readonly #journal: Journal;

  constructor(journal: Journal, topics: Topics) {
    this.#topics = topics;
    this.#journal = journal;
    this.table = new Table(journal, (before, after) => this.#changed(before, after));
  }

  get(id: string): Session | undefined {
    return this.table.get(id);
  }

  on(node: string): Iterable<Session> {
    return this.#byNode.rows(fold(node));
  }

  /** Those that fall with the check. */
  restingOn(node: string, checkId: string): Iterable<Session> {
    return this.#byCheck.rows(rowKey(node, checkId));
  }

  delay(key: string, until: number): void {
    const before = this.#delays.get(key);
    this.#journal.note(() => this.#setDelay(key, before));
    this.#setDelay(key, until);
  }

  isDelayed(key: string, now: number): boolean {
    return (this.#delays.get(key) ?? 0) > now;
  }

  /** Forgets the delays that are over, once an entry that invalidates sessions. */
  dropDelays(now: number): void {
    if (!this.#journal.isFirst('delays')) return;
    for (const [key, until] of this.#delays) {
      if (until > now) continue;
      this.#journal.note(() => this.#setDelay(key, until));
      this.#delays.delete(key);
    }
  }

  /** Sorted: they come about in an order that means nothing. */
  delays(): (readonly [string, number])[] {
    return [...this.#delays].sort(([a], [b]) => (a < b ? -1 : 1));
  }

  loadDelays(delays: readonly (readonly [string, number])[]): void {
    for (const [key, until] of delays) this.#delays.set(key, until);
  }

  forgetDelays(): void {
    this.#delays.clear();
  }

  #setDelay(key: string, until: number | undefined): void {
    if (until === undefined) this.#delays.delete(key);
    else this.#delays.set(key, until);
  }

  #changed(before: Session | undefined, after: Session | undefined): void {
    if (before !== undefined) {
      this.#byNode.delete(fold(before.Node), before.ID);
      for (const check of checksUnder(before)) {
        this.#byCheck.delete(rowKey(before.Node, check), before.ID);
      }
    }
    if (after !== undefined) {
      this.#byNode.set(fold(after.Node), after.ID, after);
      for (const check of checksUnder(after)) {
        this.#byCheck.set(rowKey(after.Node, check), after.ID, after);
      }
    }
    const { ID, Node } = (after ?? before) as Session;
    this.#topics.touch(SESSIONS);
    if (after === undefined) this.#topics.bury(sessionTopic(ID));
    else this.#topics.touch(sessionTopic(ID));
    this.#topics.touch(nodeSessionsTopic(Node));
  }
}
