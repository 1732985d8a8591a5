import type { DnsConfig } from '../../lib/config/config.ts';
import { NS_PER_MS, parseDuration } from '../../lib/duration.ts';

/** How long clients may keep the records of a service: its own TTL, the longest prefix's, or '*'. */
export class Ttls {
  readonly nodeS: number;
  readonly #exact = new Map<string, number>();
  /** The longest first. */
  readonly #prefixes: { readonly prefix: string; readonly ttlS: number }[] = [];

  constructor({ nodeTtlMs, serviceTtlMs }: DnsConfig) {
    this.nodeS = seconds(nodeTtlMs);
    for (const [name, ms] of serviceTtlMs) {
      const key = name.toLowerCase();
      const ttlS = seconds(ms);
      if (key.endsWith('*')) this.#prefixes.push({ prefix: key.slice(0, -1), ttlS });
      else this.#exact.set(key, ttlS);
    }
    this.#prefixes.sort((a, b) => b.prefix.length - a.prefix.length);
  }

  ofService(name: string): number {
    const key = name.toLowerCase();
    const exact = this.#exact.get(key);
    return exact ?? this.#prefixes.find(({ prefix }) => key.startsWith(prefix))?.ttlS ?? 0;
  }

  /** Of a prepared query, which may say it itself. */
  ofQuery(ttl: string, service: string): number {
    const ns = ttl === '' ? undefined : parseDuration(ttl);
    return ns === undefined ? this.ofService(service) : seconds(ns / NS_PER_MS);
  }
}

function seconds(ms: number): number {
  return Math.floor(ms / 1000);
}
