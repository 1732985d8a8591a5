/**
 * The tables that the kinds of config entries are written in: each field with its type, and whether it
 * is shown when it says nothing. All that reads or writes an entry goes by the table: bodies, files,
 * answers, archives.
 */

export type Field = Scalar | Struct | List | Mapped;

interface Shown {
  /** Shown also when it says nothing; others are left out, as Go leaves them out. */
  readonly always?: boolean;
  /** Nothing is something else than 0, or false, which then is said. */
  readonly said?: boolean;
}

export type ScalarType =
  | 'text'
  | 'namespace'
  | 'flag'
  | 'whole'
  | 'natural'
  | 'fraction'
  | 'duration';

interface Scalar extends Shown {
  /**
   * `duration` is text or nanoseconds in, nanoseconds stored, text out; `namespace` a text that names
   * the only one there is; `free` an object as it stands.
   */
  readonly is: ScalarType | 'texts' | 'naturals' | 'free';
}

export type Table = Readonly<Record<string, Field>>;

interface Struct extends Shown {
  readonly is: 'struct';
  readonly fields: Table;
}

interface List extends Shown {
  readonly is: 'list';
  readonly fields: Table;
}

interface Mapped extends Shown {
  readonly is: 'map';
  readonly of: Field;
}

export const text: Field = { is: 'text' };
export const flag: Field = { is: 'flag' };
export const whole: Field = { is: 'whole' };
/** A whole number of 32 bits that is not below 0. */
export const natural: Field = { is: 'natural' };
export const fraction: Field = { is: 'fraction' };
export const duration: Field = { is: 'duration' };
export const namespace: Field = { is: 'namespace' };
export const texts: Field = { is: 'texts' };
export const naturals: Field = { is: 'naturals' };
export const free: Field = { is: 'free' };

/** One that may be missing. */
export const maybe = (fields: Table): Field => ({ is: 'struct', fields });
/** One that is always there, and `{}` where nothing is said. */
export const struct = (fields: Table): Field => ({ is: 'struct', fields, always: true });
export const list = (fields: Table): Field => ({ is: 'list', fields });
export const map = (of: Field): Field => ({ is: 'map', of });
export const said = (field: Field): Field => ({ ...field, said: true });
export const always = (field: Field): Field => ({ ...field, always: true });

export const meshGateway = struct({ Mode: text });

export const expose = struct({
  Checks: flag,
  Paths: list({
    ListenerPort: whole,
    Path: text,
    LocalPathPort: whole,
    Protocol: text,
    ParsedFromCheck: always(flag),
  }),
});

/** What Go writes of a field that says nothing. */
export function zeroOf(field: Field): unknown {
  if (field.said === true) return null;
  switch (field.is) {
    case 'text':
    case 'namespace':
      return '';
    case 'flag':
      return false;
    case 'struct':
      return field.always === true ? zeros(field.fields) : null;
    case 'list':
    case 'map':
    case 'texts':
    case 'naturals':
    case 'free':
      return null;
    default:
      return 0;
  }
}

function zeros(table: Table): object {
  const shown = Object.entries(table).filter(([, field]) => field.always === true);
  return Object.fromEntries(shown.map(([name, field]) => [name, zeroOf(field)]));
}

/** Whether Go takes it for nothing, and leaves it out. */
export function saysNothing(field: Field, value: unknown): boolean {
  if (value === null || value === '') return true;
  if (value === 0 || value === false) return field.said !== true;
  if (field.is === 'struct' || typeof value !== 'object') return false;
  return Object.keys(value ?? {}).length === 0;
}
