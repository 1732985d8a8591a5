/**
 * How much all Services together may come to: what the catalog has of them is held here. Where it is not enough each
 * namespace has its share, so that whoever takes least loses nothing.
 */

/**
 * Those of two owners on one node fit in one answer of a server that has 1 GB, and the sync holds them in as much: what
 * is wanted, what is known, and what is read anew. The manifests give so much; a spec compares.
 */
export const MAX_NODE_BYTES = 64 * 1024 * 1024;
/** What a sync is given for each byte of it. */
export const MEMORY_OF_BYTE = 16;
/** Of one answer about the node: one that is larger is read in parts. */
export const MAX_READ_BYTES = 64 * 1024 * 1024;

const NONE: ReadonlySet<string> = new Set();

export class Room {
  readonly #most: number;
  /** By the Service, as `namespace/name`. */
  readonly #bytes = new Map<string, number>();
  #total = 0;

  constructor(most = MAX_NODE_BYTES) {
    this.#most = most;
  }

  set(service: string, bytes: number): void {
    this.#total += bytes - (this.#bytes.get(service) ?? 0);
    if (bytes === 0) this.#bytes.delete(service);
    else this.#bytes.set(service, bytes);
  }

  /** Those that there is no room for: the same whoever asks, for which they are follows from names and sizes alone. */
  leftOut(): ReadonlySet<string> {
    if (this.#total <= this.#most) return NONE;
    const namespaces = new Map<string, string[]>();
    for (const service of this.#bytes.keys()) {
      const namespace = service.slice(0, service.indexOf('/'));
      const there = namespaces.get(namespace) ?? [];
      there.push(service);
      namespaces.set(namespace, there);
    }
    const all = [...namespaces.values()];
    const share = shareOf(
      this.#most,
      all.map((services) => this.#sumOf(services)),
    );
    return new Set(all.flatMap((services) => this.#over(services, share)));
  }

  #sumOf(services: readonly string[]): number {
    return services.reduce((sum, each) => sum + (this.#bytes.get(each) ?? 0), 0);
  }

  #over(services: readonly string[], share: number): readonly string[] {
    let left = share;
    return [...services].sort().filter((each) => {
      const bytes = this.#bytes.get(each) ?? 0;
      if (bytes > left) return true;
      left -= bytes;
      return false;
    });
  }
}

/** What each may have at most, so that all find room and nobody who wants less than that is cut. */
export function shareOf(most: number, sizes: readonly number[]): number {
  let left = most;
  const sorted = [...sizes].sort((a, b) => a - b);
  for (const [i, size] of sorted.entries()) {
    const share = left / (sorted.length - i);
    if (size > share) return share;
    left -= size;
  }
  return most;
}
