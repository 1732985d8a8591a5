/** What a page of the browser holds. */
import type { CDPSession } from 'playwright-core';

export interface Size {
  /** What is alive once garbage was collected, without the code that V8 makes of functions: it makes more for as long as a page runs. */
  readonly heapMb: number;
  readonly codeMb: number;
  readonly nodes: number;
  readonly listeners: number;
}

export type Metrics = (name: string) => number;

interface Snapshot {
  readonly snapshot: {
    readonly meta: {
      readonly node_fields: readonly string[];
      readonly node_types: readonly [readonly string[], ...unknown[]];
    };
  };
  readonly nodes: readonly number[];
}

/** Of the browser's own objects the counters tell, and it keeps some for whoever looks at a page by these tools. */
const NOT_OF_THE_PAGE = new Set(['code', 'native']);

export async function metricsOf(devtools: CDPSession): Promise<Metrics> {
  const { metrics } = await devtools.send('Performance.getMetrics');
  return (name) => metrics.find((each) => each.name === name)?.value ?? 0;
}

export async function sizeOf(devtools: CDPSession): Promise<Size> {
  await devtools.send('HeapProfiler.collectGarbage');
  const bytes = bytesByType(await snapshotOf(devtools));
  const of = await metricsOf(devtools);
  const kept = [...bytes].filter(([type]) => !NOT_OF_THE_PAGE.has(type));
  return {
    heapMb: inMb(kept.reduce((sum, [, each]) => sum + each, 0)),
    codeMb: inMb(bytes.get('code') ?? 0),
    nodes: of('Nodes'),
    listeners: of('JSEventListeners'),
  };
}

export function toldOf({ heapMb, codeMb, nodes, listeners }: Size): string {
  return `${heapMb} MB and ${codeMb} of code, ${nodes} nodes, ${listeners} listeners`;
}

/** It collects all garbage first. */
async function snapshotOf(devtools: CDPSession): Promise<Snapshot> {
  const chunks: string[] = [];
  const onChunk = ({ chunk }: { readonly chunk: string }) => void chunks.push(chunk);
  devtools.on('HeapProfiler.addHeapSnapshotChunk', onChunk);
  try {
    await devtools.send('HeapProfiler.takeHeapSnapshot', { reportProgress: false });
  } finally {
    devtools.off('HeapProfiler.addHeapSnapshotChunk', onChunk);
  }
  return JSON.parse(chunks.join('')) as Snapshot;
}

function bytesByType({ snapshot: { meta }, nodes }: Snapshot): ReadonlyMap<string, number> {
  const [typeAt, sizeAt] = ['type', 'self_size'].map((each) => meta.node_fields.indexOf(each)) as [
    number,
    number,
  ];
  const bytes = new Map<string, number>();
  for (let at = 0; at < nodes.length; at += meta.node_fields.length) {
    const type = meta.node_types[0][nodes[at + typeAt] ?? 0] ?? '';
    bytes.set(type, (bytes.get(type) ?? 0) + (nodes[at + sizeAt] ?? 0));
  }
  return bytes;
}

function inMb(bytes: number): number {
  return Math.round(bytes / 1e5) / 10;
}
