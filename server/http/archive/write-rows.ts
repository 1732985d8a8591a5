/**
 * The state as records of Consul's: a Consul can restore what is saved here. Rows of which there may be
 * hundreds of thousands are written field by field: what `...rest` makes is slow, and is left to the
 * next full collection of all memory.
 */

import type { AuthMethod, BindingRule, Policy, Role, Token } from '../../../lib/acl/model.ts';
import { type RecordKind, RecordWriter } from '../../../lib/archive/records.ts';
import type { ConfigEntry, Intention } from '../../../lib/config-entries/entry.ts';
import {
  derivedId,
  hashOf,
  intentionsIn,
  isPlainEntry,
  precedenceIn,
} from '../../../lib/config-entries/intentions.ts';
import {
  SERVICE_INTENTIONS,
  type ServiceIntentions,
} from '../../../lib/config-entries/kinds/service-intentions.ts';
import { archivedEntry } from '../../../lib/config-entries/shown.ts';
import type { CaRoot } from '../../../lib/connect/model.ts';
import { NS_PER_MS, parseDuration } from '../../../lib/duration.ts';
import type { HistoryRow } from '../../../lib/history.ts';
import { laterFields, localityOf } from '../../../lib/later-fields.ts';
import type {
  Check,
  Indexed,
  Instance,
  KeyValue,
  Node,
  ServiceDefinition,
  Session,
  Uint64,
} from '../../../lib/model.ts';
import { withFields } from '../../../lib/with-fields.ts';
import type { StagedRow } from '../../commands.ts';
import { NONE } from '../../state/history/changes.ts';
import type { Past } from '../../state/history/past.ts';
import { type Frozen, pastRow } from '../../state/history/past-rows.ts';
import type { AutopilotRow, State } from '../../state/state.ts';
import { fold } from '../../state/topic-names.ts';
import { goTime } from './go-values.ts';
import { isOwnKind, ownEntriesField } from './own-entries.ts';
import { HISTORY_FIELD } from './read-past.ts';

/**
 * The rows are collected at once, which is quick, and written whenever and as often as is asked,
 * which is not: rows are immutable. Only where they are is kept; there may be half a million.
 */
export function recordsOf(state: State): () => Iterable<Uint8Array> {
  const { index, acl } = state;
  const { catalog } = state;
  const nodes = [...catalog.nodes.values()];
  const instances = [...catalog.instances.values()];
  const checks = [...catalog.checks.values()];
  const past = new PastOf(state);
  const coordinates = [...state.coordinates.values()];
  const [policies, roles] = [[...acl.policies.values()], [...acl.roles.values()]];
  const names = namesOf(policies, roles);
  const tables = [
    table('session', state.sessions.table.values(), sessionOf),
    lazyTable('kv', state.kv.frozen(), entryOf),
    table('query', state.queries.table.values(), (query) => query),
    table('autopilot', state.autopilot.values(), autopilotOf),
    table('token', acl.tokens.values(), (token) => tokenOf(token, names)),
    table('policy', policies, policyOf),
    table('role', roles, (role) => roleOf(role, names)),
    table('authMethod', acl.authMethods.values(), methodOf),
    table('bindingRule', acl.bindingRules.values(), bindingRuleOf),
    ...authorityTables(state),
  ];
  const all = [...state.configEntries.values()];
  const own = all.filter(isOwnKind);
  const entries = all.filter((entry) => !isOldIntentions(entry) && !isOwnKind(entry));
  const intentions = all.filter(isOldIntentions).flatMap(intentionsIn);
  return function* () {
    const writer = new RecordWriter();
    yield writer.head(index);
    yield* catalogRecords({ nodes, instances, checks }, writer, past);
    if (nodes[0] !== undefined) yield* past.rest(nodes[0], writer);
    if (nodes[0] !== undefined && own.length > 0) {
      const register = registerOf(nodes[0], null, null);
      yield writer.record('register', withFields(register, ownEntriesField(own)));
    }
    if (coordinates.length > 0) yield writer.record('coordinates', coordinates);
    for (const records of tables) yield* records(writer);
    for (const each of intentions) yield writer.record('intention', intentionOf(each));
    for (const entry of entries) yield writer.entry(entry.Kind, archivedEntry(entry));
  };
}

type Records = (writer: RecordWriter) => Iterable<Uint8Array>;

function table<R>(kind: RecordKind, rows: Iterable<R>, toValue: (row: R) => object): Records {
  return lazyTable(kind, [...rows], toValue);
}

/** Of rows that are as they were, whatever becomes of the table. */
function lazyTable<R>(kind: RecordKind, rows: Iterable<R>, toValue: (row: R) => object): Records {
  return function* (writer) {
    for (const row of rows) yield writer.record(kind, toValue(row));
  };
}

interface OfCatalog {
  readonly nodes: readonly Node[];
  readonly instances: readonly Instance[];
  readonly checks: readonly Check[];
}

