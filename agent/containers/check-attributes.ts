/** Registrator's `SERVICE_CHECK_*` as a check. */
import { parseDuration } from '../../lib/duration.ts';
import type { Attributes } from './attributes.ts';
import type { CheckRegistration } from './registrations.ts';

export interface CheckTarget {
  readonly address: string;
  readonly port: number;
  readonly containerId: string;
}

export interface CheckReading {
  readonly check: CheckRegistration | undefined;
  /** What was asked for and cannot be had; the rest is registered all the same. */
  readonly problems: readonly string[];
}

const DEFAULT_INTERVAL = '10s';
const STATUSES: ReadonlySet<string> = new Set(['passing', 'warning', 'critical']);

/** The one check that the attributes ask for: of several kinds the first in registrator's order. */
export function checkOf(attributes: Attributes, target: CheckTarget): CheckReading {
  const problems: string[] = [];
  const valid = (key: string, isValid: (text: string) => boolean): string | undefined => {
    const value = attributes.get(key) || undefined;
    if (value === undefined || isValid(value)) return value;
    problems.push(`${key} cannot be ${JSON.stringify(value)}`);
    return undefined;
  };
  const probe = probeOf(attributes, target);
  if (probe === undefined) return { check: undefined, problems };

  const isTtl = probe.TTL !== undefined;
  if (isTtl && valid('check_ttl', isDuration) === undefined) return { check: undefined, problems };
  const check = given({
    ...probe,
    Interval: isTtl ? undefined : (valid('check_interval', isDuration) ?? DEFAULT_INTERVAL),
    Timeout: isTtl ? undefined : valid('check_timeout', isDuration),
    Status: valid('check_initial_status', (text) => STATUSES.has(text)),
    DeregisterCriticalServiceAfter: valid('check_deregister_after', isDuration),
  });
  return { check, problems };
}

/** Without the fields that nobody gave: to the agent, null is not the same as nothing. */
function given(fields: { [K in keyof CheckRegistration]: CheckRegistration[K] | undefined }) {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as CheckRegistration;
}

function isDuration(text: string): boolean {
  return (parseDuration(text) ?? 0) > 0;
}

type Kind = (value: string, target: CheckTarget, attributes: Attributes) => CheckRegistration;

const KINDS: readonly (readonly [key: string, kind: Kind])[] = [
  [
    'check_http',
    (path, target, all) => ({ HTTP: url('http', target, path), ...method(all, 'http') }),
  ],
  [
    'check_https',
    (path, target, all) => ({
      HTTP: url('https', target, path),
      ...method(all, 'https'),
      ...skipVerify(all),
    }),
  ],
  // Registrator leaves check_cmd to a script of that name which looks into the container.
  ['check_cmd', inContainer],
  ['check_docker', inContainer],
  ['check_script', (script, target) => ({ Args: shell(interpolate(script, target)) })],
  ['check_ttl', (ttl) => ({ TTL: ttl })],
  ['check_tcp', (_, target) => ({ TCP: hostPort(target) })],
  [
    'check_grpc',
    (_, target, all) => ({
      GRPC: hostPort(target),
      ...(all.get('check_grpc_use_tls') ? { GRPCUseTLS: true, ...skipVerify(all) } : {}),
    }),
  ],
];

function probeOf(attributes: Attributes, target: CheckTarget): CheckRegistration | undefined {
  for (const [key, kind] of KINDS) {
    const value = attributes.get(key);
    if (value) return kind(value, target, attributes);
  }
  return undefined;
}

function inContainer(command: string, { containerId }: CheckTarget): CheckRegistration {
  return { Args: shell(command), DockerContainerID: containerId };
}

function method(attributes: Attributes, scheme: string): CheckRegistration {
  const value = attributes.get(`check_${scheme}_method`);
  return value ? { Method: value } : {};
}

function skipVerify(attributes: Attributes): CheckRegistration {
  return attributes.get('check_tls_skip_verify') ? { TLSSkipVerify: true } : {};
}

function shell(command: string): string[] {
  return ['sh', '-c', command];
}

function url(scheme: string, target: CheckTarget, path: string): string {
  return `${scheme}://${hostPort(target)}${path.startsWith('/') ? '' : '/'}${path}`;
}

function hostPort({ address, port }: CheckTarget): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Done here and not by the shell, as registrator does: the script may run elsewhere. */
function interpolate(script: string, { address, port }: CheckTarget): string {
  return script.replaceAll('$SERVICE_IP', address).replaceAll('$SERVICE_PORT', String(port));
}
