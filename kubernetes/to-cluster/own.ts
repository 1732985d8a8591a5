/** What the cluster has in the namespace of the way back: what this sync made whole, of others that they are there. */
import type { Mirrored } from '../api/mirror.ts';
import { isOlder, objectIn, objectsIn, pairsIn, type Said, textIn } from '../api/shapes.ts';
import { hasSelector, SERVICE_OF_SLICE } from '../objects.ts';
import { isManagedBy } from '../ours.ts';
import { type BackRules, catalogNameOf } from './rules.ts';

type Watched = Pick<Mirrored<Said>, 'keep' | 'changed'>;

export class Own {
  readonly #rules: BackRules;
  readonly #changed: (service: string) => void;
  readonly #services = new Map<string, Said>();
  /** By the Service, and by their names. */
  readonly #slices = new Map<string, Map<string, Said>>();

  constructor(rules: BackRules, changed: (service: string) => void) {
    this.#rules = rules;
    this.#changed = changed;
  }

  readonly serviceList: Watched = {
    keep: (object) => (this.#isOwned(object) ? object : { metadata: { name: nameOf(object) } }),
    changed: (key, now) => {
      const name = key.slice(key.indexOf('/') + 1);
      if (now === undefined) this.#services.delete(name);
      else this.#services.set(name, now);
      this.#changed(name);
    },
  };

  readonly sliceList: Watched = {
    keep: (object) => object,
    changed: (_, now, before) => {
      if (before !== undefined) this.#dropSlice(before);
      if (now !== undefined) this.#putSlice(now);
      this.#changed(serviceOf(now ?? before ?? {}));
    },
  };

  /** Those that are ours, and those that have slices of ours. */
  services(): readonly string[] {
    const ours = [...this.#services.keys()].filter((name) => this.isOurs(name));
    return [...new Set([...ours, ...this.#slices.keys()])];
  }

  service(name: string): Said | undefined {
    return this.#services.get(name);
  }

  isOurs(name: string): boolean {
    const there = this.#services.get(name);
    return there !== undefined && this.#isOwned(there);
  }

  /** The name in the catalog that it was made of; undefined where it is not ours. */
  madeOf(name: string): string | undefined {
    const there = this.#services.get(name);
    return there !== undefined && this.#isOwned(there)
      ? catalogNameOf(there, this.#rules)
      : undefined;
  }

  slices(service: string): ReadonlyMap<string, Said> {
    return new Map(this.#slices.get(service));
  }

  /** Counts at once, and not only when the watch brings it; which may have brought what somebody wrote after it. */
  wrote(list: 'services' | 'endpointslices', object: Said): void {
    const name = nameOf(object);
    const there =
      list === 'services'
        ? this.#services.get(name)
        : this.#slices.get(serviceOf(object))?.get(name);
    if (isOlder(object, there)) return;
    if (list === 'services') this.#services.set(nameOf(object), object);
    else this.#putSlice(object);
  }

  deleted(list: 'services' | 'endpointslices', name: string): void {
    if (list === 'services') this.#services.delete(name);
    else for (const slices of this.#slices.values()) slices.delete(name);
  }

  #putSlice(slice: Said): void {
    const slices = this.#slices.get(serviceOf(slice)) ?? new Map<string, Said>();
    this.#slices.set(serviceOf(slice), slices.set(nameOf(slice), slice));
  }

  #dropSlice(slice: Said): void {
    const slices = this.#slices.get(serviceOf(slice));
    slices?.delete(nameOf(slice));
    if (slices?.size === 0) this.#slices.delete(serviceOf(slice));
  }

  /** Whoever applies a Service of his own over ours leaves our labels there; ours has no selector. */
  #isOwned(object: Said): boolean {
    if (hasSelector(object)) return false;
    return isManagedBy(pairsIn(objectIn(object['metadata'])['labels']), this.#rules.owner);
  }
}

function nameOf(object: Said): string {
  return textIn(objectIn(object['metadata'])['name']);
}

/** As it was made; a label is changed sooner, and is to be put back. */
function serviceOf(object: Said): string {
  const { ownerReferences, labels } = objectIn(object['metadata']);
  const owner = objectsIn(ownerReferences).find(({ kind }) => kind === 'Service');
  return textIn(owner?.['name']) || (pairsIn(labels).get(SERVICE_OF_SLICE) ?? '');
}
