/**
 * JSON bodies as Consul takes them: key names in any case and in snake_case, null as if it were not
 * there, durations as text or as a number of nanoseconds, maps in the order of their names.
 * Validated by JSON Schema, compiled once.
 *
 * A field that no client of Consul knows is refused by its name: it is a mistake, and to pass over it
 * would be to do something else than was asked for.
 */
import {
  Ajv,
  type ErrorObject,
  type FuncKeywordDefinition,
  type SchemaObject,
  type ValidateFunction,
} from 'ajv';
import { durationComplaint, parseDuration } from './duration.ts';
import { ProconsulError } from './errors.ts';
import { decodeJson } from './json.ts';
import { MAX_JSON_DEPTH } from './json-bounds.ts';
import { byName } from './key-order.ts';
import { MAX_BODY_VALUES, MAX_LISTED } from './limits.ts';
import { inParts, PART } from './schema-parts.ts';

/**
 * JSON Schema with some words of ours: `duration` (text or nanoseconds in, nanoseconds out), `uint64`
 * (a number or bigint), `free` (an object taken as it stands, key names and all), `aliases` (other
 * names of a field), `unheeded` (fields of an object that clients may send and nothing here reads)
 * and `open` (fields that nobody knows are left out of this object, not refused).
 */
export type Schema = SchemaObject;

export interface Decoder<T> {
  (body: Buffer | string): T;
  /** What it takes, for those who describe it. */
  readonly schema: Schema;
  /** Whether nothing at all is as good as an empty object. */
  readonly optional: boolean;
}

const ajv = new Ajv({
  // The schemas are our own: to compile the one that says what a schema is takes 20 ms of each start.
  meta: false,
  validateSchema: false,
  useDefaults: true,
  allErrors: false,
  // Its second pass over the code takes as long as all else, and what comes of it runs no faster.
  code: { optimize: false },
  strictTypes: false,
  keywords: ['free', 'aliases', 'unheeded', 'open'],
});
ajv.addKeyword({
  keyword: 'duration',
  validate: (_: boolean, v: unknown) => Number.isInteger(v) && Math.abs(Number(v)) < 2 ** 63,
  error: { message: 'must be a duration such as "10s"' },
});
ajv.addKeyword({
  keyword: 'uint64',
  validate: (_: boolean, v: unknown) =>
    (typeof v === 'bigint' && v >= 0n && v < 2n ** 64n) ||
    (Number.isSafeInteger(v) && Number(v) >= 0 && !Object.is(v, -0)),
  error: { message: 'must be an unsigned integer of 64 bits' },
});
type PartValidator = ReturnType<NonNullable<FuncKeywordDefinition['compile']>>;

ajv.addKeyword({
  keyword: PART,
  // Its own: they say where in the whole body it is wrong.
  errors: 'full',
  compile(schema: Schema) {
    let whole: ValidateFunction | undefined;
    const validate: PartValidator = (value, at) => {
      whole ??= ajv.compile(inParts(schema));
      const isValid = whole(value, at);
      if (whole.errors) validate.errors = whole.errors;
      return isValid;
    };
    return validate;
  },
});

/** Compiles the schema; the decoder throws ProconsulError 'invalid' with Consul's opening words. */
export function decoder<T>(schema: Schema, opening = 'Request decode failed'): Decoder<T> {
  const check = compile<T>(() => withShortLists(schema), shapeOf(schema, !isOpen(schema)));
  const decode = (body: Buffer | string) => {
    try {
      // To Go, null is a struct of which nothing is said.
      return check(parse(body) ?? (schema['type'] === 'array' ? [] : {}));
    } catch (cause) {
      if (!(cause instanceof ProconsulError)) throw cause;
      // Without the cause: it says the same.
      throw new ProconsulError('invalid', `${opening}: ${cause.message}`);
    }
  };
  return Object.assign(decode, { schema, optional: false });
}

/** The same for a body that may be missing. */
export function optional<T>(decode: Decoder<T>): Decoder<T> {
  const whole = (body: Buffer | string) => decode(body.length === 0 ? '{}' : body);
  return Object.assign(whole, { schema: decode.schema, optional: true });
}

/** What was decoded, made into something else, or refused. */
export function refined<T, U>(decode: Decoder<T>, refine: (decoded: T) => U): Decoder<U> {
  const { schema, optional: isOptional } = decode;
  const whole = (body: Buffer | string) => refine(decode(body));
  return Object.assign(whole, { schema, optional: isOptional });
}

/** The same for a part of a configuration file, whose unknown keys others have looked at. */
export function valueDecoder<T>(schema: Schema): (value: unknown) => T {
  return compile(() => schema, shapeOf(schema, false));
}

