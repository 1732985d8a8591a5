/** What is kept of what the catalog has of the node. */
import assert from 'node:assert/strict';
import type { Said } from '../../../kubernetes/api/shapes.ts';
import type { Catalog } from '../../../kubernetes/catalog.ts';
import { Registered } from '../../../kubernetes/to-catalog/registered.ts';
import { keeping, rowsIn } from '../../../kubernetes/to-catalog/rows.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { seededRandom } from '../../support/fakes/seeded-random.ts';

const OURS = { 'external-k8s-sync': 'o', 'external-source': 'kubernetes', 'external-k8s-ns': 'a' };

/** One instance with a check, as a catalog shows it. */
async function rowOf(Meta: Readonly<Record<string, string>>) {
  const service = {
    ...{ ID: 'web-1', Service: 'web', Address: '10.1.0.1', Port: 80, Tags: ['t'], Meta },
    ...{ Weights: { Passing: 1, Warning: 1 }, EnableTagOverride: false, Proxy: {}, Connect: {} },
    ...{ TaggedAddresses: {}, CreateIndex: 3, ModifyIndex: 7 },
  };
  const check = {
    ...{ Node: 'n', CheckID: 'c', Name: 'c', Status: 'passing', Notes: '', Output: 'well' },
    ...{
      ServiceID: 'web-1',
      ServiceName: 'web',
      ServiceTags: ['t'],
      Definition: {},
      CreateIndex: 3,
    },
  };
  const json = { Node: 'n', Services: [service], Checks: [check] };
  const catalog: Catalog = {
    ask: async () => ({ status: 200, index: '7', text: JSON.stringify(json), json }),
  };
  const deps = { catalog, clock: new FakeClock(), random: seededRandom(1) };
  const on = { read: () => undefined, lost: () => undefined };
  const registered = new Registered(deps, { node: 'n', owner: 'o' }, on);
  await registered.readAnew(new AbortController().signal);
  return registered.get('web-1');
}

describe('what is kept of a row of the catalog', () => {
  it('is what is compared, and not what a server adds', async () => {
    const row = await rowOf(OURS);
    assert.deepEqual(row?.service, {
      ...{ ID: 'web-1', Service: 'web', Address: '10.1.0.1', Port: 80, Tags: ['t'], Meta: OURS },
      ...{ Weights: { Passing: 1, Warning: 1 }, ModifyIndex: 7 },
    });
    const said = { CheckID: 'c', Name: 'c', Status: 'passing', Notes: '', Output: 'well' };
    const check = { ServiceID: 'web-1', ...said };
    assert.deepEqual([...(row?.checks ?? [])], [['c', check]]);
  });

  it('is of what somebody else wrote whose it is, however much that is', async () => {
    const row = await rowOf({ ...OURS, 'external-k8s-sync': 'p', more: 'x'.repeat(512) });
    const Meta = { ...OURS, 'external-k8s-sync': 'p' };
    assert.deepEqual(row?.service, { ID: 'web-1', Service: 'web', ModifyIndex: 7, Meta });
    assert.equal(row?.checks.size, 0);
  });

  it('is all that is compared of what consul-k8s left, which is taken over where it is wanted', async () => {
    const row = await rowOf({ 'external-source': 'kubernetes' });
    assert.deepEqual([row?.service['Address'], row?.checks.size], ['10.1.0.1', 1]);
  });
});

describe('what others wrote on the node', () => {
  it('is kept no more of than finds room, and all of what is ours', () => {
    const row = (ID: string, owner: string) => ({ ID, Meta: { 'external-k8s-sync': owner } });
    const keep = keeping('o', 3);
    const first = [row('a', 'p'), row('b', 'p'), row('c', 'o'), row('d', 'p')];
    const ids = (services: readonly object[]) =>
      [...rowsIn(keep({ services: services as Said[], checks: [] })).keys()].join('');
    assert.equal(ids(first), 'abcd');
    // Another part of the same read.
    assert.equal(ids([row('e', 'p'), row('f', 'o')]), 'f');
  });
});
