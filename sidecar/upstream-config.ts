/** What a registration says of how a proxy calls, and is called, by the names that Consul has for it. */
import type { CircuitLimits } from '../lib/balance/circuit.ts';
import type { OutlierRules } from '../lib/balance/outliers.ts';
import { countIn, msIn, objectIn, type Said, textIn } from './said.ts';

/** How an upstream is called: what is undefined, nobody says. */
export interface CallRules {
  /** '' for what its chain says. */
  readonly protocol: string;
  readonly connectMs: number | undefined;
  readonly limits: Partial<CircuitLimits>;
  /** With these, every answer of 500 or more counts against a host. */
  readonly outliers: Partial<OutlierRules> | undefined;
}

export interface Read<T> {
  readonly rules: T;
  /** What else is said there, and has no effect here. */
  readonly unheeded: readonly string[];
}

export const NO_CALL_RULES: CallRules = {
  ...{ protocol: '', connectMs: undefined, limits: {}, outliers: undefined },
};

const CALLED = ['protocol', 'connect_timeout_ms', 'limits', 'passive_health_check'] as const;
const LIMITS = ['max_connections', 'max_pending_requests', 'max_concurrent_requests'] as const;
const CHECKS = [
  ...(['interval', 'max_failures', 'base_ejection_time', 'max_ejection_percent'] as const),
  'enforcing_consecutive_5xx',
] as const;

export function callRulesIn(json: unknown): Read<CallRules> {
  const config = byName(json, CALLED);
  const limits = byName(config.said.limits, LIMITS);
  const checks = byName(config.said.passive_health_check, CHECKS);
  const { protocol, connect_timeout_ms, passive_health_check } = config.said;
  const isChecked = Object.keys(objectIn(passive_health_check)).length > 0;
  return {
    rules: {
      protocol: textIn(protocol).toLowerCase(),
      connectMs: countIn(connect_timeout_ms) || undefined,
      limits: limitsOf(limits.said),
      outliers: isChecked ? outliersOf(checks.said) : undefined,
    },
    unheeded: [
      ...config.others,
      ...limits.others.map((name) => `limits.${name}`),
      ...checks.others.map((name) => `passive_health_check.${name}`),
    ],
  };
}

function limitsOf(said: Named<(typeof LIMITS)[number]>): Partial<CircuitLimits> {
  const [connections, pending, requests] = LIMITS.map((name) => countIn(said[name]));
  return {
    ...(connections && { connections }),
    ...(pending && { pending }),
    ...(requests && { requests }),
  };
}

function outliersOf(said: Named<(typeof CHECKS)[number]>): Partial<OutlierRules> {
  const inARow = countIn(said.max_failures);
  const [intervalMs, ejectMs] = [msIn(said.interval), msIn(said.base_ejection_time)];
  const percent = countIn(said.max_ejection_percent);
  // Here 0 is said, and means never.
  const enforced = said.enforcing_consecutive_5xx;
  return {
    ...(inARow && { inARow }),
    ...(intervalMs !== undefined && { intervalMs }),
    ...(ejectMs !== undefined && { ejectMs }),
    ...(percent && { maxShare: Math.min(percent, 100) / 100 }),
    ...(typeof enforced === 'number' && { enforced: Math.min(Math.max(enforced, 0), 100) / 100 }),
  };
}

/** How the program behind is called. */
export interface OwnRules {
  readonly bind: { readonly address: unknown; readonly port: unknown };
  readonly protocol: string;
  readonly connectMs: number | undefined;
  /** For a whole answer. */
  readonly requestMs: number | undefined;
  readonly maxConnections: number | undefined;
}

const OWN = [
  ...(['bind_address', 'bind_port', 'protocol', 'local_connect_timeout_ms'] as const),
  ...(['local_request_timeout_ms', 'max_inbound_connections'] as const),
] as const;

export function ownRulesIn(json: unknown): Read<OwnRules> {
  const { said, others } = byName(json, OWN);
  return {
    rules: {
      bind: { address: said.bind_address, port: said.bind_port },
      protocol: textIn(said.protocol).toLowerCase(),
      connectMs: countIn(said.local_connect_timeout_ms) || undefined,
      requestMs: countIn(said.local_request_timeout_ms) || undefined,
      maxConnections: countIn(said.max_inbound_connections) || undefined,
    },
    unheeded: others,
  };
}

type Named<N extends string> = Readonly<Partial<Record<N, unknown>>>;

/** A registration writes `max_connections`, and what comes of a config entry `MaxConnections`. */
function byName<N extends string>(json: unknown, names: readonly N[]) {
  const said: Partial<Record<N, unknown>> = {};
  const others: string[] = [];
  for (const [key, value] of Object.entries<unknown>(objectIn(json) satisfies Said)) {
    const name = names.find((each) => folded(each) === folded(key));
    if (name !== undefined) said[name] = value;
    else if (isSaid(value)) others.push(key);
  }
  return { said: said as Named<N>, others };
}

function folded(name: string): string {
  return name.replaceAll('_', '').toLowerCase();
}

function isSaid(value: unknown): boolean {
  const isObject = typeof value === 'object' && value !== null;
  return isObject ? Object.keys(value).length > 0 : Boolean(value);
}
