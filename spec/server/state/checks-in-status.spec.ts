import assert from 'node:assert/strict';
import { apply } from '../../../server/state/apply.ts';
import { State } from '../../../server/state/state.ts';
import { checkNamed, registerOn } from '../../support/factories.ts';

describe('checks by their status', () => {
  it('are found and counted as they come, change and go, those that pass too', () => {
    const state = new State();
    const { catalog } = state;
    const say = (CheckID: string, Status: string) => {
      const command = registerOn('n1', { checks: [checkNamed(CheckID, { Status })] });
      const index = state.position + 1;
      apply(state, { index, epoch: 1, t: index, id: `b/${index}`, hash: '', size: 0, command });
    };
    const shows = (expected: Readonly<Record<string, readonly string[]>>) => {
      for (const status of ['passing', 'warning', 'critical'] as const) {
        const ids = expected[status] ?? [];
        const found = catalog.checksInStatus(status);
        assert.deepEqual([...found].map(({ CheckID }) => CheckID).sort(), ids, status);
        assert.deepEqual([...found].length, ids.length, 'a second time');
        assert.equal(catalog.checkCount(status), ids.length, status);
      }
    };
    shows({});
    say('a', 'passing');
    say('b', 'passing');
    say('c', 'critical');
    // None of Consul's, which a catalog takes all the same.
    say('d', 'odd');
    shows({ passing: ['a', 'b'], critical: ['c'] });
    say('a', 'warning');
    say('c', 'passing');
    shows({ passing: ['b', 'c'], warning: ['a'] });
    const index = state.position + 1;
    const command = { type: 'deregister', node: 'n1', checkId: 'c' } as const;
    apply(state, { index, epoch: 1, t: index, id: `b/${index}`, hash: '', size: 0, command });
    shows({ passing: ['b'], warning: ['a'] });
  });
});
