import assert from 'node:assert/strict';
import { apply } from '../../../server/state/apply.ts';
import { dump, Restoring } from '../../../server/state/snapshot.ts';
import { State } from '../../../server/state/state.ts';
import { checkNamed, registerOn, serviceNamed } from '../../support/factories.ts';

function filled(count: number): State {
  const state = new State();
  for (let i = 0; i < count; i++) {
    const ID = `web-${i}`;
    const command = registerOn(`n${i % 3}`, {
      service: serviceNamed('web', { ID, Tags: ['v1'], Meta: { zone: 'a', rack: 'b' } }),
      checks: [checkNamed(`c-${i}`, { ServiceID: ID, Output: 'all is well' })],
    });
    const read = JSON.parse(JSON.stringify(command));
    apply(state, { index: i + 1, epoch: 1, t: i, id: `b/${i}`, hash: '', size: 0, command: read });
  }
  return state;
}

function restored(state: State): State {
  const restoring = new Restoring();
  for (const line of dump(state)) restoring.add(line);
  return restoring.finish();
}

describe('rows of one service', () => {
  for (const [how, make] of [
    ['as they are registered', (state: State) => state],
    ['as they come back from a snapshot', restored],
  ] as const) {
    it(`share what they say alike, ${how}`, () => {
      const [first, second] = [...make(filled(5)).catalog.instancesOf('web')];
      assert.equal(first?.Tags, second?.Tags);
      assert.equal(first?.Meta, second?.Meta);
      assert.equal(first?.Weights, second?.Weights);
      assert.equal(first?.Proxy, second?.Proxy);
    });
  }

  it('say the same as before', () => {
    const state = filled(5);
    assert.deepEqual([...dump(restored(state))], [...dump(state)]);
    const [, second] = [...state.catalog.instancesOf('web')];
    assert.deepEqual(Object.keys(second?.Meta ?? {}), ['zone', 'rack']);
  });

  it('keep the order of their own keys where it differs', () => {
    const state = filled(1);
    const service = serviceNamed('web', { ID: 'other', Meta: { rack: 'b', zone: 'a' } });
    const command = registerOn('n9', { service });
    apply(state, { index: 2, epoch: 1, t: 2, id: 'b/9', hash: '', size: 0, command });
    assert.deepEqual(Object.keys(state.catalog.instance('n9', 'other')?.Meta ?? {}), [
      'rack',
      'zone',
    ]);
  });
});

describe('a snapshot', () => {
  it('has no long line, however many topics and graves there are', () => {
    const state = filled(0);
    for (let i = 1; i <= 3000; i++) {
      const command = registerOn(`node-${i}`);
      apply(state, { index: i, epoch: 1, t: i, id: `b/${i}`, hash: '', size: 0, command });
    }
    const lines = [...dump(state)];
    assert(Math.max(...lines.map(({ length }) => length)) < 32_768);
    assert.deepEqual([...dump(restored(state))], lines);
  });
});