/**
 * Lists of objects within the body, bounded where nobody says how long they may be. Each "{}" becomes all
 * the fields that its schema knows, before anyone looks who asks, and everybody else waits meanwhile.
 */
function withShortLists(schema: Schema): Schema {
  const { properties, additionalProperties, items } = schema;
  const bounded = (sub: Schema) => {
    const within = withShortLists(sub);
    const isLong = within['items']?.properties !== undefined && within['maxItems'] === undefined;
    return isLong ? { ...within, maxItems: MAX_LISTED } : within;
  };
  return {
    ...schema,
    ...(properties && {
      properties: Object.fromEntries(
        Object.entries<Schema>(properties).map(([name, sub]) => [name, bounded(sub)]),
      ),
    }),
    ...(isSchema(additionalProperties) && { additionalProperties: bounded(additionalProperties) }),
    ...(isSchema(items) && { items: withShortLists(items) }),
  };
}

function isSchema(sub: unknown): sub is Schema {
  return typeof sub === 'object' && sub !== null;
}

function compile<T>(schema: () => Schema, shape: Shape): (value: unknown) => T {
  // Once, at the first value: all schemas together are a quarter of a start.
  let compiled: ValidateFunction<T> | undefined;
  return (value) => {
    compiled ??= ajv.compile<T>(inParts(schema()));
    const validate = compiled;
    const canonical = canonicalise(value, shape);
    if (validate(canonical)) return canonical;
    throw new ProconsulError('invalid', complaint(validate.errors?.[0]));
  };
}

const BODY = { names: MAX_LISTED, values: MAX_BODY_VALUES, longIntegers: MAX_LISTED };

function parse(body: Buffer | string): unknown {
  const text = body.toString();
  if (text.trim() === '') throw new ProconsulError('invalid', 'EOF');
  try {
    return decodeJson(text, MAX_JSON_DEPTH, BODY);
  } catch (cause) {
    throw new ProconsulError('invalid', (cause as Error).message, { cause });
  }
}

function complaint(error: ErrorObject | undefined): string {
  const where = error?.instancePath.slice(1).replaceAll('/', '.') ?? '';
  return where === '' ? `body ${error?.message}` : `${where} ${error?.message}`;
}

/** What canonicalise needs of a schema, made once. */
interface Shape {
  readonly duration: boolean;
  readonly integer: boolean;
  readonly number: boolean;
  readonly free: boolean;
  readonly fields?: Fields;
  readonly values?: Shape;
  readonly items?: Shape;
}

interface Property {
  readonly name: string;
  readonly shape: Shape;
}

interface Fields {
  /** By the name as nearly all write it: to make any spelling of it plain takes most of the time. */
  readonly usual: ReadonlyMap<string, Property>;
  /** By the name without case and underscores; undefined for one that nothing here reads. */
  readonly known: ReadonlyMap<string, Property | undefined>;
  /** Whether any other is refused. */
  readonly closed: boolean;
}

/** `closed`: whether unknown fields are refused, unless the schema says that an object is open. */
function shapeOf(schema: Schema, closed: boolean): Shape {
  const shape: { -readonly [K in keyof Shape]: Shape[K] } = {
    duration: schema['duration'] === true,
    integer: schema['type'] === 'integer',
    number: schema['type'] === 'number',
    free: schema['free'] === true,
  };
  if (schema['items'] !== undefined) shape.items = shapeOf(schema['items'], closed);
  if (typeof schema['additionalProperties'] === 'object') {
    shape.values = shapeOf(schema['additionalProperties'], closed);
  }
  if (schema['properties'] !== undefined) shape.fields = fieldsOf(schema, closed);
  return shape;
}

function isOpen(schema: Schema): boolean {
  return schema['open'] === true;
}

function fieldsOf(schema: Schema, closed: boolean): Fields {
  const usual = new Map<string, Property>();
  const known = new Map<string, Property | undefined>();
  const unheeded: readonly string[] = schema['unheeded'] ?? [];
  for (const name of unheeded) known.set(plainName(name), undefined);
  for (const [name, sub] of Object.entries<Schema>(schema['properties'])) {
    const property = { name, shape: shapeOf(sub, closed) };
    usual.set(name, property);
    for (const alias of [name, ...(sub['aliases'] ?? [])]) known.set(plainName(alias), property);
  }
  return { usual, known, closed: closed && !isOpen(schema) };
}

/** As it is compared: in any case, and in snake_case. */
export function plainName(name: string): string {
  return name.toLowerCase().replaceAll('_', '');
}

