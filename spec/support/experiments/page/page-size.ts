/** What a page of the browser holds. */
import type { CDPSession } from 'playwright-core';

export interface Size {
  /** What is alive once garbage was collected. */
  readonly heapMb: number;
  readonly nodes: number;
  readonly listeners: number;
}

export type Metrics = (name: string) => number;

export async function metricsOf(devtools: CDPSession): Promise<Metrics> {
  const { metrics } = await devtools.send('Performance.getMetrics');
  return (name) => metrics.find((each) => each.name === name)?.value ?? 0;
}

export async function sizeOf(devtools: CDPSession): Promise<Size> {
  await devtools.send('HeapProfiler.collectGarbage');
  await devtools.send('HeapProfiler.collectGarbage');
  const of = await metricsOf(devtools);
  return {
    heapMb: Math.round(of('JSHeapUsedSize') / 1e5) / 10,
    nodes: of('Nodes'),
    listeners: of('JSEventListeners'),
  };
}
