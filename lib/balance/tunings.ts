/**
 * What can be said of how one service is called, by the names that flags of `connect proxy` and keys of
 * `sidecar` have for it: of one table, so that neither knows a name that the other does not.
 */
import { durationComplaint, NS_PER_MS, parseDuration } from '../duration.ts';
import { ProconsulError } from '../errors.ts';
import type { CircuitLimits } from './circuit.ts';
import type { HedgeRules } from './hedging.ts';
import type { OutlierRules, SuccessRateRules } from './outliers.ts';
import type { Preferences } from './pools.ts';
import type { RetryBudgetRules } from './retry-budget.ts';
import type { SlowStart } from './slow-start.ts';

/** What is undefined, nobody says. */
export interface Tuning {
  readonly slowStart?: Pick<SlowStart, 'windowMs'>;
  readonly preferences?: Partial<Omit<Preferences, 'zone'>>;
  readonly outliers?: Partial<Omit<OutlierRules, 'successRate'>>;
  /** Of those, beside how many fail in a row. */
  readonly successRate?: Partial<SuccessRateRules>;
  readonly limits?: Partial<CircuitLimits>;
  readonly retries?: Partial<RetryBudgetRules>;
  /** Nothing without its `quantile`, and with one of 0. */
  readonly hedging?: Partial<HedgeRules>;
  /** Only hosts with all of these labels. */
  readonly subset?: readonly (readonly [name: string, value: string])[];
  readonly hashBy?: readonly HashBy[];
  /** Hosts first to which a round trip takes no more than so much longer than to the nearest. */
  readonly near?: { readonly withinMs: number };
}

/** By what of a request its host is chosen, where the policy hashes. */
export interface HashBy {
  readonly field: 'header' | 'cookie' | 'parameter' | 'source';
  /** '' for the source. */
  readonly name: string;
}

interface Row {
  readonly help: string;
  /** Throws ProconsulError 'invalid' for what is none. */
  readonly read: (text: string) => Tuning;
}

/** For one service, or under '' for all others. */
export type SaidTuning = readonly [service: string, tuning: Tuning];

const MAX_COUNT = 1_000_000;
const MAX_MS = 24 * 3600_000;
const MAX_HEADROOM = 10_000;
const MAX_DEVIATIONS = 100;
const MIN_NEAR_MS = 0.1;

