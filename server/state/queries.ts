/** Prepared queries, by id and by name, and those that answer for a whole prefix. */
import type { PreparedQuery } from '../../lib/model.ts';
import { type Journal, Lookup, Table } from './table.ts';
import { fold, QUERIES, queryTopic } from './topic-names.ts';
import type { Topics } from './topics.ts';

/**
 * Of a name that a template answers for. DNS has room for 253 characters; each prefix is looked up,
 * and a template's pattern is matched with the whole, which must not take long.
 */
const MAX_TEMPLATE_NAME_LENGTH = 1024;

export class Queries {
  readonly table: Table<PreparedQuery>;
  readonly #byName = new Map<string, PreparedQuery>();
  /** By their name, which is the prefix; '' answers for every name. */
  readonly #templates = new Map<string, PreparedQuery>();
  readonly #bySession = new Lookup<PreparedQuery>();
  readonly #topics: Topics;

  constructor(journal: Journal, topics: Topics) {
    this.#topics = topics;
    this.table = new Table(journal, (before, after) => this.#changed(before, after));
  }

  get(id: string): PreparedQuery | undefined {
    return this.table.get(id);
  }

  /** The one with exactly this name, whatever its case. */
  named(name: string): PreparedQuery | undefined {
    return this.#byName.get(fold(name));
  }

  boundTo(session: string): Iterable<PreparedQuery> {
    return this.#bySession.rows(session);
  }

  template(prefix: string): PreparedQuery | undefined {
    return this.#templates.get(fold(prefix));
  }

  /**
   * Which query an id or a name means: an id, else a name, else the longest prefix of the name. A
   * name that is too long for a template is none's.
   */
  resolve(idOrName: string): PreparedQuery | undefined {
    const key = fold(idOrName);
    const exact = this.table.get(key) ?? this.#byName.get(key);
    if (exact !== undefined || this.#templates.size === 0) return exact;
    if (key.length > MAX_TEMPLATE_NAME_LENGTH) return undefined;
    for (let length = key.length; length >= 0; length--) {
      const template = this.#templates.get(key.slice(0, length));
      if (template !== undefined) return template;
    }
    return undefined;
  }

  #changed(before: PreparedQuery | undefined, after: PreparedQuery | undefined): void {
    if (before !== undefined) this.#unlink(before);
    if (after !== undefined) this.#link(after);
    const { ID } = (after ?? before) as PreparedQuery;
    this.#topics.touch(QUERIES);
    if (after === undefined) this.#topics.bury(queryTopic(ID));
    else this.#topics.touch(queryTopic(ID));
  }

  #link(query: PreparedQuery): void {
    if (query.Name !== '') this.#byName.set(fold(query.Name), query);
    if (query.Template.Type !== '') this.#templates.set(fold(query.Name), query);
    if (query.Session !== '') this.#bySession.set(query.Session, query.ID, query);
  }

  #unlink(query: PreparedQuery): void {
    this.#byName.delete(fold(query.Name));
    if (query.Template.Type !== '') this.#templates.delete(fold(query.Name));
    if (query.Session !== '') this.#bySession.delete(query.Session, query.ID);
  }
}

/** A template has one even where it is ''. */
export function hasQueryName({
  Name,
  Template,
}: Pick<PreparedQuery, 'Name' | 'Template'>): boolean {
  return Name !== '' || Template.Type !== '';
}
