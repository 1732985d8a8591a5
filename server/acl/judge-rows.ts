/** Who may change which rows, by whose they are. */
import { permissionDenied } from '../../lib/acl/refusals.ts';
import type { Resource, Rights } from '../../lib/acl/rights.ts';
import type { ConfigEntryDefinition, IntentionDefinition } from '../../lib/config-entries/entry.ts';
import { nameOfRight } from '../../lib/config-entries/kind.ts';
import { kindNamed } from '../../lib/config-entries/kinds.ts';
import { ProconsulError } from '../../lib/errors.ts';
import type {
  Check,
  CheckDefinition,
  Instance,
  NodeDefinition,
  PreparedQuery,
} from '../../lib/model.ts';
import type { Deregister, Judged, Judgement, Kv, Register } from '../commands.ts';
import { sameRow } from '../state/catalog.ts';
import { hasQueryName } from '../state/queries.ts';
import type { State } from '../state/state.ts';

export class Judge {
  readonly #state: State;
  readonly #rights: Rights;

  constructor(state: State, rights: Rights) {
    this.#state = state;
    this.#rights = rights;
  }

  /** Throws where it may not. */
  write(resource: Resource, name: string): void {
    if (!this.#rights.may(resource, 'write', name)) throw permissionDenied();
  }

  /** As it is spelt where it is known: no other spelling stands for more. */
  stored(node: string): string {
    return this.#state.catalog.node(node)?.Node ?? node;
  }

  kv({ verb, key }: Kv['op']): void {
    if (verb !== 'delete-tree') this.write('key', key);
    else if (!this.#rights.mayUnder('key', 'write', key)) throw permissionDenied();
  }

  register({ node, skipNodeUpdate, service, checks }: Register): Judgement {
    const { catalog } = this.#state;
    const keepsNode =
      catalog.node(node.Node) !== undefined && (skipNodeUpdate || this.#isSame(node));
    if (!keepsNode) this.node(node);
    if (service !== undefined) this.instance(node.Node, service);
    for (const check of checks) {
      const isNew = service !== undefined && service.ID === check.ServiceID;
      this.check(node.Node, check, isNew ? service.Service : undefined);
    }
    return { at: this.#state.index, ...(keepsNode && { keepsNode }) };
  }

  /** One that has its id under another name is taken out. */
  node({ Node: name, ID }: Pick<NodeDefinition, 'Node' | 'ID'>): void {
    const { catalog } = this.#state;
    const renamed = ID === '' ? undefined : catalog.nodeById(ID)?.Node;
    for (const each of new Set([name, this.stored(name), renamed ?? name])) {
      this.write('node', each);
    }
  }

  instance(node: string, { ID, Service }: { readonly ID: string; readonly Service: string }): void {
    this.write('service', Service);
    const before = this.#state.catalog.instance(node, ID);
    if (before !== undefined) this.write('service', before.Service);
  }

  /** `owner`: the name of the service whose check it is, where that is about to be registered. */
  check(node: string, { CheckID, ServiceID }: CheckDefinition, owner?: string): void {
    const { catalog } = this.#state;
    const before = catalog.check(node, CheckID);
    if (before !== undefined) this.#ownCheck(node, before.ServiceName);
    const name = ServiceID === '' ? '' : (owner ?? catalog.instance(node, ServiceID)?.Service);
    if (name === undefined) throw rejected(`Unknown service '${ServiceID}' for check '${CheckID}'`);
    this.#ownCheck(node, name);
  }

  deregister({ node, serviceId, checkId }: Deregister): Judged {
    if (this.#rights.may('node', 'write', this.stored(node))) return {};
    const { catalog } = this.#state;
    if (serviceId !== undefined) {
      const instance = catalog.instance(node, serviceId);
      if (instance === undefined) throw rejected(`Unknown service '${serviceId}'`);
      this.write('service', instance.Service);
    } else if (checkId !== undefined) {
      const check = catalog.check(node, checkId);
      if (check === undefined) throw rejected(`Unknown check '${checkId}'`);
      this.#ownCheck(node, check.ServiceName);
    } else throw permissionDenied();
    return { judged: { at: this.#state.index } };
  }

  /** Whether it may say how this check stands. */
  mayReport({ Node, ServiceName, ServiceID }: Check): boolean {
    if (ServiceName === '') return this.#rights.may('node', 'write', Node);
    const now = this.#state.catalog.instance(Node, ServiceID)?.Service ?? ServiceName;
    return [ServiceName, now].every((name) => this.#rights.may('service', 'write', name));
  }

  /** Whether it may deregister this, as `deregister` judges it. */
  mayTakeOut(row: Check | Instance): boolean {
    if (this.#rights.may('node', 'write', row.Node)) return true;
    const service = 'CheckID' in row ? row.ServiceName : row.Service;
    return service !== '' && this.#rights.may('service', 'write', service);
  }

  /** One without a name is changed by whoever knows its id. */
  change(query: Pick<PreparedQuery, 'Name' | 'Template'> | undefined): void {
    if (query !== undefined && hasQueryName(query)) this.write('query', query.Name);
  }

  /** Whoever leads calls on to another service may see that one, too. */
  writeEntry(entry: ConfigEntryDefinition): void {
    this.deleteEntry(entry.Kind, entry.Name);
    const kind = kindNamed(entry.Kind);
    if (kind?.changedBy !== 'service') return;
    for (const service of kind.refersTo?.(entry) ?? []) {
      const isOwn = service.toLowerCase() === entry.Name.toLowerCase();
      if (!isOwn && !this.#rights.may('service', 'read', service)) throw permissionDenied();
    }
  }

  /** Whoever is called says who may call. */
  intention({ DestinationName }: Pick<IntentionDefinition, 'DestinationName'>): void {
    this.write('intention', DestinationName);
  }

  /** By whom it calls now. What is not there is told of to those alone who may write any of them. */
  intentionById(id: string): void {
    const before = this.#state.configEntries.destinationOf(id);
    if (before !== undefined) this.write('intention', before);
    else if (!this.#rights.mayUnder('intention', 'write', '')) throw permissionDenied();
  }

  deleteEntry(kind: string, name: string): void {
    const resource = kindNamed(kind)?.changedBy;
    if (resource === undefined) throw permissionDenied();
    this.write(resource, nameOfRight(resource, name));
  }

  #ownCheck(node: string, service: string): void {
    if (service === '') this.write('node', this.stored(node));
    else this.write('service', service);
  }

  #isSame(node: NodeDefinition): boolean {
    const stored = this.#state.catalog.node(node.Node);
    if (stored === undefined) return false;
    const { Locality: _, ...rest } = stored;
    return sameRow(stored, { ...rest, ...node });
  }
}

function rejected(why: string): ProconsulError {
  return new ProconsulError('rejected', why);
}
