/** The first registrations that a process takes: nothing of it is compiled yet. */
import { must } from './http.ts';
import type { Registry, Used } from './registry.ts';

export const FIRST = 1000;
const CLIENTS = 32;

export interface Cost {
  /** Of a processor, for each request, and of that what the first thread took. */
  readonly us: number;
  readonly firstThreadUs: number;
  readonly rate: number;
}

/** Of a registry that has just begun. */
export async function first(registry: Registry): Promise<Cost> {
  const before = await registry.processorUs();
  const from = performance.now();
  let next = 0;
  const client = async () => {
    for (let i = next++; i < FIRST; i = next++) {
      const ServiceID = `cold-${i}`;
      await must(registry.port, 'PUT', '/v1/catalog/register', {
        Node: `cold-${i % 100}`,
        Address: '10.3.0.1',
        Service: { ID: ServiceID, Service: `cold-${i % 10}`, Tags: ['v1'], Port: 8000 + i },
        Check: { CheckID: `c-${i}`, Name: 'c', Status: 'passing', ServiceID },
      });
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  const rate = FIRST / ((performance.now() - from) / 1000);
  return { ...costOf(before, await registry.processorUs(), FIRST), rate };
}

export function costOf(before: Used, after: Used, requests: number): Omit<Cost, 'rate'> {
  return {
    us: (after.all - before.all) / requests,
    firstThreadUs: (after.firstThread - before.firstThread) / requests,
  };
}
