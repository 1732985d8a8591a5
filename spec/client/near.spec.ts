import assert from 'node:assert/strict';
import { ServiceBalancer } from '../../client/service-balancer.ts';
import { ProconsulError } from '../../lib/errors.ts';
import { ORIGIN } from '../../lib/place.ts';
import type { Ask } from '../../sidecar/follow.ts';
import { FakeClock } from '../support/fakes/fake-clock.ts';
import { seededRandom } from '../support/fakes/seeded-random.ts';
import { until } from '../support/until.ts';

const instance = (Node: string, Port: number) => ({
  Node: { Node, Address: '127.0.0.1' },
  Service: { ID: 'web', Service: 'web', Port },
  Checks: [],
});

const place = (Node: string, x: number) => {
  const Coord = { ...ORIGIN, Vec: [x, 0, 0, 0, 0, 0, 0, 0], Error: 0.1 };
  return { Node, Segment: '', Coord };
};

describe('a Balancer with nearMs', () => {
  const ask: Ask = async ({ path, query }, signal) => {
    const waits = query.some(([name]) => name === 'index');
    if (waits) await new Promise((_, reject) => signal.addEventListener('abort', reject));
    const answers: Readonly<Record<string, unknown>> = {
      '/v1/agent/self': { Config: { NodeName: 'me' } },
      '/v1/coordinate/nodes': [place('me', 0), place('a', 0.001), place('b', 0.02)],
      '/v1/health/service/web': [instance('a', 1), instance('b', 2)],
    };
    return { index: '1', json: answers[path] };
  };
  const portsOf = (balancer: ServiceBalancer) => {
    const picked = Array.from({ length: 20 }, () => {
      const tried = balancer.pick();
      tried?.end();
      return tried?.instance.port;
    });
    return [...new Set(picked)].sort();
  };

  it('calls those that are near by coordinates, whichever is known first', async () => {
    const ports = { ask, clock: new FakeClock(), random: seededRandom(1) };
    const near = new ServiceBalancer({ service: 'web', nearMs: 2 }, ports);
    const any = new ServiceBalancer({ service: 'web' }, ports);
    const few = new ServiceBalancer({ service: 'web', nearMs: 2, minZoneHosts: 2 }, ports);
    await Promise.all([near, any, few].map((each) => each.ready()));
    await until(() => portsOf(near).join() === '1');
    assert.deepEqual(portsOf(any), [1, 2]);
    assert.deepEqual(portsOf(few), [1, 2]);
    for (const each of [near, any, few]) await each.close(0);
  });

  for (const more of [
    ...[{ nearMs: -1 }, { panicBelow: 2 }, { panicBelow: -1 }],
    ...[{ headroom: 0.5 }, { minZoneHosts: 0 }],
  ]) {
    it(`refuses ${JSON.stringify(more)}`, () => {
      assert.throws(
        () => new ServiceBalancer({ service: 'web', ...more }, { ask, clock: new FakeClock() }),
        (error) => error instanceof ProconsulError && error.code === 'invalid',
      );
    });
  }
});