/** Each with its node: to sort them by nodes first would hold up everybody, where there are a million. */
function* catalogRecords(
  { nodes, instances, checks }: OfCatalog,
  writer: RecordWriter,
  past: PastOf,
) {
  const byName = new Map<string, Node>();
  for (const node of nodes) {
    byName.set(fold(node.Node), node);
    yield writer.record(
      'register',
      withFields(registerOf(node, null, null), past.of(node.Node, '')),
    );
  }
  for (const each of instances) {
    const register = registerOf(nodeOf(byName, each), each, null);
    yield writer.record('register', withFields(register, past.of(each.Node, each.ID)));
  }
  for (const each of checks) {
    yield writer.record('register', registerOf(nodeOf(byName, each), null, each));
  }
}

function nodeOf(byName: ReadonlyMap<string, Node>, { Node: name }: Pick<Instance, 'Node'>): Node {
  const node = byName.get(fold(name));
  if (node === undefined) throw new Error(`no node ${name} in the state`);
  return node;
}

/** What a record of another kind would be to a Consul: none that it could restore. */
interface WithHistory {
  readonly [HISTORY_FIELD]?: readonly StagedRow[];
}

/** Of what is gone, so much in a record. */
const GONE_PER_RECORD = 100;

/**
 * What is remembered, in a field more of the records of what it is about: one that a Consul passes over.
 * What is gone goes with the first node, which then has several records.
 */
class PastOf {
  readonly #state: State;
  readonly #frozen: Frozen;
  readonly #head: HistoryRow;

  constructor(state: State) {
    this.#state = state;
    this.#frozen = state.history.frozen();
    this.#head = withFields(state.history.row, { until: state.t });
  }

