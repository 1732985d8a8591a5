/** The agent's local state, as the Docker watcher sees it. */
import { checkFromConfig, validateCheck } from '../definitions/check-spec.ts';
import { checksOf, serviceFromConfig, validateService } from '../definitions/service-spec.ts';
import type { LocalState } from '../state/local-state.ts';
import type { AntiEntropy } from '../sync/anti-entropy.ts';
import type { Registrar } from '../sync/registrar.ts';
import { containerIdOf } from './meta.ts';
import type {
  CheckRegistration,
  CheckUpdate,
  CurrentCheck,
  CurrentService,
  Registrations,
  ServiceRegistration,
} from './registrations.ts';

/**
 * Labels are as far from the agent's own files as a request is: whoever may start a container writes
 * them. So they are held to what holds for registrations over HTTP, scripts above all.
 */
const SOURCE = 'api';

export interface RegistrationsDeps {
  readonly local: LocalState;
  readonly registrar: Registrar;
  readonly antiEntropy: AntiEntropy;
  /** Theirs: labels bring no token, for everybody may read them who may look at a container. */
  readonly registrationToken: string;
}

export class ContainerRegistrations implements Registrations {
  readonly #deps: RegistrationsDeps;

  constructor(deps: RegistrationsDeps) {
    this.#deps = deps;
  }

  get #options() {
    return { source: SOURCE, token: this.#deps.registrationToken } as const;
  }

  *services(): Iterable<CurrentService> {
    for (const { definition } of this.#deps.local.services.values()) yield definition;
  }

  *checks(): Iterable<CurrentCheck> {
    for (const { definition } of this.#deps.local.checks.values()) yield definition;
  }

  async registerService(service: ServiceRegistration): Promise<void> {
    const { local, registrar } = this.#deps;
    const spec = serviceFromConfig(service);
    validateService(spec);
    const before = containerIdOf(local.services.get(service.ID)?.definition.Meta ?? null);
    registrar.registerService(spec, this.#options);
    // The container that had this id before may have asked for a check, and this one for none.
    const isNew = before !== undefined && before !== containerIdOf(service.Meta);
    if (isNew && checksOf(spec).length === 0) registrar.removeCheck(`service:${service.ID}`);
    await this.#settle(service.ID);
  }

  async deregisterService(serviceId: string): Promise<void> {
    this.#deps.registrar.removeService(serviceId);
    await this.#settle(serviceId);
  }

  async registerCheck(check: CheckRegistration & { readonly CheckID: string }): Promise<void> {
    const spec = checkFromConfig(check);
    validateCheck(spec);
    this.#deps.registrar.registerCheck(spec, this.#options);
    await this.#settle(spec.ServiceID);
  }

  async deregisterCheck(checkId: string): Promise<void> {
    const serviceId = this.#serviceOf(checkId);
    this.#deps.registrar.removeCheck(checkId);
    await this.#settle(serviceId);
  }

  async updateCheck({ CheckID, Status, Output }: CheckUpdate): Promise<void> {
    this.#deps.registrar.report(CheckID, Status, Output);
    await this.#settle(this.#serviceOf(CheckID));
  }

  #serviceOf(checkId: string): string {
    return this.#deps.local.checks.get(checkId)?.definition.ServiceID ?? '';
  }

  /** Remembered, and on its way to the catalog: a server that is away does not hold up the watcher. */
  async #settle(serviceId: string): Promise<void> {
    void this.#deps.antiEntropy.push(serviceId);
    await this.#deps.registrar.remembered();
  }
}
