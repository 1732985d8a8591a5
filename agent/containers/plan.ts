/** From what there should be and what there is to the steps between: a pure comparison. */

import type { Wanted } from './inventory.ts';
import { isOurs } from './meta.ts';
import type {
  CheckRegistration,
  CheckUpdate,
  CurrentCheck,
  CurrentService,
  ServiceRegistration,
} from './registrations.ts';
import { dockerCheckId } from './state-check.ts';

export type Step =
  | { readonly type: 'register'; readonly service: ServiceRegistration; readonly digest: string }
  | { readonly type: 'deregister'; readonly serviceId: string }
  | {
      readonly type: 'register-check';
      readonly check: CheckRegistration & { readonly CheckID: string };
    }
  | { readonly type: 'update-check'; readonly update: CheckUpdate }
  | { readonly type: 'deregister-check'; readonly checkId: string };

export interface Comparison {
  readonly wanted: ReadonlyMap<string, Wanted>;
  readonly services: ReadonlyMap<string, CurrentService>;
  readonly checks: ReadonlyMap<string, CurrentCheck>;
  /** By service id: as what it was last registered by this process. */
  readonly registered: ReadonlyMap<string, string>;
  readonly hostname: string;
  readonly cleanup: boolean;
  /** Whether to renew the checks that are as they should be. */
  readonly renew: boolean;
}

export interface Plan {
  readonly steps: readonly Step[];
  /** Ids that someone else registered: those are left alone. */
  readonly taken: readonly string[];
}

export function plan(comparison: Comparison): Plan {
  const { wanted, services } = comparison;
  const taken: string[] = [];
  const steps: Step[] = [];
  for (const { ID, Meta } of services.values()) {
    const removable = isOurs(Meta) || (comparison.cleanup && isAutomaticId(ID, comparison));
    if (!wanted.has(ID) && removable) steps.push({ type: 'deregister', serviceId: ID });
  }
  for (const [id, { service, check }] of wanted) {
    const current = services.get(id);
    if (current !== undefined && !isOurs(current.Meta) && !isAutomaticId(id, comparison)) {
      taken.push(id);
      continue;
    }
    if (service !== undefined) steps.push(...registration(service, comparison));
    steps.push(...containerCheck(id, check, comparison));
  }
  return { steps, taken };
}

/**
 * Registrator's ids, which only it and the watcher make. What it left behind is taken over, and
 * with `cleanup` also removed; another host's never is.
 */
function isAutomaticId(id: string, { hostname }: Comparison): boolean {
  const start = `${hostname}:`;
  return id.startsWith(start) && AUTOMATIC.test(id.slice(start.length));
}

const AUTOMATIC = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+:[0-9]+(?::udp)?$/;

function registration(service: ServiceRegistration, comparison: Comparison): Step[] {
  const digest = JSON.stringify(service);
  const current = comparison.services.get(service.ID);
  if (current && isOurs(current.Meta) && comparison.registered.get(service.ID) === digest)
    return [];
  return [{ type: 'register', service, digest }];
}

function containerCheck(
  serviceId: string,
  state: Wanted['check'],
  { checks, renew }: Comparison,
): Step[] {
  const checkId = dockerCheckId(serviceId);
  const current = checks.get(checkId);
  if (state === 'as-is') return [];
  if (state === 'none') {
    return current === undefined ? [] : [{ type: 'deregister-check', checkId }];
  }
  const update = { CheckID: checkId, Status: state.status, Output: state.output };
  if (current !== undefined && current.Status === state.status) {
    // An equal status in other words is no news, and would wake whoever watches the service.
    const same = { ...update, Output: current.Output };
    return renew ? [{ type: 'update-check', update: same }] : [];
  }
  if (current !== undefined) return [{ type: 'update-check', update }];
  const check = {
    CheckID: checkId,
    Name: 'Docker container state',
    ServiceID: serviceId,
    TTL: DOCKER_CHECK_TTL,
    Status: state.status,
  };
  return [
    { type: 'register-check', check },
    { type: 'update-check', update },
  ];
}

/**
 * The watcher says what the check has come to, which to the agent makes it one with a TTL. Renewed
 * at each comparison, it never ends while Docker answers. Without Docker the last word stands for
 * long: a daemon that is being replaced must not take its containers out of the catalog.
 */
const DOCKER_CHECK_TTL = '24h';
