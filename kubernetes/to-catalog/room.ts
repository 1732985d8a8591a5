/**
 * How much all Services together may come to: what the catalog has of them is held here. Where it is not enough each
 * namespace has its share, so that whoever takes least loses nothing.
 */
import { heapBytes, memoryBytes } from '../../lib/limits.ts';

/**
 * Of the heap for each byte of it, as the catalog shows it: what the cluster has, what is wanted, what is known, and what is
 * read anew. spec/system/kubernetes-memory.system.ts runs syncs with no more.
 */
const HEAP_OF_BYTE = 8;

/** Node takes half of a container for its heap, but of a small one more than that, and of none more than 4 GiB. */
export function nodeBytes(memory: number, heap = Number.POSITIVE_INFINITY): number {
  return Math.floor(Math.min(memory / 2, heap) / HEAP_OF_BYTE);
}

export const MAX_NODE_BYTES = nodeBytes(memoryBytes(), heapBytes());
/** Of one answer about the node: one that is larger is read in parts. */
export const MAX_READ_BYTES = Math.min(64 * 1024 * 1024, MAX_NODE_BYTES);

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
