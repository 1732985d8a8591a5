/**
 * Services and checks as files define them. How they are written is the agent's to say, which hands it
 * to whoever reads files (`ConfigHost.definitions`); here stands what is read of them at once.
 */
import { metaPairFault } from '../../meta.ts';
import type { Problems } from '../problems.ts';
import { type Tree, tree, trees } from '../row.ts';

/** In the singular only what one file may say. */
export const DEFINITION_KEYS = {
  check: tree('A check.', { reloads: true }),
  checks: trees('Checks.', { reloads: true }),
  service: tree('A service.', { reloads: true }),
  services: trees('Services with their checks.', { reloads: true }),
};

export interface RawCheck extends Tree {
  readonly id?: string;
  readonly name?: string;
}

export interface RawService extends Tree {
  readonly id?: string;
  readonly name?: string;
  readonly port?: number;
  readonly tags?: readonly string[];
  readonly meta?: Readonly<Record<string, string>>;
  readonly weights?: { readonly passing?: number; readonly warning?: number };
  readonly check?: RawCheck;
  readonly checks?: readonly RawCheck[];
}

interface Definitions {
  readonly services: readonly RawService[];
  readonly checks: readonly RawCheck[];
}

export function definitions(
  given: { readonly services: readonly Tree[]; readonly checks: readonly Tree[] },
  problems: Problems,
): Definitions {
  // So they are once they have been read by the agent's keys.
  const { services, checks } = given as Definitions;
  for (const check of checks) refuseBadCheck(check, problems);
  for (const service of services) refuseBadService(service, problems);
  return { services, checks };
}

function refuseBadService(service: RawService, problems: Problems): void {
  const { check, checks = [], meta = {}, weights } = service;
  for (const each of check === undefined ? checks : [check, ...checks]) {
    refuseBadCheck(each, problems);
  }
  for (const [key, value] of Object.entries(meta)) {
    const fault = metaPairFault(key, value);
    if (fault !== undefined) problems.error(`invalid meta for service ${service.name}: ${fault}`);
  }
  const what = `Invalid weight definition for service ${service.name}`;
  if ((weights?.passing ?? 1) < 1) problems.error(`${what}: Passing must be greater than 0`);
  if ((weights?.warning ?? 0) < 0) {
    problems.error(`${what}: Warning must be greater or equal than 0`);
  }
}

const CHECK_DURATIONS = [
  'interval',
  'timeout',
  'ttl',
  'deregister_critical_service_after',
] as const;

function refuseBadCheck(check: RawCheck, problems: Problems): void {
  for (const key of CHECK_DURATIONS) {
    problems.durationMs(`check[].${key}`, check[key] as string | undefined, 0);
  }
}
