/** Writes docs/benchmarks.md and its chart from what was measured, and from nothing else. */
import { readFile, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import path from 'node:path';
import { chart, type Line } from './chart.ts';
import type { Measured } from './measure.ts';
import type { Kind } from './registry.ts';
import { table } from './table.ts';

const DOCS = path.resolve(import.meta.dirname, '../../docs');
/** Where something of docs/benchmarks.md begins and ends that a command writes. */
interface Place {
  readonly begin: string;
  readonly end: string;
}

const MEASURED: Place = {
  begin: '<!-- measured: written by bin/bench --write -->',
  end: '<!-- end of what was measured -->',
};
export const AIMS: Place = {
  begin: '<!-- aims: written by bin/bench --aims --write -->',
  end: '<!-- end of the aims -->',
};

export interface Sized {
  readonly instances: number;
  readonly rows: readonly Measured[];
}

export interface Results {
  readonly small: readonly Measured[];
  /** Tables beside other registries, where they are installed. */
  readonly peers: readonly { readonly name: string; readonly text: string }[];
  readonly sizes: readonly Sized[];
  readonly consulVersion: string;
}

export function machine(): string {
  const date = new Date().toISOString().slice(0, 10);
  return `${cpus().length} cores (${cpus()[0]?.model.trim()}), Node ${process.version}, ${date}`;
}

export function describe({ small, peers, sizes, consulVersion }: Results): string {
  const rounds = Math.max(
    0,
    ...[...small, ...sizes.flatMap(({ rows }) => rows)].map((m) => m.rounds),
  );
  const parts = [
    `Consul ${consulVersion} and Proconsul side by side on ${machine()}, medians of up to ` +
      `${rounds} rounds.`,
  ];
  if (small.length > 0) parts.push('## A small catalog', table(small));
  for (const { name, text } of peers) parts.push(`## Beside ${name}`, text);
  for (const { instances, rows } of sizes) {
    parts.push(`## ${instances.toLocaleString('en')} instances`, table(rows));
  }
  return parts.join('\n\n');
}

/** Renews a part of docs/benchmarks.md; what people wrote around it stays. */
export async function writeBetween({ begin, end }: Place, text: string): Promise<void> {
  const file = path.join(DOCS, 'benchmarks.md');
  const before = await readFile(file, 'utf8');
  const from = before.indexOf(begin);
  const to = before.indexOf(end);
  if (from < 0 || to < from) throw new Error(`${file} has no place for what was measured`);
  await writeFile(file, `${before.slice(0, from)}${begin}\n\n${text}${before.slice(to)}`);
}

/** All that was measured, and its chart. */
export async function writeReport(results: Results): Promise<void> {
  const figure = '![What a request costs, by the size of the catalog](benchmarks.svg)';
  await writeBetween(MEASURED, `${describe(results)}\n\n${figure}\n\n`);
  if (results.sizes.length > 1) {
    const lines = linesOf(results.sizes);
    await writeFile(path.join(DOCS, 'benchmarks.svg'), chart('What a request costs', lines));
  }
}

const COLOURS = ['#1f77b4', '#2ca02c', '#d62728'];

function linesOf(sizes: readonly Sized[]): Line[] {
  const names = sizes[0]?.rows.filter(({ row }) => row.unit === '/s').map(({ row }) => row.name);
  return (names ?? []).flatMap((name, i) =>
    (['file', 'consul'] as const).map((kind) => ({
      name: `${kind === 'file' ? 'Proconsul' : 'Consul'}: ${name.replace(' of a service', '')}`,
      colour: COLOURS[i % COLOURS.length] as string,
      dashed: kind === 'consul',
      points: pointsOf(sizes, name, kind),
    })),
  );
}

function pointsOf(
  sizes: readonly Sized[],
  name: string,
  kind: Kind,
): (readonly [number, number])[] {
  return sizes.flatMap(({ instances, rows }) => {
    const perSecond = rows.find(({ row }) => row.name === name)?.medians.get(kind);
    // Not one answer came within the run: there is no point to draw.
    return perSecond === undefined || perSecond === 0
      ? []
      : [[instances, 1e6 / perSecond] as const];
  });
}
