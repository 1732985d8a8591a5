/** Alternates between the registries, so that what disturbs the machine disturbs all alike. */
import type { Kind, Registry } from './registry.ts';
import type { Row } from './rows.ts';

export interface Measured {
  readonly row: Row;
  /** Medians by kind. */
  readonly medians: ReadonlyMap<Kind, number>;
  readonly rounds: number;
}

export interface Pace {
  readonly rounds: number;
  readonly runMs: number;
}

export async function measureRow(
  row: Row,
  registries: readonly Registry[],
  pace: Pace,
): Promise<Measured> {
  const taking = registries.filter(({ kind }) => kind === 'consul' || row.logs.includes(kind));
  const values = new Map<Kind, number[]>();
  for (const registry of taking) {
    values.set(registry.kind, []);
    await row.prepare?.(registry.port);
    // Warm, all of them.
    if (row.better === 'more') await row.measure(registry, 1000);
  }
  const rounds = Math.min(pace.rounds, row.maxRounds);
  for (let round = 0; round < rounds; round++) {
    for (const registry of taking) {
      for (const each of taking) await each.quiet();
      values.get(registry.kind)?.push(await row.measure(registry, pace.runMs));
    }
  }
  return { row, medians: new Map([...values].map(([kind, all]) => [kind, median(all)])), rounds };
}

/** How many times better than Consul; above 1 is better, whatever the unit. */
export function ratio({ row, medians }: Measured, kind: Kind): number {
  const ours = medians.get(kind) ?? Number.NaN;
  const theirs = medians.get('consul') ?? Number.NaN;
  return row.better === 'more' ? ours / theirs : theirs / ours;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
