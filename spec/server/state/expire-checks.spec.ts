import assert from 'node:assert/strict';
import { History } from '../../support/experiments/history.ts';
import { checkNamed, registerOn } from '../../support/factories.ts';

function start() {
  const history = new History();
  history.run({ type: 'claim-leadership', server: 'a', replaces: 0 });
  history.run(registerOn('ext1', { checks: [checkNamed('c', { Definition: { TTL: '10s' } })] }));
  const row = () => history.state.catalog.check('ext1', 'c');
  const expire = (at: number, { term = 1, id = 'c' } = {}) =>
    history.run({ type: 'expire-checks', term, checks: [{ node: 'ext1', id, at }] }).outcome;
  return { history, row, expire };
}

describe('expire-checks', () => {
  it('turns critical what nobody has reported in time', () => {
    const { row, expire } = start();
    assert.equal(expire(2).applied, true);
    assert.equal(row()?.Status, 'critical');
    assert.equal(row()?.Output, 'TTL expired');
    assert.deepEqual(row()?.Definition, { TTL: '10s' });
  });

  it('leaves what was said since, what is gone, and what an older leader means', () => {
    const { history, row, expire } = start();
    history.run(registerOn('ext1', { checks: [checkNamed('c', { Status: 'warning' })] }));
    assert.equal(expire(2).applied, true);
    assert.equal(expire(3, { id: 'gone' }).applied, true);
    assert.equal(expire(3, { term: 0 }).applied, false);
    assert.equal(row()?.Status, 'warning');
  });
});
