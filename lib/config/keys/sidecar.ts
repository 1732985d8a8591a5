/** Proxies beside programs that an agent runs, each a process of its own: what `connect proxy` is given. */
import { policyNamed } from '../../balance/policies.ts';
import { notCalled, strayIn, TUNINGS, tuningIn } from '../../balance/tunings.ts';
import { ProconsulError } from '../../errors.ts';
import type { Problems } from '../problems.ts';
import { type Settled, type Tree, trees } from '../row.ts';
import { durationMs, refuse, Taken } from '../taken.ts';

export const SIDECAR_KEYS = {
  sidecar: trees('Proxies beside programs, run by the agent (docs/sidecar.md).', {
    reloads: true,
    secret: true,
  }),
};

export interface SidecarDefinition {
  /** Flags of `connect proxy`. */
  readonly words: readonly string[];
  /** '' for what the agent takes for whoever shows none. */
  readonly token: string;
}

type Read = (taken: Taken, key: string) => readonly string[];

const text: Read = (taken, key) => [taken.text(key)].filter((each) => each !== '');

const duration: Read = (taken, key) => {
  const said = text(taken, key);
  for (const each of said) durationMs(each);
  return said;
};

const count: Read = (taken, key) => {
  const said = taken.count(key);
  return said === undefined ? [] : [String(said)];
};

/** `check` throws for one that is none. */
const list =
  (check: (each: string) => void): Read =>
  (taken, key) => {
    const said = taken.words(key, `${key} must be a list of strings`) ?? [];
    for (const each of said) check(each);
    return said;
  };

const like = (pattern: RegExp, what: string) =>
  list((each) => pattern.test(each) || refuse(`${JSON.stringify(each)} is not ${what}`));

/** One for all upstreams, `SERVICE=…` for one, or a list of such. */
const tuning: Read = (taken, key) => {
  const said = taken.figures(key, `${key} must be a text, a number or a list of such`) ?? [];
  for (const each of said) {
    try {
      tuningIn(flagOf(key), each);
    } catch (error) {
      if (!(error instanceof ProconsulError)) throw error;
      refuse(`${key} = ${JSON.stringify(each)}: ${error.message}`);
    }
  }
  return said;
};

const keyOf = (flag: string) => flag.replaceAll('-', '_');
const flagOf = (key: string) => key.replaceAll('_', '-');

/** Each with the flag that it is. */
const FLAGS: Readonly<Record<string, readonly [flag: string, read: Read]>> = {
  for: ['sidecar-for', text],
  proxy_id: ['proxy-id', text],
  upstreams: ['upstream', like(/^[^:]+:(?:.+:)?\d{1,5}$/, 'SERVICE:PORT or SERVICE:ADDRESS:PORT')],
  policy: ['policy', list((each) => policyNamed(each.slice(each.indexOf('=') + 1)))],
  protocol: ['protocol', like(/^(?:[^=]*=)?(?:tcp|http|http2|grpc)$/, 'a protocol')],
  admin: ['admin', text],
  zone: ['zone', text],
  connect_timeout: ['connect-timeout', duration],
  drain_time: ['drain-time', duration],
  idle_timeout: ['idle-timeout', duration],
  stream_idle_timeout: ['stream-idle-timeout', duration],
  max_buffers: ['max-buffers', count],
  max_connections: ['max-connections', count],
  tries: ['tries', count],
  ...Object.fromEntries([...TUNINGS.keys()].map((flag) => [keyOf(flag), [flag, tuning] as const])),
};

const OF_SERVICES = ['policy', 'protocol', ...[...TUNINGS.keys()].map(keyOf)];

export function sidecarConfig(
  { sidecar }: Settled<typeof SIDECAR_KEYS>,
  asks: readonly unknown[],
  problems: Problems,
): readonly SidecarDefinition[] {
  if (sidecar.length > 0 && asks.length === 0) {
    problems.refuse('sidecar: it asks its agent by HTTP, and ports.http is -1');
  }
  return sidecar.flatMap((each, at) => {
    try {
      return [definition(each)];
    } catch (error) {
      if (!(error instanceof ProconsulError)) throw error;
      problems.refuse(`sidecar[${at}]: ${error.message}`);
      return [];
    }
  });
}

function definition(said: Tree): SidecarDefinition {
  const taken = new Taken(said);
  const token = taken.text('token');
  const read = new Map(Object.entries(FLAGS).map(([key, [, how]]) => [key, how(taken, key)]));
  const words = [...read].flatMap(([key, values]) =>
    values.map((value) => `-${FLAGS[key]?.[0]}=${value}`),
  );
  if (taken.flag('access_log')) words.push('-access-log');
  if (taken.left.length > 0) refuse(`there is no key ${taken.left.join(', ')}`);
  const whose = ['for', 'proxy_id', 'upstreams'].filter((key) => said[key] !== undefined);
  if (whose.length !== 1) refuse('one of for, proxy_id and upstreams must say what it is for');
  const upstreams = read.get('upstreams') ?? [];
  if (upstreams.length > 0) refuseStrays(read, upstreams);
  return { words, token };
}

/** The upstreams of a proxy that is registered are known later, to itself. */
function refuseStrays(
  read: ReadonlyMap<string, readonly string[]>,
  upstreams: readonly string[],
): void {
  const called = new Set(upstreams.map((text) => text.slice(0, text.indexOf(':'))));
  for (const key of OF_SERVICES) {
    const stray = strayIn(read.get(key) ?? [], called);
    if (stray !== undefined) refuse(`${key} = ${JSON.stringify(stray)}: ${notCalled(stray)}`);
  }
}
