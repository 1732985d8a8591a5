/**
 * What the records of an archive come to here: rows, read as bodies are read, so that nothing comes
 * in this way that could not have been registered. What this registry does not have is counted.
 */
import {
  kindOf,
  type Raw,
  type RecordKind,
  readEntryRecord,
  type StateRecord,
} from '../../../lib/archive/records.ts';
import { decodeEntry, refuseFaulty } from '../../../lib/config-entries/kinds.ts';
import { valueDecoder } from '../../../lib/decode.ts';
import { parseDuration } from '../../../lib/duration.ts';
import { encodeJson } from '../../../lib/json.ts';
import type { Indexed, KeyValue, NodeCoordinate, Session } from '../../../lib/model.ts';
import { withFields } from '../../../lib/with-fields.ts';
import type { AutopilotSettings, StagedRow } from '../../commands.ts';
import {
  type CheckBody,
  checkSchema,
  type NodeBody,
  nodeSchema,
  type ServiceBody,
  serviceSchema,
} from '../bodies.ts';
import { refuseNul, toCheck, toNode, toService } from '../definitions.ts';
import { queryBody, toQuery } from '../query-body.ts';
import { bindingRuleOf, methodOf, policyOf, roleOf, tokenOf } from './acl-rows.ts';
import { caConfigRow, caRootRows, rootKeyRow } from './authority-rows.ts';
import { base64Of, type Fields, fieldsOf, indexedOf, type Plain } from './go-values.ts';
import { IntentionRecords } from './intention-records.ts';
import { ownEntriesOf } from './own-entries.ts';
import { pastsOf } from './read-past.ts';

const nodeBody = valueDecoder<NodeBody>(nodeSchema);
const serviceBody = valueDecoder<ServiceBody>(serviceSchema);
const checkBody = valueDecoder<CheckBody>(checkSchema);

const text = { type: 'string', default: '' } as const;
const texts = { type: 'array', items: { type: 'string' } } as const;
const whole = { type: 'integer', default: 0 } as const;
const count = { type: 'integer', default: 0, minimum: 0 } as const;
const fraction = { type: 'number', default: 0 } as const;
const flag = { type: 'boolean', default: false } as const;

const kvBody = valueDecoder<Omit<KeyValue, keyof Indexed | 'Value'>>({
  type: 'object',
  properties: {
    LockIndex: count,
    Key: text,
    Flags: { uint64: true, default: 0 },
    Session: text,
  },
});

const sessionBody = valueDecoder<Omit<Session, keyof Indexed>>({
  type: 'object',
  properties: {
    ID: text,
    Name: text,
    Node: text,
    LockDelay: count,
    Behavior: text,
    TTL: text,
    NodeChecks: texts,
    ServiceChecks: {
      type: 'array',
      items: { type: 'object', properties: { ID: text, Namespace: text } },
    },
    Checks: texts,
  },
});

const coordinateBody = valueDecoder<NodeCoordinate>({
  type: 'object',
  required: ['Coord'],
  properties: {
    Node: text,
    Segment: text,
    Coord: {
      type: 'object',
      required: ['Vec'],
      properties: {
        Vec: { type: 'array', items: { type: 'number' } },
        Error: fraction,
        Adjustment: fraction,
        Height: fraction,
      },
    },
  },
});

const autopilotBody = valueDecoder<AutopilotSettings>({
  type: 'object',
  properties: {
    CleanupDeadServers: flag,
    LastContactThreshold: whole,
    MaxTrailingLogs: { uint64: true, default: 0 },
    MinQuorum: { uint64: true, default: 0 },
    ServerStabilizationTime: whole,
    RedundancyZoneTag: text,
    DisableUpgradeMigration: flag,
    UpgradeVersionTag: text,
  },
});

/** Of Raft and of the tables themselves: they say nothing that a state has to hold. */
const OF_NO_USE: ReadonlySet<RecordKind> = new Set([
  'index',
  'chunking',
  'tombstone',
  'federationState',
]);

export class RowReader {
  readonly #datacenter: string;
  readonly #nodes = new Set<string>();
  readonly #leftOut = new Map<string, number>();
  /** Those of one destination are parts of one entry. */
  readonly #intentions = new IntentionRecords();
  #newest = 0;

  constructor(datacenter: string) {
    this.#datacenter = datacenter;
  }

  /** How many records were of a kind that is not here. */
  get leftOut(): ReadonlyMap<string, number> {
    return this.#leftOut;
  }

  /** The largest index of a row: an archive's own word on it may be wrong. */
  get newest(): number {
    return this.#newest;
  }

  /** Throws where a record is not as it should be. */
  async *rows(records: AsyncIterable<StateRecord>): AsyncGenerator<StagedRow> {
    for await (const record of records) yield* this.#counted(this.#read(record));
    yield* this.#counted(this.#intentions.entries().map((configEntry) => ({ configEntry })));
  }