export const TUNINGS: ReadonlyMap<string, Row> = new Map<string, Row>([
  [
    'hash-by',
    {
      help: 'header:NAME, cookie:NAME, parameter:NAME or source, where the policy hashes; source.',
      read: (text) => ({ hashBy: [hashByIn(text)] }),
    },
  ],
  [
    'headroom',
    {
      help: 'Percent of its part that a zone or level can bear before others help it; 140.',
      read: (text) => ({ preferences: { headroom: numberIn(text, 100, MAX_HEADROOM) / 100 } }),
    },
  ],
  [
    'hedge-least',
    {
      help: 'What takes less is not slow for -hedge-quantile; 5ms.',
      read: (text) => ({ hedging: { leastMs: durationIn(text, 0) } }),
    },
  ],
  [
    'hedge-methods',
    {
      help: 'What changes something and may be asked of two at once for -hedge-quantile all the same, such as PUT,DELETE; nothing.',
      read: (text) => ({ hedging: { methods: methodsIn(text) } }),
    },
  ],
  [
    'hedge-percent',
    {
      help: 'Percent of the requests that a second host is asked by -hedge-quantile, at most; 5.',
      read: (text) => ({ hedging: { ratio: numberIn(text, 0, 100) / 100 } }),
    },
  ],
  [
    'hedge-quantile',
    {
      help: 'Ask a second host too what changes nothing and takes longer than that percent of the last requests, such as 95; 0 is never.',
      read: (text) => ({ hedging: { quantile: numberIn(text, 0, 100) / 100 } }),
    },
  ],
  [
    'max-pending',
    {
      help: 'Requests that wait for a connection; as many as -max-connections.',
      read: (text) => ({ limits: { pending: countIn(text, 0) } }),
    },
  ],
  [
    'max-requests',
    {
      help: 'Requests under way; as many as -max-connections.',
      read: (text) => ({ limits: { requests: countIn(text, 1) } }),
    },
  ],
  [
    'max-retries',
    {
      help: 'Second and further tries under way; as many as -max-connections.',
      read: (text) => ({ limits: { retries: countIn(text, 0) } }),
    },
  ],
  [
    'near',
    {
      help: 'Hosts first to which a round trip takes no more than this longer than to the nearest, as agents have measured it.',
      read: (text) => ({ near: { withinMs: durationIn(text, MIN_NEAR_MS) } }),
    },
  ],
  [
    'outlier-deviations',
    {
      help: 'Set a host aside whose rate of success is so many standard deviations below the mean; 0 is never.',
      read: (text) => ({ successRate: { deviations: numberIn(text, 0, MAX_DEVIATIONS) } }),
    },
  ],
  [
    'outlier-failures',
    {
      help: 'Set a host aside after so many failures in a row; 5, 0 is never.',
      read: (text) => ({ outliers: { inARow: countIn(text, 0) } }),
    },
  ],
  [
    'outlier-interval',
    {
      help: 'How often rates of success are compared, and one time aside is forgotten; 10s.',
      read: (text) => ({ outliers: { intervalMs: durationIn(text, 1) } }),
    },
  ],
  [
    'outlier-max-time',
    {
      help: 'For how long a host is set aside at most; 5m.',
      read: (text) => ({ outliers: { maxEjectMs: durationIn(text, 1) } }),
    },
  ],
  [
    'outlier-min-calls',
    {
      help: 'With fewer in an -outlier-interval a host has no rate of success; 100.',
      read: (text) => ({ successRate: { minCalls: countIn(text, 1) } }),
    },
  ],
  [
    'outlier-min-hosts',
    {
      help: 'Of fewer hosts rates of success are not compared; 5.',
      read: (text) => ({ successRate: { minHosts: countIn(text, 2) } }),
    },
  ],
  [
    'outlier-percent',
    {
      help: 'Percent of the healthy hosts that may be aside at once; 50. Of several, one may be always.',
      read: (text) => ({ outliers: { maxShare: numberIn(text, 0, 100) / 100 } }),
    },
  ],
  [
    'outlier-time',
    {
      help: 'For how long a host is set aside the first time; 10s.',
      read: (text) => ({ outliers: { ejectMs: durationIn(text, 1) } }),
    },
  ],
  [
    'panic-threshold',
    {
      help: 'Where less than this percent of the hosts is healthy, all are called; 0 is never.',
      read: (text) => ({ preferences: { panicBelow: numberIn(text, 0, 100) / 100 } }),
    },
  ],
  [
    'retries-per-second',
    {
      help: 'Requests that may be tried again in a second whatever -retry-budget says; 3.',
      read: (text) => ({ retries: { minPerSecond: countIn(text, 0) } }),
    },
  ],
  [
    'retry-budget',
    {
      help: 'Percent of the requests that may be tried again; 20.',
      read: (text) => ({ retries: { ratio: numberIn(text, 0, 100) / 100 } }),
    },
  ],
  [
    'slow-start',
    {
      help: 'For so long a host that has come gets less than its share; 0s.',
      read: (text) => ({ slowStart: { windowMs: durationIn(text, 0) } }),
    },
  ],
  [
    'subset',
    {
      help: 'NAME:VALUE that an instance must have in its metadata to be called; may be repeated.',
      read: (text) => ({ subset: [pairIn(text)] }),
    },
  ],
  [
    'zone-hosts',
    {
      help: 'With fewer in its own zone, or near, -zone and -near do not count; 1.',
      read: (text) => ({ preferences: { minZoneHosts: countIn(text, 1) } }),
    },
  ],
]);

