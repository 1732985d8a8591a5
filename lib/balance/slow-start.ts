/** A host that has just come gets little at first: its caches are cold, and nobody knows how it does. */
import type { Host } from './host.ts';

export interface SlowStart {
  /** 0 for none. */
  readonly windowMs: number;
  /** The part of its weight that it begins with; above 0, or a policy would never meet it. */
  readonly least: number;
}

export function weightAt({ endpoint, readySince }: Host, now: number, slow: SlowStart): number {
  const passedMs = now - readySince;
  if (passedMs >= slow.windowMs) return endpoint.weight;
  return endpoint.weight * Math.max(slow.least, passedMs / slow.windowMs);
}
