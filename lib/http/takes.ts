/**
 * What a row takes of a request. The row says it once, and is handed nothing else: a parameter or a
 * body of which it says nothing is as if it were not there to be asked for. So the pages of docs/api and
 * docs/openapi.json, which are made of this, cannot say less than what a row looks at.
 */
import type { Decoder } from '../decode.ts';

export interface Parameter {
  readonly is: 'flag' | 'boolean' | 'text' | 'number' | 'duration';
  /** For a person, in a few words. */
  readonly says: string;
  /** It may be given several times. */
  readonly many?: true;
}

/** By its name. */
export type RowParams = Readonly<Record<string, Parameter>>;

/** Bytes that are taken as they come; `what` they are. */
export interface RawBody {
  readonly what: string;
}

export type RowBody = Decoder<unknown> | RawBody;

export interface Takes {
  /** What the rest of a path that ends in '/' is: the name of a key, an id. */
  readonly rest?: string;
  /** What may stand behind it after another '/', and what is done then. */
  readonly ends?: Readonly<Record<string, string>>;
  readonly params?: RowParams;
  readonly body?: RowBody;
  /** Statuses beside 200 that it answers by itself, and what each says. */
  readonly answers?: Readonly<Record<number, string>>;
}

/** The kinds of parameters, each made of what it says. */
export const param = {
  /** Counts where it is there at all, whatever its value. */
  flag: (says: string): Parameter => ({ is: 'flag', says }),
  boolean: (says: string): Parameter => ({ is: 'boolean', says }),
  text: (says: string): Parameter => ({ is: 'text', says }),
  texts: (says: string): Parameter => ({ is: 'text', says, many: true }),
  number: (says: string): Parameter => ({ is: 'number', says }),
  duration: (says: string): Parameter => ({ is: 'duration', says }),
};

export function isRaw(body: RowBody): body is RawBody {
  return typeof body !== 'function';
}

/** Heeded for every row. */
export const COMMON = {
  token: param.text('the token, where no header brings it'),
  dc: param.text('the data centre; any but this one is refused'),
  pretty: param.flag('writes the JSON for people'),
} satisfies RowParams;

/** How new what is read must be. */
export const CONSISTENCY = {
  stale: param.flag('answers from this server at once'),
  consistent: param.flag('makes sure that the answer is as new as any acknowledged write'),
  max_stale: param.duration('as stale, but only as old as this'),
} satisfies RowParams;

/** Heeded by those that read the state. */
export const READING = {
  index: param.number('waits until the answer has another index than this one'),
  wait: param.duration('how long to wait at most: 5m where nothing is said, 10m at most'),
  ...CONSISTENCY,
} satisfies RowParams;

export const CACHED = param.flag('an agent may answer from what it keeps fresh (X-Cache, Age)');
/** Of lists that can be narrowed by an expression. */
export const FILTER = param.text('keeps what an expression is true of');

/** Looked at before it is known what row it is, or only to be refused. */
const FOR_EVERY_ROW: ReadonlySet<string> = new Set([
  ...Object.keys(COMMON),
  ...Object.keys(READING),
  ...['cached', 'hash', 'ns', 'partition', 'peer', 'stream'],
]);

/** Throws where a row asks for a parameter that it does not say it takes: the row is wrong. */
export function refuseUnsaid(name: string, said: RowParams = {}): void {
  if (FOR_EVERY_ROW.has(name) || Object.hasOwn(said, name)) return;
  throw new Error(`the row asks for ?${name}, and does not say so in its params`);
}