/** `VALUE`, or `SERVICE=VALUE`. Throws ProconsulError 'invalid' for what is none, and for a name that is none. */
export function tuningIn(name: string, text: string): SaidTuning {
  const row = TUNINGS.get(name);
  if (row === undefined) throw new ProconsulError('invalid', `there is no ${name}`);
  const [service, value] = whoseIn(text);
  return [service, row.read(value)];
}

/** `SERVICE=VALUE`, or `VALUE` for all: those are under ''. Values may have `=` in them (`version:a=b`), and no upstream a colon. */
export function whoseIn(text: string): readonly [service: string, value: string] {
  const [, service = '', value = text] = /^([^=:]*)=(.*)$/s.exec(text) ?? [];
  return [service, value];
}

/** The first that is for a service which nobody calls: a name that is written otherwise would be passed over unsaid. */
export function strayIn(texts: readonly string[], called: ReadonlySet<string>): string | undefined {
  return texts.find((text) => {
    const [service] = whoseIn(text);
    return service !== '' && !called.has(service);
  });
}

export function notCalled(text: string): string {
  return `no upstream is called ${JSON.stringify(whoseIn(text)[0])}`;
}

/** What is said of one service goes before what is said of all: the last of each stands, and lists are strung together. */
export function tuningOf(service: string, said: readonly SaidTuning[]): Tuning {
  const of = (whose: string) => joined(said.filter(([each]) => each === whose));
  const [general, own] = [of(''), of(service)];
  const { subset = general.subset, hashBy = general.hashBy } = own;
  return {
    ...joined([
      ['', general],
      ['', own],
    ]),
    ...(subset !== undefined && { subset }),
    ...(hashBy !== undefined && { hashBy }),
  };
}

function joined(said: readonly SaidTuning[]): Tuning {
  const all = said.map(([, tuning]) => tuning);
  const names = new Set(all.flatMap((each) => Object.keys(each) as (keyof Tuning)[]));
  return Object.fromEntries(
    [...names].map((name) => {
      const values = all.flatMap((each) => (each[name] === undefined ? [] : [each[name]]));
      const isList = values.some((value) => Array.isArray(value));
      return [name, isList ? values.flat() : Object.assign({}, ...values)];
    }),
  );
}

function countIn(text: string, least: number): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && count >= least && count <= MAX_COUNT) return count;
  return refuse(`it must be ${least} to ${MAX_COUNT}`);
}

function numberIn(text: string, least: number, most: number): number {
  const number = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && number >= least && number <= most) return number;
  return refuse(`it must be ${least} to ${most}`);
}

function durationIn(text: string, leastMs: number): number {
  const ms = (parseDuration(text) ?? Number.NaN) / NS_PER_MS;
  if (Number.isNaN(ms)) return refuse(durationComplaint(text));
  if (ms >= leastMs && ms <= MAX_MS) return ms;
  return refuse(`it must be ${leastMs}ms to 24h`);
}

function methodsIn(text: string): readonly string[] {
  if (!/^[A-Za-z]+(,[A-Za-z]+)*$/.test(text)) return refuse('it is not METHOD,METHOD');
  return text.toUpperCase().split(',');
}

function pairIn(text: string): readonly [string, string] {
  const colon = text.indexOf(':');
  if (colon < 1) return refuse('it is not NAME:VALUE');
  return [text.slice(0, colon), text.slice(colon + 1)];
}

const NAMED = new Set<string>(['header', 'cookie', 'parameter'] satisfies HashBy['field'][]);

function hashByIn(text: string): HashBy {
  if (text === 'source') return { field: 'source', name: '' };
  const colon = text.indexOf(':');
  const [field, name] = [text.slice(0, Math.max(colon, 0)), text.slice(colon + 1)];
  if (NAMED.has(field) && name !== '') return { field: field as HashBy['field'], name };
  return refuse('it is not header:NAME, cookie:NAME, parameter:NAME or source');
}

function refuse(why: string): never {
  throw new ProconsulError('invalid', why);
}
