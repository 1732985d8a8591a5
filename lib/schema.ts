/**
 * What bodies and files may say, in the words of JSON Schema and a few of ours, and what is wrong with a value by
 * it. It is walked through as it stands: code made of each schema takes a hundred milliseconds of the first
 * registration of a process, and a thousand more until V8 has made it fast.
 */

/**
 * The words of ours: `duration` (text or nanoseconds in, nanoseconds out), `uint64` (a number or bigint),
 * `free` (an object taken as it stands, key names and all), `aliases` (other names of a field), `unheeded` (fields
 * of an object that clients may send and nothing here reads) and `open` (fields that nobody knows are left out of
 * this object, not refused).
 */
export interface Schema {
  readonly type?: Type;
  readonly nullable?: boolean;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly items?: Schema;
  readonly maxItems?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema;
  readonly duration?: boolean;
  readonly uint64?: boolean;
  readonly free?: boolean;
  readonly aliases?: readonly string[];
  readonly unheeded?: readonly string[];
  readonly open?: boolean;
}

/** What is wrong first, and where. */
export interface Fault {
  /** Names and places in lists from the outside, each behind a dot; '' for the value itself. */
  readonly at: string;
  readonly message: string;
}

/** What is asked of a value that is no list and no object; undefined where it is so. */
type Rule = (value: unknown) => string | undefined;

interface Field {
  readonly name: string;
  readonly check: Check;
  /** Undefined for none. */
  readonly default: unknown;
}

/** A schema, made ready. */
export interface Check {
  /** Undefined where any will do. */
  readonly type: Type | undefined;
  readonly nullable: boolean;
  readonly rules: readonly Rule[];
  readonly maxItems: number;
  readonly items: Check | undefined;
  readonly required: readonly string[];
  readonly fields: readonly Field[];
  /** Of fields that have no check of their own. */
  readonly others: Check | undefined;
}

type Named = Record<string, unknown>;
type Type = 'array' | 'boolean' | 'integer' | 'number' | 'object' | 'string';

const WORDS: ReadonlySet<string> = new Set([
  ...['type', 'nullable', 'default', 'enum', 'minimum', 'maximum', 'minLength', 'maxLength'],
  ...['pattern', 'items', 'maxItems', 'properties', 'required', 'additionalProperties'],
  ...['duration', 'uint64', 'free', 'aliases', 'unheeded', 'open'],
]);

export function checkOf(schema: Schema): Check {
  const { type, properties = {}, items, additionalProperties } = schema;
  for (const word of Object.keys(schema)) {
    if (!WORDS.has(word)) throw new Error(`no schema says "${word}"`);
  }
  return {
    type,
    nullable: schema.nullable === true,
    rules: rulesOf(schema),
    maxItems: schema.maxItems ?? Number.POSITIVE_INFINITY,
    items: items && checkOf(items),
    required: schema.required ?? [],
    fields: Object.entries(properties).map(([name, sub]) => {
      return { name, check: checkOf(sub), default: sub.default };
    }),
    others: additionalProperties && checkOf(additionalProperties),
  };
}

/** Fills in what the value leaves out and has a default. What is wrong with it is said as Ajv says it. */
export function faultOf(value: unknown, check: Check): Fault | undefined {
  const { type, rules } = check;
  if (type !== undefined && !isOf(value, type) && !(check.nullable && value === null)) {
    return { at: '', message: `must be ${type}` };
  }
  for (let i = 0; i < rules.length; i++) {
    const message = (rules[i] as Rule)(value);
    if (message !== undefined) return { at: '', message };
  }
  if (typeof value !== 'object' || value === null) return undefined;
  return Array.isArray(value) ? faultInList(value, check) : faultInObject(value as Named, check);
}

function faultInList(list: readonly unknown[], check: Check): Fault | undefined {
  const { maxItems, items } = check;
  if (list.length > maxItems)
    return { at: '', message: `must NOT have more than ${maxItems} items` };
  if (items === undefined) return undefined;
  for (let i = 0; i < list.length; i++) {
    const fault = faultOf(list[i], items);
    if (fault !== undefined) return within(String(i), fault);
  }
  return undefined;
}

