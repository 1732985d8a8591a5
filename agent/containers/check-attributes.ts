/** Registrator's `SERVICE_CHECK_*` as a check. */
import { parseDuration } from '../../lib/duration.ts';
import { hostPort } from '../../lib/ip.ts';
import { KINDS } from '../checks/kinds/kinds.ts';
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

/** In registrator's order; labels of kinds that it does not know come after. */
const ORDER = [
  'check_http',
  'check_https',
  'check_cmd',
  'check_docker',
  'check_script',
  'check_ttl',
];

const LABELS = KINDS.flatMap(({ labels }) => Object.entries(labels ?? {})).sort(
  ([a], [b]) => rank(a) - rank(b),
);

function rank(label: string): number {
  const at = ORDER.indexOf(label);
  return at < 0 ? ORDER.length : at;
}

function probeOf(attributes: Attributes, target: CheckTarget): CheckRegistration | undefined {
  for (const [key, fieldsOf] of LABELS) {
    const value = attributes.get(key);
    if (!value) continue;
    return fieldsOf(value, {
      hostPort: hostPort(target.address, target.port),
      containerId: target.containerId,
      label: (name) => attributes.get(name) ?? '',
    });
  }
  return undefined;
}
