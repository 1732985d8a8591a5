import type { CheckDefinition } from '../../lib/model.ts';
import type { LocalState } from '../state/local-state.ts';
import { aliasLook } from './kinds/alias.ts';
import { critical, type Look } from './probing/probe.ts';

interface Alias {
  readonly id: string;
  readonly service: string;
}

/** The aliases of services and of the node of this very agent: they change when those do. */
export class AliasFollowers {
  readonly #local: LocalState;
  readonly #found: (id: string, look: Look) => void;
  readonly #aliases = new Map<string, Alias>();
  /** By the service that they follow: there may be as many as services, one for each sidecar. */
  readonly #followers = new Map<string, Set<Alias>>();
  readonly #stopObserving: () => void;

  constructor(local: LocalState, found: (id: string, look: Look) => void) {
    this.#local = local;
    this.#found = found;
    this.#stopObserving = local.observe({
      serviceChanged: (id) => this.#changed(id),
      checkChanged: (id, serviceId) => {
        // An alias of the node's own is heeded by none.
        if (serviceId !== '' || !this.#aliases.has(id)) this.#changed(serviceId);
      },
    });
  }

  /** `service` is '' for the node itself. */
  add(id: string, service: string): void {
    const alias = { id, service };
    this.#aliases.set(id, alias);
    const followers = this.#followers.get(service) ?? new Set();
    this.#followers.set(service, followers.add(alias));
    this.#update(alias);
  }

  remove(id: string): void {
    const alias = this.#aliases.get(id);
    if (alias === undefined) return;
    this.#aliases.delete(id);
    const followers = this.#followers.get(alias.service);
    followers?.delete(alias);
    if (followers?.size === 0) this.#followers.delete(alias.service);
  }

  stop(): void {
    this.#stopObserving();
    this.#aliases.clear();
    this.#followers.clear();
  }

  /** What is '' concerns everybody: the node's own checks. */
  #changed(serviceId: string): void {
    const aliases = serviceId === '' ? this.#aliases.values() : this.#followers.get(serviceId);
    for (const alias of [...(aliases ?? [])]) this.#update(alias);
  }

  #update({ id, service }: Alias): void {
    if (service !== '' && !this.#local.services.has(service)) {
      this.#found(id, critical(`Service ${service} could not be found on node `));
    } else this.#found(id, aliasLook(this.#aliased(service), id));
  }

  *#aliased(service: string): Iterable<CheckDefinition> {
    if (service !== '') {
      for (const { definition } of this.#local.checksOf(service).values()) yield definition;
    }
    for (const { definition } of this.#local.checksOf('').values()) {
      // Two aliases that heeded each other would never become passing again.
      const isAlias = definition.Type === 'alias' || this.#aliases.has(definition.CheckID);
      if (!isAlias) yield definition;
    }
  }
}
