/** What the catalog says of a service's instances, as hosts that calls may go to. */
import { isIP } from 'node:net';
import { aggregateStatus } from '../lib/aggregate-status.ts';
import type { Endpoint, Health } from '../lib/balance/host.ts';
import { ProconsulError } from '../lib/errors.ts';
import { percentEncoded } from '../lib/well-formed.ts';
import { objectIn, type Said, textIn } from './said.ts';

/** More are not balanced over: each has figures, and a policy looks at all of them. */
const MAX_ENDPOINTS = 10_000;
const MAX_WEIGHT = 65_535;
const MAX_PORT = 65_535;
const HOST_NAME = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_.-]*[a-z0-9_.])?$/i;

export interface Instances {
  readonly endpoints: readonly Endpoint[];
  /** That cannot be called: without an address, or a port. */
  readonly leftOut: number;
}

/** Throws ProconsulError 'unavailable' for what is no list of instances. */
export function instancesIn(json: unknown): Instances {
  if (!Array.isArray(json)) throw new ProconsulError('unavailable', 'an answer lists no instances');
  const all = json.slice(0, MAX_ENDPOINTS).map((each) => endpointOf(objectIn(each)));
  const endpoints = all.filter((each) => each !== undefined);
  return { endpoints, leftOut: json.length - endpoints.length };
}

function endpointOf(entry: Said): Endpoint | undefined {
  const [node, service] = [objectIn(entry['Node']), objectIn(entry['Service'])];
  const address = textIn(service['Address']) || textIn(node['Address']);
  const port = Number(service['Port']);
  if (isIP(address) === 0 && !HOST_NAME.test(address)) return undefined;
  if (!Number.isInteger(port) || port < 1 || port > MAX_PORT) return undefined;
  const status = statusIn(entry['Checks']);
  const labels = new Map(Object.entries(objectIn(service['Meta'])).map(pair));
  const nodeMeta = objectIn(node['Meta']);
  return {
    // No two instances share one: of a node's name a slash is written in another way.
    id: `${textIn(node['Node']).replace(/[%/]/g, percentEncoded)}/${textIn(service['ID'])}`,
    address,
    port,
    weight: weightIn(objectIn(service['Weights']), status),
    priority: 0,
    zone: labels.get('zone') ?? textIn(nodeMeta['zone']),
    health: HEALTH[status],
    labels,
  };
}

/** On which an instance is, by the id that it has here. */
export function nodeOf(id: string): string {
  return decodeURIComponent(id.slice(0, id.indexOf('/')));
}

const HEALTH = {
  passing: 'healthy',
  warning: 'healthy',
  critical: 'unhealthy',
  // An operator has taken it away: what it has it may end.
  maintenance: 'draining',
} as const satisfies Record<string, Health>;

function statusIn(said: unknown): keyof typeof HEALTH {
  const checks = (Array.isArray(said) ? said : []).map(objectIn);
  return aggregateStatus(
    checks.map(({ CheckID, Status }) => ({ CheckID: textIn(CheckID), Status: textIn(Status) })),
  );
}

function weightIn(weights: Said, status: keyof typeof HEALTH): number {
  const weight = Number(weights[status === 'warning' ? 'Warning' : 'Passing']);
  return Number.isFinite(weight) ? Math.min(Math.max(Math.round(weight), 1), MAX_WEIGHT) : 1;
}

function pair([name, value]: [string, unknown]): [string, string] {
  return [name, textIn(value)];
}
