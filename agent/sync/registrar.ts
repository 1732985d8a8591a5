/**
 * Takes registrations and brings them into the local state, its checks into motion and both into
 * memory. It never waits for a server: that is anti-entropy's part.
 */
import type { Clock } from '../../lib/clock.ts';
import { describeChain, ProconsulError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { CheckDefinition, CheckStatus, ServiceDefinition } from '../../lib/model.ts';
import { withoutFaultyUpstreams } from '../../lib/proxy-faults.ts';
import type { CheckSet } from '../checks/check-set.ts';
import {
  briefCheck,
  type CheckSpec,
  checkDefinition,
  checkType,
  runsPrograms,
} from '../definitions/check-spec.ts';
import type { Definitions } from '../definitions/from-config.ts';
import { type Maintenance, maintenanceCheck, maintenanceId } from '../definitions/maintenance.ts';
import {
  checksOf,
  namedChecks,
  type ServiceSpec,
  serviceDefinition,
} from '../definitions/service-spec.ts';
import { freePort, sidecarId, sidecarOf } from '../definitions/sidecar.ts';
import { keptCheck, keptService, type StoredCheck } from '../state/kept-shapes.ts';
import {
  asRegistered,
  type LocalCheck,
  type LocalService,
  type LocalState,
  type Source,
} from '../state/local-state.ts';
import { StatusKeeper } from '../state/status-keeper.ts';
import type { KeptValues } from '../state/value-file.ts';
import type { Registered, RegisterOptions, RegistrationPolicy, Vet } from './registration.ts';

export interface RegistrarOptions {
  readonly local: LocalState;
  readonly checks: CheckSet;
  readonly kept: KeptValues;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly policy: RegistrationPolicy;
}

/**
 * A service with its checks, as it stands; undefined where there is none. And whatever else has an id
 * of the checks that are to come: those take it over, from another service or from the node.
 */
interface Standing {
  readonly service: LocalService | undefined;
  readonly checks: readonly LocalCheck[];
}

const SERVICE = 'service:';
const CHECK = 'check:';

export class Registrar {
  readonly #options: RegistrarOptions;
  readonly #states: StatusKeeper;

  constructor(options: RegistrarOptions) {
    this.#options = options;
    const { local, kept, clock, checks } = options;
    this.#states = new StatusKeeper({ local, kept, clock, leftMs: (id) => checks.leftMs(id) });
  }

  /** Brings back what was registered before the agent ended, as it stood; files come first. */
  restore(definitions: Definitions): void {
    this.#define(definitions);
    const kept = [...this.#options.kept.values];
    for (const [key, value] of kept) {
      if (key.startsWith(SERVICE)) {
        this.#restore(key, () => this.#restoreService(key, keptService(value)));
      }
    }
    for (const [key, value] of kept) {
      if (key.startsWith(CHECK)) {
        this.#restore(key, () => this.#restoreCheck(key, keptCheck(value)));
      }
    }
  }

  /** Takes what the files define now; what they no longer define goes. */
  reload(definitions: Definitions): void {
    const { local } = this.#options;
    const specs = definitions.services
      .flatMap((spec) => [spec, this.#sidecarOf(spec) ?? []])
      .flat();
    // Before anything is changed: a file that is refused changes nothing.
    for (const check of [...definitions.checks, ...specs.flatMap(checksOf)]) {
      this.#allow(check, 'file');
    }
    const services = new Set(specs.map((spec) => serviceDefinition(spec).ID));
    for (const [id, { source }] of [...local.services]) {
      if (source === 'file' && !services.has(id)) this.removeService(id);
    }
    const checks = new Set([
      ...definitions.checks.map((spec) => spec.CheckID),
      ...specs.flatMap((spec) =>
        namedChecks(serviceDefinition(spec).ID, spec).map((check) => check.CheckID),
      ),
    ]);
    for (const [id, { source }] of [...local.checks]) {
      if (source === 'file' && !checks.has(id)) this.removeCheck(id);
    }
    this.#define(definitions);
  }

  registerService(spec: ServiceSpec, options: RegisterOptions): Registered {
    const sidecar = this.#sidecarOf(spec);
    const specs = sidecar === undefined ? [spec] : [spec, sidecar];
    for (const each of specs) {
      for (const check of checksOf(each)) this.#allow(check, options.source);
      if (options.vet !== undefined) this.#vetService(each, options.vet);
    }
    const before = specs.map((each) => this.#standing(each));
    const put = specs.map((each) =>
      this.#putService(each, { ...options, sidecar: each === sidecar }),
    );
    return {
      ids: put.map(({ definition }) => definition.ID),
      takeBack: () => this.#takeBack(put, before),
    };
  }

  /** What a registration would come to: its service and, where it asks for one, its sidecar. */
  definitionsOf(spec: ServiceSpec): readonly ServiceDefinition[] {
    const sidecar = this.#sidecarOf(spec);
    return [spec, ...(sidecar === undefined ? [] : [sidecar])].map(serviceDefinition);
  }

  /** With its checks and its sidecar. Ids of what was removed. */
  removeService(id: string): readonly string[] {
    const { local, kept } = this.#options;
    const sidecar = local.services.get(sidecarId(id))?.sidecar === true ? [sidecarId(id)] : [];
    const removed = local.services.has(id) ? [id, ...sidecar] : [];
    for (const each of removed) {
      for (const check of [...local.checksOf(each).keys()]) this.removeCheck(check);
      local.removeService(each);
      kept.delete(SERVICE + each);
    }
    return removed;
  }

  registerCheck(spec: CheckSpec, options: RegisterOptions): void {
    this.#allow(spec, options.source);
    const { ServiceID } = spec;
    const { services, checks } = this.#options.local;
    const definition = checkDefinition(spec);
    const serviceName = services.get(ServiceID)?.definition.Service ?? '';
    options.vet?.check(serviceName, checks.get(definition.CheckID));
    if (ServiceID !== '' && !services.has(ServiceID)) {
      throw new ProconsulError('rejected', `ServiceID "${ServiceID}" does not exist`);
    }
    this.#putCheck(definition, spec, options);
  }

  removeCheck(id: string): void {
    const { local, checks, kept } = this.#options;
    checks.remove(id);
    local.removeCheck(id);
    kept.delete(CHECK + id);
  }

  /** What a client says of a TTL check. */
  report(id: string, status: CheckStatus, output: string): void {
    this.#options.checks.report(id, status, output);
    this.#states.renewed(id);
  }

  /** Takes a service out of the answers, or '' for the whole node; undefined takes it back in. */
  setMaintenance(serviceId: string, on: Maintenance | undefined): void {
    const id = maintenanceId(serviceId);
    const there = this.#options.local.checks.has(id);
    if ((on !== undefined) === there) return;
    if (on === undefined) this.removeCheck(id);
    else {
      const { reason, token } = on;
      this.#putCheck(maintenanceCheck(serviceId, reason), undefined, { source: 'api', token });
    }
  }

  /** Resolves when all of it is remembered. */
  remembered(): Promise<void> {
    return this.#options.kept.flush();
  }

  stop(): void {
    this.#states.stop();
  }

  /** One value that is not what it was must not keep the agent from starting. */
  #restore(key: string, restore: () => void): void {
    try {
      restore();
    } catch (error) {
      this.#options.logger.error(`agent: cannot bring back "${key}": ${describeChain(error)}`);
      this.#options.kept.delete(key);
    }
  }

  #restoreService(key: string, service: LocalService): void {
    const { local, kept, logger } = this.#options;
    const { definition } = service;
    if (local.services.has(definition.ID)) {
      kept.delete(key);
      return;
    }
    const proxy = withoutFaultyUpstreams(definition.Proxy, (name, why) =>
      logger.warn(`agent: the upstream "${name}" of "${definition.ID}" is left out: ${why}`),
    );
    local.putService({ ...service, definition: { ...definition, Proxy: proxy }, source: 'api' });
  }

  #restoreCheck(key: string, { spec, definition, token }: StoredCheck): void {
    const { local, kept } = this.#options;
    const { CheckID, ServiceID } = definition;
    const orphan = ServiceID !== '' && !local.services.has(ServiceID);
    if (orphan || local.checks.has(CheckID)) {
      kept.delete(key);
      return;
    }
    // As in Consul: whatever it began with, nobody has said since that it is well.
    const critical = { ...definition, Status: 'critical', Output: '' } as const;
    this.#begin({ definition: critical, token, spec, source: 'api' }, 'recall');
  }

  #define({ services, checks }: Definitions): void {
    const { fileToken } = this.#options.policy;
    for (const spec of services) {
      this.registerService(spec, { source: 'file', token: spec.Token || fileToken() });
    }
    for (const spec of checks) {
      this.#allow(spec, 'file');
      // Consul says no type of the node's own checks that come from files.
      const type = spec.ServiceID === '' ? '' : checkType(spec);
      const options = { source: 'file', token: spec.Token || fileToken() } as const;
      this.#putCheck(checkDefinition(spec, type), spec, options, 'recall');
    }
  }

  #sidecarOf(spec: ServiceSpec): ServiceSpec | undefined {
    const { local, policy } = this.#options;
    const id = sidecarId(spec.ID === '' ? spec.Name : spec.ID);
    const before = local.services.get(id)?.definition.Port;
    return sidecarOf(spec, () => {
      if (before !== undefined) return before;
      const taken = new Set([...local.services.values()].map(({ definition }) => definition.Port));
      return freePort(policy.sidecarPorts, taken);
    });
  }

  #vetService(spec: ServiceSpec, vet: Vet): void {
    const { services, checks } = this.#options.local;
    const definition = serviceDefinition(spec);
    const { ID, Service } = definition;
    vet.service(definition, services.get(ID)?.definition);
    // Under the ID of one that is another service's it would take that one's place.
    for (const { CheckID } of namedChecks(ID, spec)) {
      vet.check(Service, checks.get(CheckID));
    }
  }

  #standing(spec: ServiceSpec): Standing {
    const { local } = this.#options;
    const { ID } = serviceDefinition(spec);
    const named = namedChecks(ID, spec).map(({ CheckID }) => local.checks.get(CheckID));
    const taken = named.filter((check) => check !== undefined);
    const checks = new Set([...local.checksOf(ID).values(), ...taken]);
    return { service: local.services.get(ID), checks: [...checks] };
  }

  #takeBack(put: readonly LocalService[], before: readonly Standing[]): void {
    put.forEach((service, i) => {
      const { ID } = service.definition;
      const now = this.#options.local.services.get(ID);
      // Else it was registered anew, or taken out.
      if (now === undefined || asRegistered(now) !== service.definition) return;
      const { service: stood, checks = [] } = before[i] ?? {};
      const added = new Set(this.#options.local.checksOf(ID).keys());
      if (stood === undefined) this.removeService(ID);
      else this.#putBack(stood);
      const stay = new Map(checks.map((check) => [check.definition.CheckID, check]));
      for (const id of added) if (!stay.has(id)) this.removeCheck(id);
      for (const [id, check] of stay) if (added.has(id)) this.#putCheckBack(check);
    });
  }

  #putBack(service: LocalService): void {
    const { local, kept } = this.#options;
    const { ID } = service.definition;
    local.putService(service);
    const { registered: _, ...said } = { ...service, definition: asRegistered(service) };
    if (service.source === 'api') kept.set(SERVICE + ID, said);
    else kept.delete(SERVICE + ID);
  }

  #putCheckBack(check: LocalCheck): void {
    const { local, kept } = this.#options;
    const { CheckID, ServiceID } = check.definition;
    // Its own service may have gone meanwhile.
    if (ServiceID !== '' && !local.services.has(ServiceID)) return;
    if (check.source === 'api') this.#remember(check);
    else kept.delete(CHECK + CheckID);
    this.#begin(check, 'recall');
  }

  #putService(spec: ServiceSpec, options: RegisterOptions & { sidecar: boolean }): LocalService {
    const { local, kept } = this.#options;
    const definition = serviceDefinition(spec);
    const { ID } = definition;
    const service: LocalService = {
      definition,
      token: spec.Token || options.token,
      source: options.source,
      ...(options.sidecar && { sidecar: true }),
    };
    local.putService(service);
    if (options.source === 'api') kept.set(SERVICE + ID, service);
    const named = namedChecks(ID, spec);
    for (const check of named) this.#putCheck(checkDefinition(check), check, options, 'recall');
    if (options.replaceChecks === true) {
      const stay = new Set(named.map((check) => check.CheckID));
      for (const id of [...local.checksOf(ID).keys()]) if (!stay.has(id)) this.removeCheck(id);
    }
    return service;
  }

  #putCheck(
    definition: CheckDefinition,
    spec: CheckSpec | undefined,
    { source, token }: RegisterOptions,
    state: 'recall' | 'new' = 'new',
  ): void {
    const check: LocalCheck = { definition, spec, source, token };
    if (source === 'api') this.#remember(check);
    this.#begin(check, state);
  }

  #remember({ definition, token, spec }: LocalCheck): void {
    const brief = spec === undefined ? {} : { spec: briefCheck(spec) };
    this.#options.kept.set(CHECK + definition.CheckID, { definition, token, ...brief });
  }

  /** 'recall': it goes on from how it stood, so that registering again flaps nothing. */
  #begin(check: LocalCheck, state: 'recall' | 'new'): void {
    // Here, where every check comes by, whatever it belongs to and wherever it comes from: also one
    // that is kept from a time when scripts were allowed.
    if (check.spec !== undefined) this.#allow(check.spec, check.source);
    const { local, checks } = this.#options;
    const { CheckID } = check.definition;
    const before = local.checks.get(CheckID);
    if (state === 'new') {
      local.putCheck(check);
      checks.start(check);
    } else if (before === undefined) {
      const recalled = this.#states.recall(check);
      local.putCheck(recalled.check);
      checks.start(recalled.check, recalled.leftMs);
    } else {
      const { Status, Output } = before.definition;
      const same = { ...check, definition: { ...check.definition, Status, Output } };
      local.putCheck(same);
      checks.start(same);
    }
  }

  #allow(spec: CheckSpec, source: Source): void {
    if (!runsPrograms(spec)) return;
    const { fromFiles, fromHttp } = this.#options.policy.scripts;
    if (fromHttp || (source === 'file' && fromFiles)) return;
    throw new ProconsulError(
      'rejected',
      source === 'file'
        ? "Scripts are disabled on this agent; to enable, configure 'enable_script_checks' or 'enable_local_script_checks' to true"
        : "Scripts are disabled on this agent from remote calls; to enable, configure 'enable_script_checks' to true",
    );
  }
}
