/** Services and checks as the configuration files define them. */
import type { Config } from '../../lib/config/config.ts';
import { ProconsulError } from '../../lib/errors.ts';
import { type CheckSpec, checkFromConfig, isStatusOrEmpty, validateCheck } from './check-spec.ts';
import { type ServiceSpec, serviceFromConfig, validateService } from './service-spec.ts';

/** What the configuration files define. */
export interface Definitions {
  readonly services: readonly ServiceSpec[];
  readonly checks: readonly CheckSpec[];
}

/** Throws ProconsulError 'invalid' that names the definition which cannot be. */
export function definitionsOf(config: Pick<Config, 'services' | 'checks'>): Definitions {
  return {
    services: config.services.map((raw) =>
      named('service', raw.id ?? raw.name, () => serviceOf(raw)),
    ),
    checks: config.checks.map((raw) => named('check', raw.id ?? raw.name, () => checkOf(raw))),
  };
}

function serviceOf(raw: unknown): ServiceSpec {
  const spec = serviceFromConfig(raw);
  validateService(spec);
  return spec;
}

function checkOf(raw: unknown): CheckSpec {
  const spec = checkFromConfig(raw);
  if (spec.Name === '') throw new ProconsulError('invalid', 'Missing check name');
  if (!isStatusOrEmpty(spec.Status)) throw new ProconsulError('invalid', 'Bad check status');
  validateCheck(spec);
  return spec.CheckID === '' ? { ...spec, CheckID: spec.Name } : spec;
}

function named<T>(kind: string, name: string | undefined, make: () => T): T {
  try {
    return make();
  } catch (cause) {
    const why = cause instanceof ProconsulError ? cause.message : 'cannot be read';
    throw new ProconsulError('invalid', `Failed to register ${kind} "${name ?? ''}": ${why}`, {
      cause,
    });
  }
}
