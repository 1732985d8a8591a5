/**
 * What a kind of check is. Each file of kinds/ exports one, and kinds.ts lists them; the API's body,
 * the configuration files, the labels of containers and the Type in the catalog follow from that
 * list.
 */
import type { CheckTypeName } from '../../../lib/check-types.ts';
import type { Schema } from '../../../lib/decode.ts';
import type { Probe } from '../probing/probe.ts';

/** One field of a registration: its form, and the value that stands for "left out". */
export interface Field<T> {
  readonly schema: Schema;
  readonly usual: T;
}

export type Fields = Readonly<Record<string, Field<unknown>>>;

export type ValuesOf<F extends Fields> = {
  readonly [Key in keyof F]: F[Key] extends Field<infer T> ? T : never;
};

type Lists = Readonly<Record<string, readonly string[]>>;

const strings: Schema = { type: 'array', items: { type: 'string' } };

export const text: Field<string> = { schema: { type: 'string' }, usual: '' };
const count: Field<number> = { schema: { type: 'integer' }, usual: 0 };
export const flag: Field<boolean> = { schema: { type: 'boolean' }, usual: false };
const texts: Field<readonly string[]> = { schema: strings, usual: [] };
export const lists: Field<Lists> = {
  schema: { type: 'object', additionalProperties: strings },
  usual: {},
};
/** Nanoseconds; in JSON and in files also text such as "10s". */
export const duration: Field<number> = { schema: { duration: true }, usual: 0 };

/** What every check may say, whatever its kind. */
export const COMMON_FIELDS = {
  Name: text,
  Notes: text,
  Status: text,
  ServiceID: text,
  Interval: duration,
  Timeout: duration,
  SuccessBeforePassing: count,
  FailuresBeforeWarning: count,
  FailuresBeforeCritical: count,
  DeregisterCriticalServiceAfter: duration,
  OutputMaxSize: count,
  Token: text,
} satisfies Fields;

/** For the kinds that speak TLS. */
export const TLS_FIELDS = { TLSServerName: text, TLSSkipVerify: flag } satisfies Fields;
/** For the kinds that run a program: it and its arguments, which no shell reads. */
export const ARGS = { schema: { ...strings, aliases: ['ScriptArgs'] }, usual: texts.usual };

/** What a probe is made with, beside what was registered. */
export interface ProbeContext {
  /** What is kept of an output. */
  readonly maxOutputBytes: number;
  readonly timeoutMs: number;
  /**
   * It was registered over HTTP and not in a file: it may reach no link-local address, and no other
   * host by a redirect.
   */
  readonly untrusted: boolean;
  /** Undefined where no container runtime is. */
  readonly containerProbe: ContainerProbe | undefined;
}

/** Runs a command in a container; who speaks to the runtime provides it. */
export type ContainerProbe = (
  command: { readonly containerId: string; readonly args: readonly string[] },
  maxOutputBytes: number,
) => Probe;

/** Where the container that carries a label can be reached. */
export interface LabelTarget {
  /** 'host:port' */
  readonly hostPort: string;
  readonly containerId: string;
  /** The value of another label of the same port, '' when there is none. */
  readonly label: (key: string) => string;
}

/** The fields that a container's label asks for. */
export type FromLabel = (value: string, target: LabelTarget) => Readonly<Record<string, unknown>>;

export interface CheckKind<F extends Fields> {
  /** As the field Type in the catalog says it; lib/check-types.ts tells it from others. */
  readonly type: CheckTypeName;
  readonly fields: F;
  /** Left out for kinds that nobody looks at: those are reported, or follow others. */
  probe?(spec: ValuesOf<F>, context: ProbeContext): Probe;
  /** It runs what the registration says: allowed only where scripts are. */
  readonly runsPrograms?: true;
  /** How long one look may take when the registration does not say. */
  readonly timeoutMs?: number;
  /** By the names that registrator gave to labels. */
  readonly labels?: Readonly<Record<string, FromLabel>>;
}

/** Nothing but the types: each kind's own fields reach its functions by name. */
export function checkKind<const F extends Fields>(kind: CheckKind<F>): CheckKind<F> {
  return kind;
}
