/** Checks the definitions of services and checks for their form; the agent does the rest. */
import type { RawCheck, RawConfig, RawService } from './keys.ts';
import type { Problems } from './problems.ts';
import { metaFault } from './resolve-node.ts';

const CHECK_DURATIONS = [
  'interval',
  'timeout',
  'ttl',
  'deregister_critical_service_after',
] as const;

export function refuseBadDefinitions(raw: RawConfig, problems: Problems): void {
  for (const check of raw.checks ?? []) refuseBadCheck(check, problems);
  for (const service of raw.services ?? []) refuseBadService(service, problems);
}

function refuseBadService(service: RawService, problems: Problems): void {
  const { check, checks = [], meta = {}, weights } = service;
  for (const each of check === undefined ? checks : [check, ...checks]) {
    refuseBadCheck(each, problems);
  }
  for (const [key, value] of Object.entries(meta)) {
    const fault = metaFault(key, value);
    if (fault === undefined) continue;
    const pair = `Couldn't load metadata pair ('${key}', '${value}'): ${fault}`;
    problems.error(`invalid meta for service ${service.name}: ${pair}`);
  }
  refuseBadWeights(`Invalid weight definition for service ${service.name}`, weights, problems);
}

function refuseBadWeights(what: string, weights: RawService['weights'], problems: Problems): void {
  if ((weights?.passing ?? 1) < 1) problems.error(`${what}: Passing must be greater than 0`);
  if ((weights?.warning ?? 0) < 0) {
    problems.error(`${what}: Warning must be greater or equal than 0`);
  }
}

function refuseBadCheck(check: RawCheck, problems: Problems): void {
  for (const key of CHECK_DURATIONS) problems.durationMs(`check[].${key}`, check[key], 0);
}
