import assert from 'node:assert/strict';
import { Reach } from '../../web/core/reach.ts';

describe('whether the server can be reached', () => {
  const since = (reach: Reach) => reach.loss.value?.since;

  function begin(...names: readonly string[]) {
    const started: string[] = [];
    const all = names.map((name) => ({ name, start: () => void started.push(name) }));
    let now = 100;
    const reach = new Reach(() => now++);
    return { reach, all, started };
  }

  it('is no, from the first loss until all that were lost are answered', () => {
    const { reach, all } = begin('a', 'b');
    const [a, b] = all;
    assert.ok(a && b);
    assert.equal(since(reach), undefined);
    reach.lost(a, 'No cluster leader');
    reach.lost(b, '');
    assert.deepEqual(reach.loss.value, { since: 100, said: 'No cluster leader' });
    reach.answered(b, all);
    assert.equal(since(reach), 100);
    reach.answered(a, all);
    assert.equal(since(reach), undefined);
  });

  it('brings back with one that was lost all that have heard nothing since', () => {
    const { reach, all, started } = begin('lost', 'lost too', 'waits in vain', 'heard');
    const [lost, too, , heard] = all;
    assert.ok(lost && too && heard);
    reach.lost(lost, '');
    reach.lost(too, '');
    reach.answered(heard, all);
    reach.answered(lost, all);
    assert.deepEqual(started, ['lost too', 'waits in vain']);
  });

  it('starts nothing anew where others are well: what fails alone keeps its own pace', () => {
    const { reach, all, started } = begin('fails', 'well');
    const [fails, well] = all;
    assert.ok(fails && well);
    for (let i = 0; i < 10; i++) {
      reach.lost(fails, '');
      reach.answered(well, all);
    }
    assert.deepEqual(started, []);
  });

  it('is not known anew by those that nobody looks at any more', () => {
    const { reach, all } = begin('left', 'next');
    const [left, next] = all;
    assert.ok(left && next);
    reach.lost(left, '');
    reach.left(left);
    assert.equal(since(reach), 100);
    reach.answered(next, [next]);
    assert.equal(since(reach), undefined);
  });
});
