/**
 * JSON bodies as Consul takes them: key names in any case and in snake_case, null as if it were not
 * there, unknown fields ignored, durations as text or as a number of nanoseconds. Validated by JSON
 * Schema, compiled once.
 */
import { Ajv, type ErrorObject, type SchemaObject, type ValidateFunction } from 'ajv';
import { parseDuration } from './duration.ts';
import { ProconsulError } from './errors.ts';
import { decodeJson } from './json.ts';

/**
 * JSON Schema with three words of ours: `duration` (text or nanoseconds in, nanoseconds out),
 * `uint64` (a number or bigint) and `free` (an object taken as it stands, key names and all).
 */
export type Schema = SchemaObject;

export type Decoder<T> = (body: Buffer | string) => T;

const ajv = new Ajv({
  useDefaults: true,
  allErrors: false,
  strictTypes: false,
  keywords: ['free', 'aliases'],
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
    (Number.isSafeInteger(v) && Number(v) >= 0),
  error: { message: 'must be an unsigned integer of 64 bits' },
});

/** Compiles the schema; the decoder throws ProconsulError 'invalid' with Consul's opening words. */
export function decoder<T>(schema: Schema): Decoder<T> {
  const check = valueDecoder<T>(schema);
  return (body) => {
    try {
      return check(parse(body));
    } catch (cause) {
      if (!(cause instanceof ProconsulError)) throw cause;
      throw new ProconsulError('invalid', `Request decode failed: ${cause.message}`, { cause });
    }
  };
}

/** The same for a value that is parsed already, such as a part of a configuration file. */
export function valueDecoder<T>(schema: Schema): (value: unknown) => T {
  const shape = shapeOf(schema);
  // Once, at the first value: all schemas together are a quarter of a start.
  let compiled: ValidateFunction<T> | undefined;
  return (value) => {
    compiled ??= ajv.compile<T>(schema);
    const validate = compiled;
    const canonical = canonicalise(value, shape);
    if (validate(canonical)) return canonical;
    throw new ProconsulError('invalid', complaint(validate.errors?.[0]));
  };
}

function parse(body: Buffer | string): unknown {
  const text = body.toString();
  if (text.trim() === '') throw new ProconsulError('invalid', 'EOF');
  try {
    return decodeJson(text);
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
  /** By the name without case and underscores. */
  readonly properties?: ReadonlyMap<string, { readonly name: string; readonly shape: Shape }>;
  readonly values?: Shape;
  readonly items?: Shape;
}

function shapeOf(schema: Schema): Shape {
  const shape: { -readonly [K in keyof Shape]: Shape[K] } = {
    duration: schema['duration'] === true,
    integer: schema['type'] === 'integer',
  };
  if (schema['items'] !== undefined) shape.items = shapeOf(schema['items']);
  if (typeof schema['additionalProperties'] === 'object') {
    shape.values = shapeOf(schema['additionalProperties']);
  }
  if (schema['properties'] !== undefined) {
    const properties = new Map<string, { name: string; shape: Shape }>();
    for (const [name, sub] of Object.entries<Schema>(schema['properties'])) {
      const property = { name, shape: shapeOf(sub) };
      for (const alias of [name, ...(sub['aliases'] ?? [])]) properties.set(plain(alias), property);
    }
    shape.properties = properties;
  }
  return shape;
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll('_', '');
}

function canonicalise(value: unknown, shape: Shape): unknown {
  if (shape.duration) return typeof value === 'string' ? nanoseconds(value) : value;
  if (shape.integer) refuseHuge(value);
  if (Array.isArray(value)) {
    const { items } = shape;
    return items === undefined ? value : value.map((v) => canonicalise(v, items));
  }
  if (typeof value !== 'object' || value === null) return value;
  const { properties, values } = shape;
  if (properties !== undefined) return canonicalObject(value, properties);
  if (values === undefined) return value;
  const entries = Object.entries(value).filter(([, v]) => v !== null);
  return Object.fromEntries(entries.map(([k, v]) => [k, canonicalise(v, values)]));
}

/** 1e300 has no fraction, but no client in Go could read it back. */
function refuseHuge(value: unknown): void {
  if (typeof value !== 'number' || Math.abs(value) <= Number.MAX_SAFE_INTEGER) return;
  throw new ProconsulError('invalid', `number ${value} is out of range`);
}

/** Clients send '' for a duration that they leave out. */
function nanoseconds(text: string): number {
  const ns = text === '' ? 0 : parseDuration(text);
  if (ns === undefined) throw new ProconsulError('invalid', `time: invalid duration "${text}"`);
  return ns;
}

function canonicalObject(
  value: object,
  properties: NonNullable<Shape['properties']>,
): Record<string, unknown> {
  const entries: [string, unknown][] = [];
  for (const [key, v] of Object.entries(value)) {
    const property = properties.get(plain(key));
    if (property !== undefined && v !== null) {
      entries.push([property.name, canonicalise(v, property.shape)]);
    }
  }
  return Object.fromEntries(entries);
}
