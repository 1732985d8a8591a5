/**
 * What an agent knows of itself: its services and checks. It is the truth about its node; the
 * catalog follows. Changes are told to those who asked, at once and in order.
 */
import {
  type CentralDefaults,
  type DefaultsOf,
  defaultsKey,
  defaultsOf,
  withDefaults,
} from '../../lib/central-defaults.ts';
import { sameJson } from '../../lib/equal.ts';
import type { CheckDefinition, CheckStatus, ServiceDefinition } from '../../lib/model.ts';
import type { CheckSpec } from '../definitions/check-spec.ts';

/** Where a registration comes from: what a file said, a reload may take back. */
export type Source = 'api' | 'file';

export interface LocalService {
  readonly definition: ServiceDefinition;
  /** As it was registered, where config entries say more of it. */
  readonly registered?: ServiceDefinition;
  readonly token: string;
  readonly source: Source;
  /** It was registered as another service's sidecar, and goes with that. */
  readonly sidecar?: boolean;
}

/** Without what config entries say. */
export function asRegistered({ definition, registered }: LocalService): ServiceDefinition {
  return registered ?? definition;
}

function keyOf(service: LocalService | undefined): string | undefined {
  const taken = service && defaultsOf(asRegistered(service));
  return taken && defaultsKey(taken);
}

export interface LocalCheck {
  /** With the status and output of the last look. */
  readonly definition: CheckDefinition;
  /** Undefined for a check that nobody looks at: maintenance. */
  readonly spec: CheckSpec | undefined;
  readonly token: string;
  readonly source: Source;
}

export interface LocalObserver {
  serviceChanged?(id: string): void;
  /** It was added, removed, or its status changed. */
  checkChanged?(id: string, serviceId: string): void;
  /** Nothing but the output changed. */
  outputChanged?(id: string, serviceId: string): void;
}

/** Named one by one: V8 takes half a microsecond for the same by spreading, and reports are many. */
function found(check: LocalCheck, Status: CheckStatus, Output: string): LocalCheck {
  const { definition, spec, token, source } = check;
  const { CheckID, Name, Notes, ServiceID, Type, Definition } = definition;
  return {
    definition: { CheckID, Name, Status, Notes, Output, ServiceID, Type, Definition },
    spec,
    token,
    source,
  };
}

const NO_CHECKS: ReadonlyMap<string, LocalCheck> = new Map();

export class LocalState {
  readonly #services = new Map<string, LocalService>();
  readonly #checks = new Map<string, LocalCheck>();
  /** The checks of each service, those of the node under ''. */
  readonly #byService = new Map<string, Map<string, LocalCheck>>();
  readonly #observers = new Set<LocalObserver>();
  /** What config entries say of proxies, by whose it is. */
  readonly #defaults = new Map<string, CentralDefaults>();
  /** The proxies that take it over. */
  readonly #takers = new Map<string, Set<string>>();

  get services(): ReadonlyMap<string, LocalService> {
    return this.#services;
  }

  get checks(): ReadonlyMap<string, LocalCheck> {
    return this.#checks;
  }

  /** The checks of one service; of the node itself for ''. */
  checksOf(serviceId: string): ReadonlyMap<string, LocalCheck> {
    return this.#byService.get(serviceId) ?? NO_CHECKS;
  }

  /** Returns what ends it. */
  observe(observer: LocalObserver): () => void {
    this.#observers.add(observer);
    return () => void this.#observers.delete(observer);
  }

  putService(service: LocalService): void {
    const { ID } = service.definition;
    this.#takesNothing(ID);
    this.#services.set(ID, this.#filled(service));
    const key = keyOf(service);
    if (key !== undefined) this.#takers.set(key, (this.#takers.get(key) ?? new Set()).add(ID));
    this.#tell('serviceChanged', ID);
  }

  /** From now on this is said of proxies, also of those that are yet to come. Ids of those that changed. */
  setDefaults(of: DefaultsOf, defaults: CentralDefaults | undefined): readonly string[] {
    const key = defaultsKey(of);
    if (defaults === undefined) this.#defaults.delete(key);
    else this.#defaults.set(key, defaults);
    const changed: string[] = [];
    for (const id of this.#takers.get(key) ?? []) {
      const service = this.#services.get(id);
      if (service === undefined) continue;
      const filled = this.#filled(service);
      if (sameJson(filled.definition, service.definition)) continue;
      this.#services.set(id, filled);
      changed.push(id);
    }
    for (const id of changed) this.#tell('serviceChanged', id);
    return changed;
  }

  #takesNothing(id: string): void {
    const key = keyOf(this.#services.get(id));
    const takers = key === undefined ? undefined : this.#takers.get(key);
    takers?.delete(id);
    if (key !== undefined && takers?.size === 0) this.#takers.delete(key);
  }

  #filled(service: LocalService): LocalService {
    const { registered: _, ...rest } = service;
    const definition = asRegistered(service);
    const key = keyOf(service);
    const defaults = key === undefined ? undefined : this.#defaults.get(key);
    if (defaults === undefined) return { ...rest, definition };
    return { ...rest, definition: withDefaults(definition, defaults), registered: definition };
  }

  /** Takes over what someone set in the catalog: nobody there needs to be told. */
  adoptTags(id: string, Tags: readonly string[]): void {
    const service = this.#services.get(id);
    if (service === undefined) return;
    const { registered: _, ...rest } = service;
    const definition = { ...asRegistered(service), Tags };
    this.#services.set(id, this.#filled({ ...rest, definition }));
  }

  /** Its checks go before it, each for itself. */
  removeService(id: string): void {
    for (const check of [...this.checksOf(id).keys()]) this.removeCheck(check);
    this.#takesNothing(id);
    if (this.#services.delete(id)) this.#tell('serviceChanged', id);
  }

  putCheck(check: LocalCheck): void {
    const { CheckID, ServiceID } = check.definition;
    const old = this.#checks.get(CheckID);
    if (old !== undefined && old.definition.ServiceID !== ServiceID) this.removeCheck(CheckID);
    this.#store(check);
    this.#tell('checkChanged', CheckID, ServiceID);
  }

  removeCheck(id: string): void {
    const check = this.#checks.get(id);
    if (check === undefined) return;
    const { ServiceID } = check.definition;
    this.#checks.delete(id);
    const siblings = this.#byService.get(ServiceID);
    siblings?.delete(id);
    if (siblings?.size === 0) this.#byService.delete(ServiceID);
    this.#tell('checkChanged', id, ServiceID);
  }

  /** What a look at the check showed. Tells nobody when it is what was known. */
  updateCheck(id: string, Status: CheckStatus, Output: string): void {
    const check = this.#checks.get(id);
    if (check === undefined) return;
    const { definition } = check;
    const sameStatus = definition.Status === Status;
    if (sameStatus && definition.Output === Output) return;
    this.#store(found(check, Status, Output));
    this.#tell(sameStatus ? 'outputChanged' : 'checkChanged', id, definition.ServiceID);
  }

  #store(check: LocalCheck): void {
    const { CheckID, ServiceID } = check.definition;
    this.#checks.set(CheckID, check);
    const siblings = this.#byService.get(ServiceID);
    if (siblings === undefined) this.#byService.set(ServiceID, new Map([[CheckID, check]]));
    else siblings.set(CheckID, check);
  }

  #tell(event: keyof LocalObserver, id: string, serviceId = ''): void {
    for (const observer of this.#observers) observer[event]?.(id, serviceId);
  }
}
