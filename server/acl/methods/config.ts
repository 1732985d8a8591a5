/**
 * The configuration of an auth method, read as Consul does: names in any case, one text for a list
 * of one, numbers for texts; whatever nobody knows is refused by its name.
 */

import { X509Certificate } from 'node:crypto';
import { parseDuration } from '../../../lib/duration.ts';
import { ProconsulError } from '../../../lib/errors.ts';
import type { MethodConfig } from './method-type.ts';

export type Kind = 'text' | 'texts' | 'map' | 'flag' | 'duration';

type Value<K extends Kind> = K extends 'text'
  ? string
  : K extends 'texts'
    ? readonly string[]
    : K extends 'map'
      ? ReadonlyMap<string, string>
      : K extends 'flag'
        ? boolean
        : number;

export type Fields = Readonly<Record<string, Kind>>;
/** Each is its kind's nothing where it was not given; durations are nanoseconds. */
export type Values<F extends Fields> = { readonly [K in keyof F]: Value<F[K]> };

export function invalid(why: string): ProconsulError {
  return new ProconsulError('rejected', `Invalid Auth Method: ${why}`);
}

export function hasCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== undefined;
  } catch {
    return false;
  }
}

export function readConfig<F extends Fields>(config: MethodConfig, fields: F): Values<F> {
  const names = new Map(Object.keys(fields).map((name) => [name.toLowerCase(), name]));
  const values = new Map<string, unknown>(
    Object.entries(fields).map(([name, kind]) => [name, NOTHING[kind]()]),
  );
  const unknown: string[] = [];
  const errors: string[] = [];
  for (const [key, value] of Object.entries(config)) {
    const name = names.get(key.toLowerCase());
    if (name === undefined) unknown.push(key);
    else if (value !== null) {
      const read = READERS[fields[name] as Kind](value);
      if (read === undefined) errors.push(`'${name}' expected a ${WORDS[fields[name] as Kind]}`);
      else values.set(name, read);
    }
  }
  if (unknown.length > 0) errors.push(`'' has invalid keys: ${unknown.sort().join(', ')}`);
  if (errors.length > 0) {
    const list = errors.sort().map((each) => `* ${each}`);
    throw invalid(
      `error decoding config: ${errors.length} error(s) decoding:\n\n${list.join('\n')}`,
    );
  }
  return Object.fromEntries(values) as Values<F>;
}

const NOTHING: Readonly<Record<Kind, () => unknown>> = {
  text: () => '',
  texts: () => [],
  map: () => new Map(),
  flag: () => false,
  duration: () => 0,
};

const WORDS: Readonly<Record<Kind, string>> = {
  text: 'string',
  texts: 'list of strings',
  map: 'map of strings',
  flag: 'bool',
  duration: 'duration',
};

/** Each undefined where the value is none of its kind. */
const READERS: Readonly<Record<Kind, (value: unknown) => unknown>> = {
  text: textOf,
  texts: (value) => every(Array.isArray(value) ? value : [value]),
  map: (value) => {
    if (typeof value !== 'object' || Array.isArray(value)) return undefined;
    const entries = Object.entries(value ?? {});
    const texts = every(entries.map(([, each]) => each));
    return texts && new Map(entries.map(([name], n) => [name, texts[n] ?? '']));
  },
  flag: (value) => (typeof value === 'boolean' ? value : undefined),
  duration: (value) => {
    if (Number.isSafeInteger(value)) return value;
    return typeof value === 'string' ? parseDuration(value) : undefined;
  },
};

function every(values: readonly unknown[]): readonly string[] | undefined {
  const texts = values.flatMap((value) => textOf(value) ?? []);
  return texts.length === values.length ? texts : undefined;
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return ['number', 'bigint', 'boolean'].includes(typeof value) ? String(value) : undefined;
}