const PARTITIONS = 'Partitions are a Consul Enterprise feature';
const GROUPS = 'Sameness groups are a Consul Enterprise feature';
const PEERS = 'clusters are not peered here';
const SOCKETS = 'proxies listen and call at addresses and ports here';
const ONE_PORT = 'a proxy calls a service, and its program, at one port here';
/**
 * Fields that say in whose part of a cluster something is, or in which cluster, and why it is not here. Here there is
 * one part: what is meant for another must not end up in it, where two tenants would overwrite each other, and who is
 * to call a service elsewhere must not call the one of that name here, nor another port than is meant.
 */
const ELSEWHERE: ReadonlyMap<string, string> = new Map([
  ['namespace', 'Namespaces are a Consul Enterprise feature'],
  ...['partition', 'sourcepartition', 'destinationpartition'].map(
    (name) => [name, PARTITIONS] as const,
  ),
  ...['peername', 'peer', 'sourcepeer', 'destinationpeer'].map((name) => [name, PEERS] as const),
  ...['samenessgroup', 'sourcesamenessgroup'].map((name) => [name, GROUPS] as const),
  ...['localbindsocketpath', 'localservicesocketpath'].map((name) => [name, SOCKETS] as const),
  ...['destinationport', 'localserviceports'].map((name) => [name, ONE_PORT] as const),
]);

/** The one partition, and the cluster itself, under the names that a Consul which knows them gives. */
const HERE: ReadonlySet<string> = new Set([
  ...['partition', 'sourcepartition', 'destinationpartition'].map((name) => `${name} default`),
  'peername local',
]);

/** Whether a field says that: whoever writes it must not be passed over. */
export function saysWhere(field: string): boolean {
  return ELSEWHERE.has(plainName(field));
}

function isElsewhere(name: string, value: unknown): boolean {
  if (!ELSEWHERE.has(name) || isNothing(value)) return false;
  return !HERE.has(`${name} ${value}`);
}

/** As clients write what they leave out. */
function isNothing(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.keys(value).length === 0;
  return value === null || value === '' || value === 0;
}

function elsewhere(key: string, why: string): ProconsulError {
  return new ProconsulError('invalid', `json: unknown field ${JSON.stringify(key)} - ${why}`);
}

function canonicalise(value: unknown, shape: Shape): unknown {
  if (shape.duration) return typeof value === 'string' ? nanoseconds(value) : value;
  if (shape.integer) refuseHuge(value);
  if (shape.number && typeof value === 'bigint') return Number(value);
  if (shape.free) return inOrder(value);
  if (Array.isArray(value)) {
    const { items } = shape;
    return items === undefined ? value : value.map((v) => canonicalise(v, items));
  }
  if (typeof value !== 'object' || value === null) return value;
  const { fields, values } = shape;
  if (fields !== undefined) return canonicalObject(value, fields);
  if (values === undefined) return value;
  const entries = Object.entries(value).filter(([, v]) => v !== null);
  return byName(entries.map(([k, v]) => [k, canonicalise(v, values)]));
}

/** Go reads such an object into a map, which it writes in the order of its names, at any depth. */
function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== 'object' || value === null) return value;
  return byName(Object.entries(value).map(([k, v]) => [k, inOrder(v)]));
}

/** 1e300 has no fraction, but no client in Go could read it back. */
function refuseHuge(value: unknown): void {
  if (typeof value !== 'number' || Math.abs(value) <= Number.MAX_SAFE_INTEGER) return;
  throw new ProconsulError('invalid', `number ${value} is out of range`);
}

/** Clients send '' for a duration that they leave out. */
function nanoseconds(text: string): number {
  const ns = text === '' ? 0 : parseDuration(text);
  if (ns === undefined) throw new ProconsulError('invalid', durationComplaint(text));
  return ns;
}

function canonicalObject(value: object, fields: Fields): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const [key, v] of Object.entries(value)) {
    const property = fields.usual.get(key) ?? propertyOf(key, v, fields);
    // The name is the schema's, and never one that a client made up.
    if (property !== undefined && v !== null)
      found[property.name] = canonicalise(v, property.shape);
  }
  return found;
}

/** Undefined for what nobody reads. */
function propertyOf(key: string, value: unknown, { known, closed }: Fields): Property | undefined {
  const name = plainName(key);
  const property = known.get(name);
  if (property !== undefined) return property;
  if (isElsewhere(name, value)) throw elsewhere(key, ELSEWHERE.get(name) ?? '');
  if (closed && !known.has(name) && !ELSEWHERE.has(name)) throw unknownField(key);
  return undefined;
}

function unknownField(key: string): ProconsulError {
  return new ProconsulError('invalid', `json: unknown field ${JSON.stringify(key)}`);
}
