import assert from 'node:assert/strict';
import type { KeyValues } from '../../../server/state/key-values.ts';
import { PrefixIndexes } from '../../../server/state/prefix-indexes.ts';
import { History } from '../../support/experiments/history.ts';
import { seededRandom } from '../../support/fakes/seeded-random.ts';
import { SEED } from '../../support/seed.ts';

const VERBS = ['set', 'set', 'set', 'delete', 'delete', 'lock', 'unlock', 'delete-tree'];
const S1 = '00000000-0000-4000-a000-000000000001';

/** What it comes to where each key is looked at. */
function walked(kv: KeyValues, prefix: string): number {
  const { floor, graves } = kv.dumpGraves();
  const there = kv.under(prefix).map(({ ModifyIndex }) => ModifyIndex);
  const gone = graves.filter(([key]) => key.startsWith(prefix)).map(([, index]) => index);
  return Math.max(floor, ...there, ...gone);
}

describe('the last change under a prefix that is no folder', () => {
  it(`is that of its keys and of those that went, whoever asked before (seed ${SEED})`, () => {
    const { next } = seededRandom(SEED);
    const upTo = (most: number) => Math.floor(next() * most);
    const history = new History();
    history.register('a');
    history.session(S1);
    for (let i = 0; i < 400; i++) history.kv('set', `k/${i}`);
    const { kv } = history.state;
    for (let step = 0; step < 1000; step++) {
      const key = `${['k/', 'k2/', 'other'][upTo(3)]}${upTo(500)}`;
      const verb = VERBS[upTo(VERBS.length)] ?? 'set';
      const lock = verb.endsWith('lock') ? { session: S1 } : {};
      const ms = upTo(4) === 0 ? 20_000 : 0;
      history.kv(verb, key, { ...lock, value: btoa(`${step}`) }, ms);
      for (const prefix of ['k', 'k/1', 'other', 'k2'])
        assert.equal(kv.indexUnder(prefix), walked(kv, prefix), `${verb} ${key}: ${prefix}`);
    }
  });

  it('is looked for once, where there are many keys, of those that were asked about lately', () => {
    const prefixes = new PrefixIndexes();
    let walks = 0;
    const ask = (prefix: string, keys = 1000) =>
      prefixes.of(prefix, () => {
        walks++;
        return { index: 7, keys };
      });
    assert.deepEqual([ask('k'), ask('k'), walks], [7, 7, 1]);
    prefixes.changed('key', 9);
    prefixes.changed('other', 10);
    assert.deepEqual([ask('k'), walks], [9, 1]);
    // What is walked through in a moment leaves the room to others.
    for (let i = 0; i < 1000; i++) ask(`few${i}`, 3);
    assert.deepEqual([ask('k'), walks], [9, 1001]);
    for (let i = 0; i < 63; i++) ask(`many${i}`);
    assert.deepEqual([ask('k'), walks], [9, 1064]);
    for (let i = 0; i < 64; i++) ask(`more${i}`);
    assert.deepEqual([ask('k'), walks], [7, 1129]);
    prefixes.forget();
    ask('k');
    assert.equal(walks, 1130);
  });
});
