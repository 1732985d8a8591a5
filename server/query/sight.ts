/** What someone may see of the state, row by row. */
import type { Rights } from '../../lib/acl/rights.ts';
import type { ConfigEntry, Intention } from '../../lib/config-entries/entry.ts';
import { nameOfRight } from '../../lib/config-entries/kind.ts';
import { kindNamed } from '../../lib/config-entries/kinds.ts';
import type {
  Check,
  Instance,
  KeyValue,
  PreparedQuery,
  Session,
  UserEvent,
} from '../../lib/model.ts';
import type { Past } from '../state/history/past.ts';
import { hasQueryName } from '../state/queries.ts';

/** What is shown in place of a prepared query's token, so that no one writes it back by mistake. */
export const HIDDEN_TOKEN = '<hidden>';

export class Sight {
  readonly #rights: Rights;
  /** Nothing has to be looked at one by one. */
  readonly all: boolean;
  #hasHidden = false;

  constructor(rights: Rights) {
    this.#rights = rights;
    this.all = rights.all;
  }

  /** Whether rows were kept back, or a name was asked for that may not be seen, if it is there or not. */
  get hasHidden(): boolean {
    return this.#hasHidden;
  }

  /** Those of the rows that it sees. */
  of<T>(rows: Iterable<T>, sees: (row: T) => boolean): Iterable<T> {
    if (this.all) return rows;
    const all = [...rows];
    const seen = all.filter(sees);
    if (seen.length < all.length) this.#hasHidden = true;
    return seen;
  }

  /** Takes note of a name that was asked for. */
  asked(isSeen: boolean): void {
    if (!isSeen) this.#hasHidden = true;
  }

  /** Whether no node, instance or check is kept back, whatever there may be. */
  get wholeCatalog(): boolean {
    const sees = (resource: 'node' | 'service') => this.#rights.mayUnder(resource, 'read', '');
    return this.all || (sees('node') && sees('service'));
  }

  nodeNamed(name: string): boolean {
    return this.all || this.#rights.may('node', 'read', name);
  }

  serviceNamed(name: string): boolean {
    return this.all || this.#rights.may('service', 'read', name);
  }

  keyNamed(key: string): boolean {
    return this.all || this.#rights.may('key', 'read', key);
  }

  /** Whether there is nothing under the prefix that it does not see. */
  keysUnder(prefix: string): boolean {
    return this.all || this.#rights.mayUnder('key', 'read', prefix);
  }

  /**
   * Of a key that it does not see the shortest beginning, no shorter than the prefix, under which it sees none; undefined
   * where it may see some that begin with all of it.
   */
  hiddenWith(key: string, prefix: string): string | undefined {
    const isHidden = (length: number) =>
      !this.#rights.mayAnyUnder('key', 'read', key.slice(0, length));
    if (!isHidden(key.length)) return undefined;
    let [from, to] = [prefix.length, key.length];
    while (from < to) {
      const middle = Math.floor((from + to) / 2);
      if (isHidden(middle)) to = middle;
      else from = middle + 1;
    }
    return key.slice(0, to);
  }

  keysListed(prefix: string): boolean {
    return this.all || this.#rights.may('key', 'list', prefix);
  }

  sessionsOn(node: string): boolean {
    return this.all || this.#rights.may('session', 'read', node);
  }

  readonly node = ({ Node: name }: { readonly Node: string }): boolean => this.nodeNamed(name);

  readonly instance = ({ Node: node, Service }: Instance): boolean =>
    this.nodeNamed(node) && this.serviceNamed(Service);

  /** A node's own check is seen with the node. */
  readonly check = ({ Node: node, ServiceName }: Check): boolean =>
    this.nodeNamed(node) && (ServiceName === '' || this.serviceNamed(ServiceName));

  /** What is remembered of an instance is seen as it was, of a node with the node. */
  readonly past = ({ node, service }: Pick<Past, 'node' | 'service'>): boolean =>
    this.nodeNamed(node) && (service === '' || this.serviceNamed(service));

  readonly key = ({ Key }: KeyValue): boolean => this.keyNamed(Key);

  readonly session = ({ Node: node }: Session): boolean => this.sessionsOn(node);

  readonly event = ({ Name }: UserEvent): boolean =>
    this.all || this.#rights.may('event', 'read', Name);

  /** In a list: one without a name stands in none but a manager's. */
  readonly query = (query: PreparedQuery): boolean =>
    this.#manages || (hasQueryName(query) && this.#rights.may('query', 'read', query.Name));

  /** By its id, which one without a name is known by only to those who made it. */
  readonly queryById = (query: PreparedQuery): boolean => !hasQueryName(query) || this.query(query);

  /** The token that a query runs with is shown to managers alone. */
  shown(query: PreparedQuery): PreparedQuery {
    if (query.Token === '' || this.#manages) return query;
    return { ...query, Token: HIDDEN_TOKEN };
  }

  /** A kind without a right of its own is seen by all. */
  entryNamed(kind: string, name: string): boolean {
    const resource = kindNamed(kind)?.seenBy;
    return (
      this.all ||
      resource === undefined ||
      this.#rights.may(resource, 'read', nameOfRight(resource, name))
    );
  }

  /** Whoever may see one end of a call may see what is said of it. */
  readonly intention = (intention: Pick<Intention, 'SourceName' | 'DestinationName'>): boolean =>
    this.intentionsOf(intention.DestinationName) || this.intentionsOf(intention.SourceName);

  intentionsOf(service: string): boolean {
    return this.all || this.#rights.may('intention', 'read', service);
  }

  readonly entry = ({ Kind, Name }: ConfigEntry): boolean => this.entryNamed(Kind, Name);

  /** What is secret in it is shown to those alone who may write it. */
  shownEntry(entry: ConfigEntry): ConfigEntry {
    const { secrets = [], changedBy } = kindNamed(entry.Kind) ?? {};
    if (secrets.length === 0 || changedBy === undefined) return entry;
    if (this.all || this.#rights.may(changedBy, 'write', nameOfRight(changedBy, entry.Name)))
      return entry;
    return { ...entry, ...Object.fromEntries(secrets.map((name) => [name, HIDDEN_TOKEN])) };
  }

  get #manages(): boolean {
    return this.all || this.#rights.may('acl', 'write', '');
  }
}
