/**
 * What a caller may do to this agent's services and checks. It is judged by what stands under an ID
 * and not only by what the request says: nobody takes over what he may not touch.
 */
import { missingRight, permissionDenied } from '../../lib/acl/refusals.ts';
import type { Caller } from '../../lib/acl/rights.ts';
import { ProconsulError } from '../../lib/errors.ts';
import type { CheckDefinition } from '../../lib/model.ts';
import type { Vet } from '../sync/registration.ts';
import type { AgentContext } from './context.ts';

type Vetted = Pick<AgentContext, 'config' | 'local'>;

/** For a registration; nothing of it names what stands there, which may be a secret. */
export function vetOf(agent: Vetted, { rights }: Caller): Vet {
  const mayWrite = (service: string) => rights.may('service', 'write', service);
  return {
    service({ Service, Kind, Proxy: proxy }, before) {
      if (!mayWrite(Service) || (before !== undefined && !mayWrite(before.Service))) {
        throw missingRight('service:write', Service);
      }
      const { DestinationServiceName: destination } = proxy;
      if (Kind !== 'connect-proxy' || typeof destination !== 'string') return;
      if (!mayWrite(destination)) throw missingRight('service:write', destination);
    },
    check(serviceName, before) {
      needOwner(agent, rights, serviceName);
      if (before !== undefined) needOwner(agent, rights, ownerOf(agent, before.definition));
    },
  };
}

/** Throws where the caller may not change this service, and where there is none. */
export function vetService({ config, local }: Vetted, { rights }: Caller, id: string): void {
  if (!config.acl.enabled) return;
  const service = local.services.get(id)?.definition.Service;
  if (service === undefined) {
    throw new ProconsulError('rejected', `Unknown service {${JSON.stringify(id)} {}}`);
  }
  if (!rights.may('service', 'write', service)) throw missingRight('service:write', service);
}

/** Throws where the caller may not change this check, and where there is none. */
export function vetCheck(agent: Vetted, { rights }: Caller, id: string): void {
  if (!agent.config.acl.enabled) return;
  const check = agent.local.checks.get(id)?.definition;
  if (check === undefined) {
    throw new ProconsulError('rejected', `Unknown check ${JSON.stringify(id)}`);
  }
  needOwner(agent, rights, ownerOf(agent, check));
}

/** The name of the service that a check belongs to; '' for the node's own. */
export function ownerOf({ local }: Pick<Vetted, 'local'>, { ServiceID }: CheckDefinition): string {
  return local.services.get(ServiceID)?.definition.Service ?? '';
}

function needOwner({ config }: Vetted, rights: Caller['rights'], serviceName: string): void {
  if (serviceName === '') {
    if (!rights.may('node', 'write', config.nodeName)) {
      throw missingRight('node:write', config.nodeName);
    }
  } else if (!rights.may('service', 'write', serviceName)) {
    throw missingRight('service:write', serviceName);
  }
}

/** Throws where the caller may not see a service of this name. */
export function needRead({ rights }: Caller, service: string): void {
  if (!rights.may('service', 'read', service)) throw permissionDenied();
}

/** Whether the caller may see the checks of this service, or of the node for ''. */
export function maySeeChecks(
  { config }: Pick<Vetted, 'config'>,
  { rights }: Caller,
  serviceName: string,
): boolean {
  return serviceName === ''
    ? rights.may('node', 'read', config.nodeName)
    : rights.may('service', 'read', serviceName);
}