  of(node: string, id: string): WithHistory {
    const past = this.#state.history.live(node, id);
    // It may have come since then.
    if (past === undefined || this.#frozen.firstOf(past) === NONE) return {};
    return { [HISTORY_FIELD]: [this.#row(past)] };
  }

  *rest(node: Node, writer: RecordWriter): Iterable<Uint8Array> {
    const { pasts, live } = this.#frozen;
    if (pasts.length === 0) return;
    let rows: StagedRow[] = [{ history: this.#head }];
    for (let i = live; i <= pasts.length; i++) {
      const past = pasts[i];
      if (past !== undefined) rows.push(this.#row(past));
      if (i < pasts.length && rows.length < GONE_PER_RECORD) continue;
      yield writer.record(
        'register',
        withFields(registerOf(node, null, null), { [HISTORY_FIELD]: rows }),
      );
      rows = [];
    }
  }

  /** One that is there comes back with its row. */
  #row(past: Past): StagedRow {
    return { past: withFields(pastRow(this.#frozen, past, true), { gone: true }) };
  }
}

function registerOf(node: Node, instance: Instance | null, check: Check | null) {
  return {
    ID: node.ID,
    Node: node.Node,
    Address: node.Address,
    Datacenter: node.Datacenter,
    TaggedAddresses: node.TaggedAddresses,
    NodeMeta: node.Meta,
    ...localityOf(node),
    Service: instance && serviceOf(instance),
    Check: check && checkOf(check),
    Checks: null,
    SkipNodeUpdate: false,
    Token: '',
    CreateIndex: node.CreateIndex,
    ModifyIndex: node.ModifyIndex,
  };
}

function serviceOf(row: Instance): ServiceDefinition & Indexed & OfASidecar {
  return {
    Kind: row.Kind,
    ID: row.ID,
    Service: row.Service,
    Tags: row.Tags,
    Address: row.Address,
    TaggedAddresses: row.TaggedAddresses,
    Meta: row.Meta,
    Port: row.Port,
    Weights: row.Weights,
    EnableTagOverride: row.EnableTagOverride,
    Proxy: row.Proxy,
    Connect: row.Connect,
    LocallyRegisteredAsSidecar: false,
    ...laterFields(row),
    CreateIndex: row.CreateIndex,
    ModifyIndex: row.ModifyIndex,
  };
}

interface OfASidecar {
  readonly LocallyRegisteredAsSidecar: boolean;
}

const DURATIONS = ['Interval', 'Timeout', 'DeregisterCriticalServiceAfter', 'TTL'];

function checkOf(row: Check): Check {
  return {
    CheckID: row.CheckID,
    Name: row.Name,
    Status: row.Status,
    Notes: row.Notes,
    Output: row.Output,
    ServiceID: row.ServiceID,
    Type: row.Type,
    Definition: definitionOf(row.Definition),
    Node: row.Node,
    ServiceName: row.ServiceName,
    ServiceTags: row.ServiceTags,
    CreateIndex: row.CreateIndex,
    ModifyIndex: row.ModifyIndex,
  };
}

function definitionOf(definition: Check['Definition']): Check['Definition'] {
  const said = Object.entries(definition).map(([field, value]) => [
    field,
    DURATIONS.includes(field) ? int64(parseDuration(String(value)) ?? 0) : value,
  ]);
  return said.length === 0 ? definition : Object.fromEntries(said);
}

function sessionOf(session: Session) {
  return { Checks: [], ...session, LockDelay: int64(session.LockDelay) };
}

function autopilotOf(row: AutopilotRow) {
  const { LastContactThreshold, ServerStabilizationTime } = row;
  return withFields(row, {
    LastContactThreshold: int64(LastContactThreshold),
    ServerStabilizationTime: int64(ServerStabilizationTime),
  });
}

/** Whatever may be beyond 32 bits: the encoder takes a number there for a fraction, which Go refuses. */
function int64(value: Uint64): bigint {
  return BigInt(value);
}

function entryOf(row: KeyValue) {
  return {
    LockIndex: row.LockIndex,
    Key: row.Key,
    Flags: int64(row.Flags),
    Value: row.Value === null ? null : Buffer.from(row.Value, 'base64'),
    Session: row.Session ?? '',
    CreateIndex: row.CreateIndex,
    ModifyIndex: row.ModifyIndex,
  };
}

/** How long after its end a root is still shown, in the lives of what it signs. */
const LIVES_AFTER = 2;

function authorityTables({ authority }: State): readonly Records[] {
  const { activeRoot, keys } = authority;
  const signing = keys.get(activeRoot?.ID ?? '');
  const rotatedOut = ({ ID }: CaRoot) => {
    const { goesAt = 0, leafTtlMs = 0 } = keys.get(ID) ?? {};
    return goesAt === 0 ? 0 : goesAt - LIVES_AFTER * leafTtlMs;
  };
  return [
    table('caConfig', authority.configs.values(), (config) => config),
    table('caRoot', authority.roots.values(), (root) => caRootOf(root, rotatedOut(root))),
    // Only the key that signs: the others sign nothing any more.
    table('caState', signing === undefined ? [] : [signing], (key) => ({
      ID: key.madeOf,
      PrivateKey: key.privateKey,
      RootCert: activeRoot?.RootCert ?? '',
      IntermediateCert: '',
      CreateIndex: activeRoot?.CreateIndex ?? 1,
      ModifyIndex: activeRoot?.ModifyIndex ?? 1,
    })),
  ];
}

function caRootOf({ NotBefore, NotAfter, ...root }: CaRoot, rotatedOutAt: number) {
  return withFields(root, {
    NotBefore: goTime(Date.parse(NotBefore)),
    NotAfter: goTime(Date.parse(NotAfter)),
    SigningCert: '',
    SigningKey: '',
    RotatedOutAt: goTime(rotatedOutAt),
  });
}

/** What ids are called: a link in Consul's records says both. */
type Names = ReadonlyMap<string, string>;

function namesOf(policies: readonly Policy[], roles: readonly Role[]): Names {
  return new Map([...policies, ...roles].map(({ ID, Name }) => [ID, Name]));
}

function linksOf(ids: readonly string[], names: Names) {
  return ids.map((ID) => ({ ID, Name: names.get(ID) ?? '' }));
}

function policyOf(policy: Policy) {
  return withFields(policy, { Hash: bytesOf(policy.Hash), Syntax: 0 });
}

function roleOf(role: Role, names: Names) {
  return withFields(role, { Policies: linksOf(role.Policies, names), Hash: bytesOf(role.Hash) });
}

function methodOf(method: AuthMethod) {
  return withFields(method, { MaxTokenTTL: int64(method.MaxTokenTTL) });
}

/** Only a later Consul has variables of templates. */
function bindingRuleOf({ BindVars, ...rule }: BindingRule) {
  return BindVars === null ? rule : withFields(rule, { BindVars });
}

/** A Consul of 1.8 knows intentions one by one, and not as parts of an entry. */
function isOldIntentions(entry: ConfigEntry): entry is ConfigEntry & ServiceIntentions {
  return (
    entry.Kind === SERVICE_INTENTIONS.kind && isPlainEntry(entry as unknown as ServiceIntentions)
  );
}

function intentionOf({ createdAt, updatedAt, ...intention }: Intention) {
  return withFields(intention, {
    ID: intention.ID === '' ? derivedId(intention) : intention.ID,
    SourceNS: 'default',
    DestinationNS: 'default',
    SourceType: 'consul',
    Precedence: precedenceIn(intention),
    CreatedAt: goTime(createdAt),
    UpdatedAt: goTime(updatedAt),
    Hash: hashOf(intention),
  });
}

function tokenOf({ createdAt, expiresAt, ...token }: Token, names: Names) {
  return withFields(token, {
    Policies: linksOf(token.Policies, names),
    Roles: linksOf(token.Roles, names),
    Hash: bytesOf(token.Hash),
    CreateTime: goTime(createdAt),
    ExpirationTime: expiresAt === 0 ? null : goTime(expiresAt),
    ExpirationTTL: expiresAt === 0 ? 0 : int64((expiresAt - createdAt) * NS_PER_MS),
  });
}

function bytesOf(base64: string): Uint8Array {
  return Buffer.from(base64, 'base64');
}