function faultInObject(object: Named, check: Check): Fault | undefined {
  const { fields, required, others } = check;
  for (const field of fields) {
    if (field.default === undefined || object[field.name] !== undefined) continue;
    object[field.name] = fresh(field.default);
  }
  for (const name of required) {
    if (object[name] === undefined) {
      return { at: '', message: `must have required property '${name}'` };
    }
  }
  return (others && faultInOthers(object, fields, others)) ?? faultInFields(object, fields);
}

function faultInOthers(object: Named, fields: readonly Field[], others: Check): Fault | undefined {
  for (const name in object) {
    if (fields.some((field) => field.name === name)) continue;
    const fault = faultOf(object[name], others);
    if (fault !== undefined) return within(name, fault);
  }
  return undefined;
}

function faultInFields(object: Named, fields: readonly Field[]): Fault | undefined {
  for (const { name, check } of fields) {
    const value = object[name];
    const fault = value === undefined ? undefined : faultOf(value, check);
    if (fault !== undefined) return within(name, fault);
  }
  return undefined;
}

/** None shares another's. */
function fresh(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  return Array.isArray(value) ? [...value] : { ...value };
}

function within(name: string, { at, message }: Fault): Fault {
  return { at: `.${name}${at}`, message };
}

function isOf(value: unknown, type: Type): boolean {
  switch (type) {
    case 'array':
      return Array.isArray(value);
    case 'integer':
      return Number.isInteger(value);
    case 'number':
      return Number.isFinite(value);
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value);
    default:
      return typeof value === type;
  }
}

function rulesOf(schema: Schema): Rule[] {
  const { enum: allowed, minimum, maximum, minLength, maxLength, pattern } = schema;
  const rules: (Rule | false)[] = [
    schema.duration === true && duration,
    schema.uint64 === true && uint64,
    allowed !== undefined && unless((value) => allowed.includes(value), ONE_OF),
    maximum !== undefined &&
      unless((value) => !(asNumber(value) > maximum), `must be <= ${maximum}`),
    minimum !== undefined &&
      unless((value) => !(asNumber(value) < minimum), `must be >= ${minimum}`),
    maxLength !== undefined &&
      unless((value) => !(lengthOf(value) > maxLength), notCharacters('more', maxLength)),
    minLength !== undefined &&
      unless((value) => !(lengthOf(value) < minLength), notCharacters('fewer', minLength)),
    pattern !== undefined && matches(pattern),
  ];
  return rules.filter((rule) => rule !== false);
}

const ONE_OF = 'must be equal to one of the allowed values';

function notCharacters(comparison: 'more' | 'fewer', length: number): string {
  return `must NOT have ${comparison} than ${length} characters`;
}

function unless(isSo: (value: unknown) => boolean, message: string): Rule {
  return (value) => (isSo(value) ? undefined : message);
}

function matches(pattern: string): Rule {
  const expression = new RegExp(pattern, 'u');
  return unless(
    (value) => typeof value !== 'string' || expression.test(value),
    `must match pattern "${pattern}"`,
  );
}

/** NaN for what is none, and what is neither more nor less than anything. */
function asNumber(value: unknown): number {
  return typeof value === 'number' ? value : Number.NaN;
}

/** In characters; NaN for what is no text. */
function lengthOf(value: unknown): number {
  if (typeof value !== 'string') return Number.NaN;
  let length = 0;
  for (const _ of value) length++;
  return length;
}

const duration = unless(
  (value) => Number.isInteger(value) && Math.abs(Number(value)) < 2 ** 63,
  'must be a duration such as "10s"',
);

const uint64 = unless(
  (value) =>
    (typeof value === 'bigint' && value >= 0n && value < 2n ** 64n) ||
    (Number.isSafeInteger(value) && Number(value) >= 0 && !Object.is(value, -0)),
  'must be an unsigned integer of 64 bits',
);
