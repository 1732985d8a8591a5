/**
 * What somebody may have written to a cluster, as its archive has it: each thing with a mark that another
 * write changes. What changes by itself has none: indexes of locks, which end with their sessions, the status
 * of checks, histories, and what leaders and agents keep in order of themselves.
 */
import { createHash, type Hash } from 'node:crypto';
import { MANAGEMENT_POLICY_ID } from '../lib/acl/model.ts';
import { type Raw, readEntryRecord } from '../lib/archive/records.ts';

/** How things are called in words. */
export const KEY = 'key';
export const METHOD = 'auth method';

interface Fields {
  readonly [field: string]: Raw;
}

/** By its mark, what it is in words. */
export type Marks = Map<string, readonly [kind: string, name: string]>;

/** Of each kind: what it is called in words, and by which field; and of which fields its mark is, if not of all. */
const KINDS: ReadonlyMap<string, readonly [words: string, name: string, of?: readonly string[]]> =
  new Map([
    ['kv', [KEY, 'Key', ['Key', 'Flags', 'Value']]],
    ['session', ['session', 'ID', ['ID']]],
    ['query', ['prepared query', 'ID']],
    ['token', ['token', 'AccessorID']],
    ['policy', ['policy', 'Name']],
    ['role', ['role', 'Name']],
    ['authMethod', [METHOD, 'Name']],
    ['bindingRule', ['binding rule', 'ID']],
    ['intention', ['intention', 'DestinationName']],
  ]);

/** How many there are of which kind; '' for none. */
export function countedMarks(marks: Marks): string {
  const counts = new Map<string, number>();
  for (const [kind] of marks.values()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return [...counts].map(([kind, count]) => `${kind}: ${count}`).join(', ');
}

/** Of what somebody wrote, in an error's words. */
const MOST_NAMED = 3;

export function namedMarks(marks: Marks): string {
  const names = [...marks.values()].slice(0, MOST_NAMED).map((words) => words.join(' ').trim());
  return [...names, ...(marks.size > MOST_NAMED ? ['…'] : [])].join(', ');
}

const NODE = ['ID', 'Address', 'NodeMeta'];
const SERVICE = ['ID', 'Service', 'Kind', 'Port', 'Address', 'Tags', 'Meta', 'Weights', 'Proxy'];
const CHECK = ['CheckID', 'Name', 'ServiceID', 'Notes', 'Definition'];
/** Entries of kinds that no Consul has. */
const OWN_ENTRIES = 'ProconsulEntries';

/** Adds the record's, unless it is of one of those nodes, which say by themselves what they are. */
export function addMarks(marks: Marks, kind: string, value: Raw, own: ReadonlySet<string>): void {
  if (kind === 'configEntry') addEntry(marks, value);
  if (!isFields(value)) return;
  if (kind === 'register') addRegistered(marks, value, own);
  const known = KINDS.get(kind);
  if (known === undefined || isAlwaysThere(kind, value)) return;
  const [words, name, of = Object.keys(value).sort()] = known;
  marks.set(markOf(kind, value, of), [words, textOf(value[name])]);
}

function addEntry(marks: Marks, value: Raw): void {
  const entry = readEntryRecord(value);
  const name = isFields(entry) ? `${textOf(entry['Kind'])}/${textOf(entry['Name'])}` : '';
  marks.set(markOf('entry', { entry: value }, ['entry']), ['config entry', name]);
}

function addRegistered(marks: Marks, value: Fields, own: ReadonlySet<string>): void {
  const entries = value[OWN_ENTRIES];
  if (entries !== undefined)
    marks.set(markOf('entries', value, [OWN_ENTRIES]), ['config entry', '']);
  const node = textOf(value['Node']);
  if (own.has(node)) return;
  const { Service: service, Check: check } = value;
  if (isFields(service)) {
    const name = `${textOf(service['Service'])} at ${node}`;
    marks.set(markOf(`service ${node}`, service, SERVICE), ['service', name]);
  } else if (isFields(check)) {
    const name = `${textOf(check['CheckID'])} at ${node}`;
    marks.set(markOf(`check ${node}`, check, CHECK), ['check', name]);
  } else {
    marks.set(markOf(`node ${node}`, value, NODE), ['node', node]);
  }
}

/** What the leader puts back by itself after each copy: nobody has written that. */
function isAlwaysThere(kind: string, value: Fields): boolean {
  if (kind === 'policy') return textOf(value['ID']) === MANAGEMENT_POLICY_ID;
  if (kind !== 'token') return false;
  return ['Anonymous Token', 'Master Token'].includes(textOf(value['Description']));
}

function markOf(kind: string, value: Fields, fields: readonly string[]): string {
  const hash = createHash('sha256').update(kind);
  for (const field of fields) {
    hash.update(`\0${field}\0`);
    hashInto(hash, value[field]);
  }
  return hash.digest('base64');
}

/** Whatever is within, in its order: of keys alone archives of two programs are compared, and those have none. */
function hashInto(hash: Hash, value: Raw | undefined): void {
  if (value instanceof Uint8Array) hash.update(`${value.length}:`).update(value);
  else if (Array.isArray(value)) {
    hash.update(`[${value.length}`);
    for (const each of value) hashInto(hash, each);
  } else if (isFields(value)) {
    hash.update('{');
    for (const name of Object.keys(value)) hashInto(hash.update(`${name}\0`), value[name]);
    hash.update('}');
  } else {
    // Nothing is as no bytes: the two programs write an empty value of a key each in its own way.
    hash.update(value === null || value === undefined ? '0:' : String(value));
  }
}

function isFields(value: Raw | undefined): value is Fields {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Uint8Array)
  );
}

function textOf(value: Raw | undefined): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString() : '';
}
