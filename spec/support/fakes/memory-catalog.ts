import type { Catalog, CatalogNode } from '../../../agent/sync/catalog.ts';
import { noLeader, type ProconsulError } from '../../../lib/errors.ts';
import type { Deregistration, Registration } from '../../../lib/model.ts';

/** A catalog as agents see it, which can be away and counts what it is told. */
export class MemoryCatalog implements Catalog {
  readonly nodes = new Map<string, CatalogNode>();
  readonly registrations: Registration[] = [];
  readonly deregistrations: Deregistration[] = [];
  /** Under which token each service was registered last. */
  readonly tokens = new Map<string, string>();
  /** Whether no server is there. */
  away = false;
  /** Why a registration is not taken, if it is not. */
  refusal: (registration: Registration) => ProconsulError | undefined = () => undefined;

  /** How many commands it has been told. */
  get commands(): number {
    return this.registrations.length + this.deregistrations.length;
  }

  #going: Promise<void> | undefined;
  goOn: () => void = () => undefined;

  /** From now on nothing is answered, until it goes on. */
  hang(): void {
    this.#going = new Promise((resolve) => {
      this.goOn = resolve;
    });
  }

  async node(name: string): Promise<CatalogNode | undefined> {
    await this.#ask();
    return this.nodes.get(name);
  }

  registerSelf(registration: Registration): Promise<void> {
    return this.register(registration);
  }

  async register(registration: Registration, token = ''): Promise<void> {
    await this.#ask();
    this.registrations.push(registration);
    this.tokens.set(registration.service?.ID ?? '', token);
    const refusal = this.refusal(registration);
    if (refusal !== undefined) throw refusal;
    const { node, service, checks } = registration;
    const old = this.nodes.get(node.Node);
    const checkIds = new Set(checks.map((check) => check.CheckID));
    this.nodes.set(node.Node, {
      node: registration.skipNodeUpdate && old !== undefined ? old.node : node,
      services: [
        ...(old?.services ?? []).filter(({ ID }) => ID !== service?.ID),
        ...(service === undefined ? [] : [service]),
      ],
      checks: [...(old?.checks ?? []).filter((c) => !checkIds.has(c.CheckID)), ...checks],
    });
  }

  async deregister(deregistration: Deregistration): Promise<void> {
    await this.#ask();
    this.deregistrations.push(deregistration);
    const { node, serviceId, checkId } = deregistration;
    const old = this.nodes.get(node);
    if (old === undefined) return;
    if (serviceId === undefined && checkId === undefined) this.nodes.delete(node);
    else {
      this.nodes.set(node, {
        node: old.node,
        services: old.services.filter(({ ID }) => ID !== serviceId),
        checks: old.checks.filter(
          (c) => c.CheckID !== checkId && (serviceId === undefined || c.ServiceID !== serviceId),
        ),
      });
    }
  }

  serviceIds(node: string): string[] {
    return (this.nodes.get(node)?.services ?? []).map(({ ID }) => ID).sort();
  }

  /** 'id status' of each check of the node. */
  checkStates(node: string): string[] {
    const checks = this.nodes.get(node)?.checks ?? [];
    return checks.map(({ CheckID, Status }) => `${CheckID} ${Status}`).sort();
  }

  async #ask(): Promise<void> {
    await this.#going;
    if (this.away) throw noLeader();
  }
}
