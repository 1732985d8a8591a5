import assert from 'node:assert/strict';
import { MAX_TEXT } from '../../../lib/limits.ts';
import { apply } from '../../../server/state/apply.ts';
import { dump, Restoring } from '../../../server/state/snapshot.ts';
import { State } from '../../../server/state/state.ts';
import { checkNamed, registerOn, serviceNamed } from '../../support/factories.ts';
import { liveBytes } from '../../support/heap.ts';

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

  it('share with the others on their node what no other of their service says', () => {
    const state = filled(0);
    const metas = ['web', 'db'].map((name) => {
      for (const [i, node] of ['n1', 'n2'].entries()) {
        const service = serviceNamed(name, { Meta: { zone: node } });
        const t = state.position + i + 1;
        const command = structuredClone(registerOn(node, { service }));
        apply(state, {
          index: state.position + 1,
          epoch: 1,
          t,
          id: `b/${t}`,
          hash: '',
          size: 0,
          command,
        });
      }
      return state.catalog.instance('n2', name)?.Meta;
    });
    assert.deepEqual(metas, [{ zone: 'n2' }, { zone: 'n2' }]);
    assert.equal(metas[0], metas[1]);
  });

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

describe('what checks say', () => {
  it('is kept once, whatever they are of', async () => {
    const CHECKS = 10_000;
    const EACH = 100;
    const grownBy = async (output: string) => {
      const state = new State();
      const before = await liveBytes();
      for (let i = 1; i <= CHECKS / EACH; i++) {
        const names = Array.from({ length: EACH }, (_, n) => `c-${i}-${n}`);
        const checks = names.map((name) => checkNamed(name, { Output: output }));
        // Each with a text of its own, as what is read from a log has.
        const command = JSON.parse(JSON.stringify(registerOn('n1', { checks })));
        apply(state, { index: i, epoch: 1, t: i, id: `b/${i}`, hash: '', size: 0, command });
      }
      const after = await liveBytes();
      assert.equal(state.catalog.checks.size, CHECKS);
      return after.heap - before.heap;
    };
    // What V8 makes of the code is no part of it.
    await grownBy('');
    const silent = await grownBy('');
    const loud = await grownBy('x'.repeat(MAX_TEXT));
    assert(loud - silent < (CHECKS * MAX_TEXT) / 4, `${silent} bytes, then ${loud}`);
  }).timeout(60_000);
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
