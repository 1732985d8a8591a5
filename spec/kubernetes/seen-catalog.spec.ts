import assert from 'node:assert/strict';
import type { CatalogRequest } from '../../kubernetes/catalog.ts';
import { SeenCatalog } from '../../kubernetes/seen-catalog.ts';
import { ProconsulError } from '../../lib/errors.ts';
import { FakeClock } from '../support/fakes/fake-clock.ts';
import { kubeService, kubeSlice } from '../support/kubernetes/cluster.ts';
import { startSyncWorld } from '../support/kubernetes/syncs.ts';
import { until } from '../support/until.ts';

const READ: CatalogRequest = { method: 'GET', path: '/v1/a' };
const WRITE: CatalogRequest = { method: 'PUT', path: '/v1/a' };

function started() {
  const refused = new Set<CatalogRequest>();
  const ask = async (request: CatalogRequest) => {
    if (refused.has(request)) throw new ProconsulError('forbidden', 'no');
    return { status: 200, index: '', text: '', json: undefined };
  };
  const clock = new FakeClock();
  const seen = new SeenCatalog({ ask }, clock);
  const { signal } = new AbortController();
  const asked = (request: CatalogRequest) => seen.ask(request, signal).catch(() => undefined);
  return { refused, clock, seen, asked };
}

describe('the catalog, as a sync sees it', () => {
  it('fails while something of it does, though all else is answered', async () => {
    const { refused, seen, asked } = started();
    refused.add(WRITE);
    for (const each of [READ, WRITE, READ, WRITE]) await asked(each);
    assert.deepEqual([seen.isFailing, seen.failures], [true, { read: 0, write: 2 }]);
    refused.clear();
    await asked(WRITE);
    assert.equal(seen.isFailing, false);
  });

  it('takes what is asked by POST, as what a token may do, for a question', async () => {
    const { refused, seen, asked } = started();
    const question = { method: 'POST', path: '/v1/internal/acl/authorize' } as const;
    refused.add(question);
    await asked(question);
    assert.deepEqual(seen.failures, { read: 1, write: 0 });
  });

  it('fails no more by what nobody asks for again', async () => {
    const { refused, clock, seen, asked } = started();
    refused.add(READ);
    await asked(READ);
    await clock.advance(60_001);
    assert.deepEqual([seen.isFailing, seen.failures.read], [false, 1]);
  });

  it('does not fail by what is waited for no more', async () => {
    const over = new AbortController();
    const ask = () => Promise.reject(new ProconsulError('unavailable', 'ended'));
    const seen = new SeenCatalog({ ask }, new FakeClock());
    over.abort();
    await assert.rejects(seen.ask(READ, over.signal));
    assert.deepEqual([seen.isFailing, seen.failures.read], [false, 0]);
  });
});

describe('a sync whose token is refused later', () => {
  it('says so in its numbers, and that it is over', async () => {
    const { sync, objects, untilShown } = await startSyncWorld();
    const first = sync();
    const number = (name: string, label: string) => {
      const found = first.sync.metrics().filter((each) => each.name === name);
      const readings = found.flatMap((each) => {
        const value = each.kind === 'sample' ? 0 : each.read();
        return typeof value === 'number' ? [{ labels: each.labels ?? {}, value }] : value;
      });
      return readings.find(({ labels }) => Object.values(labels).includes(label))?.value;
    };
    const lost = () => number('proconsul.k8s.lost', 'catalog');
    objects.create('services', kubeService('web'));
    objects.create('endpointslices', kubeSlice('web', [{ ip: '10.1.0.1' }]));
    await untilShown('web 10.1.0.1:8080 passing');
    await until(() => lost() === 0);
    const refusal = { status: 403, index: '', text: 'Permission denied', json: undefined };
    first.instead = ({ path }) => (path === '/v1/txn' ? refusal : undefined);
    objects.set('endpointslices', kubeSlice('web', [{ ip: '10.1.0.2' }]));
    await until(() => lost() === 1);
    assert.ok(Number(number('proconsul.k8s.catalog_failures', 'write')) > 0);
    assert.equal(number('proconsul.k8s.lost', 'cluster'), 0);
    first.instead = () => undefined;
    await untilShown('web 10.1.0.2:8080 passing');
    await until(() => lost() === 0);
  });
});