  #counted(rows: readonly StagedRow[]): readonly StagedRow[] {
    for (const row of rows) {
      for (const each of Object.values(row) as Partial<Indexed>[]) {
        this.#newest = Math.max(this.#newest, each.CreateIndex ?? 0, each.ModifyIndex ?? 0);
      }
    }
    return rows;
  }

  #read({ type, value }: StateRecord): readonly StagedRow[] {
    const kind = kindOf(type);
    if (kind !== undefined && OF_NO_USE.has(kind)) return [];
    const read = kind && READERS[kind];
    if (kind === 'register') return this.#register(fieldsOf(value));
    if (kind === 'intention') {
      this.#intentions.add(fieldsOf(value));
      return [];
    }
    if (kind === 'configEntry') return [{ configEntry: configEntryOf(readEntryRecord(value)) }];
    if (kind === 'caRoot') return caRootRows(fieldsOf(value));
    if (read === undefined) {
      const name = kind ?? `type ${type}`;
      this.#leftOut.set(name, (this.#leftOut.get(name) ?? 0) + 1);
      return [];
    }
    if (kind === 'coordinates') return (value as readonly []).map((each) => read(fieldsOf(each)));
    return [read(fieldsOf(value))];
  }

  /** A node stands in the record of each of its services and checks. */
  #register({ fields, indexed }: Fields): StagedRow[] {
    const { Node, Service, Check } = fields;
    // Before what it is about, which brings it back: see History.load.
    const rows: StagedRow[] = [...pastsOf(fields), ...ownEntriesOf(fields)];
    if (!this.#nodes.has(String(Node))) {
      this.#nodes.add(String(Node));
      const body = nodeBody(withFields(fields, { Meta: fields['NodeMeta'] }));
      if (body.Node === '') throw new Error('a node has no name');
      rows.push({ node: withFields(toNode(body, this.#datacenter), indexed) });
    }
    if (Service) rows.push({ instance: instanceOf(String(Node), Service as Plain) });
    if (Check) rows.push({ check: checkOf(String(Node), Check as Plain) });
    for (const { node, instance, check } of rows) {
      refuseNul(
        node?.Node ?? '',
        instance?.ID ?? '',
        instance?.Service ?? '',
        check?.CheckID ?? '',
      );
    }
    return rows;
  }
}

function instanceOf(Node: string, service: Plain) {
  const proxy = service['Proxy'] as Plain | undefined;
  // Go writes a struct of which nothing is said as one with all its fields.
  const isProxy = service['Kind'] !== '' || Boolean(proxy?.['DestinationServiceName']);
  const body = serviceBody(
    isProxy ? withoutZeros(service) : withFields(service, { Proxy: undefined }),
  );
  return withFields(toService(body), { Node, ...indexedOf(service) });
}

/** A proxy says what it was told, and nothing of what it was not; its free fields are as they are. */
function withoutZeros(service: Plain): Plain {
  return withFields(service, { Proxy: said(service['Proxy']) });
}

function said(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(said);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).filter(([, each]) => !isZero(each));
  return Object.fromEntries(
    fields.map(([name, each]) => [name, name === 'Config' ? each : said(each)]),
  );
}

function isZero(value: unknown): boolean {
  return value === null || value === '' || value === 0 || value === false;
}

function checkOf(Node: string, check: Plain) {
  return withFields(toCheck(checkBody(check)), {
    Node,
    ServiceName: String(check['ServiceName'] ?? ''),
    ServiceTags: textsOf(check['ServiceTags']),
    ...indexedOf(check),
  });
}

function textsOf(list: unknown): readonly string[] {
  return Array.isArray(list) ? list.map(String) : [];
}

function configEntryOf(value: Raw) {
  const { fields, indexed } = fieldsOf(value);
  const entry = decodeEntry(fields);
  refuseFaulty(entry);
  return withFields(entry, indexed);
}

type ReadFields = (from: Fields) => StagedRow;

const READERS: Readonly<Partial<Record<RecordKind, ReadFields>>> = {
  kv({ fields, raw, indexed }) {
    const { LockIndex, Key, Flags, Session: holder } = kvBody(fields);
    const held = holder ? { Session: holder } : {};
    return { kv: { LockIndex, Key, Flags, Value: base64Of(raw['Value']), ...held, ...indexed } };
  },
  session: ({ fields, indexed }) => ({ session: sessionOf(fields, indexed) }),
  coordinates: ({ fields }) => ({ coordinate: coordinateBody(fields) }),
  query: ({ fields, indexed }) => ({
    query: withFields(toQuery(queryBody(encodeJson(fields)), String(fields['ID'])), indexed),
  }),
  autopilot: ({ fields, indexed }) => ({
    autopilot: withFields(autopilotBody(fields), indexed),
  }),
  policy: (from) => ({ policy: policyOf(from) }),
  role: (from) => ({ role: roleOf(from) }),
  authMethod: (from) => ({ authMethod: methodOf(from) }),
  bindingRule: (from) => ({ bindingRule: bindingRuleOf(from) }),
  caConfig: caConfigRow,
  caState: rootKeyRow,
  token: (from) => ({ token: tokenOf(from) }),
};

function sessionOf(fields: Plain, indexed: Indexed): Session {
  const body = sessionBody(fields);
  const { ID, Name, Node, LockDelay, TTL, NodeChecks, ServiceChecks, Checks = [] } = body;
  const ttl = TTL === '' ? 0 : parseDuration(TTL);
  if (ttl === undefined || ttl < 0) throw new Error(`no TTL of a session: ${TTL}`);
  return {
    ID,
    Name,
    Node,
    LockDelay,
    TTL,
    Behavior: body.Behavior === 'delete' ? 'delete' : 'release',
    NodeChecks: NodeChecks ?? null,
    ServiceChecks: ServiceChecks ?? null,
    ...(Checks.length > 0 ? { Checks } : {}),
    ...indexed,
  };
}
