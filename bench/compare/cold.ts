/** The first registrations that a process takes: nothing of it is compiled yet. */
import { must } from './http.ts';
import type { Registry } from './registry.ts';

export const FIRST = 1000;
const CLIENTS = 32;
const US_PER_TICK = 10_000;

export interface Cost {
  /** Of a processor, for each request. */
  readonly us: number;
  readonly rate: number;
}

/** Of a registry that has just begun. */
export async function first(registry: Registry): Promise<Cost> {
  const before = await registry.ticks();
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
  return { us: (((await registry.ticks()) - before) * US_PER_TICK) / FIRST, rate };
}
