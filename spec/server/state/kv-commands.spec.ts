import assert from 'node:assert/strict';
import fc from 'fast-check';
import { TOMBSTONE_MS } from '../../../server/state/topics.ts';
import { History } from '../../support/experiments/history.ts';
import { kvOp } from '../../support/factories.ts';
import { SEED } from '../../support/seed.ts';

const S1 = '00000000-0000-4000-a000-000000000001';
const S2 = '00000000-0000-4000-a000-000000000002';

function withSessions(): History {
  const history = new History();
  history.register('a');
  history.session(S1);
  history.session(S2);
  return history;
}

describe('set', () => {
  it('keeps CreateIndex and moves ModifyIndex', () => {
    const history = new History();
    history.kv('set', 'k', { value: 'YQ==' });
    history.kv('set', 'k', { value: 'Yg==' });
    const row = history.state.kv.get('k');
    assert.deepEqual([row?.CreateIndex, row?.ModifyIndex], [1, 2]);
  });

  it('of the same value and flags touches nothing', () => {
    const history = new History();
    history.kv('set', 'k');
    assert.equal(history.kv('set', 'k').touched.size, 0);
    assert.equal(history.kv('set', 'k', { flags: 1 }).touched.size, 1);
  });

  it('leaves the lock with its session', () => {
    const history = withSessions();
    history.kv('lock', 'k', { session: S1 });
    history.kv('set', 'k', { value: 'Yg==' });
    assert.equal(history.state.kv.get('k')?.Session, S1);
  });
});

describe('cas and delete-cas', () => {
  it('with 0 create, and only that', () => {
    const history = new History();
    assert.equal(history.kv('cas', 'k', { index: 0 }).outcome.applied, true);
    assert.equal(history.kv('cas', 'k', { index: 0, value: 'Yg==' }).outcome.applied, false);
  });

  it('with the index that was read replace and delete, with another nothing', () => {
    const history = new History();
    history.kv('set', 'k');
    assert.equal(history.kv('cas', 'k', { index: 7, value: 'Yg==' }).outcome.applied, false);
    assert.equal(history.kv('cas', 'k', { index: 1, value: 'Yg==' }).outcome.applied, true);
    assert.equal(history.kv('delete-cas', 'k', { index: 1 }).outcome.applied, false);
    assert.equal(history.kv('delete-cas', 'k', { index: 3 }).outcome.applied, true);
  });

  it('never match an index beyond 2^53 by rounding', () => {
    const history = new History();
    history.kv('set', 'k');
    const { outcome } = history.kv('cas', 'k', { index: 2n ** 64n + 1n, value: 'Yg==' });
    assert.equal(outcome.applied, false);
  });
});

describe('lock and unlock', () => {
  it('count how often the key was taken, and not how often its owner wrote', () => {
    const history = withSessions();
    history.kv('lock', 'k', { session: S1 });
    history.kv('lock', 'k', { session: S1, value: 'Yg==' });
    assert.equal(history.state.kv.get('k')?.LockIndex, 1);
    history.kv('unlock', 'k', { session: S1 });
    history.kv('lock', 'k', { session: S2 });
    assert.equal(history.state.kv.get('k')?.LockIndex, 2);
  });

  it('are the owner’s alone while it lives', () => {
    const history = withSessions();
    history.kv('lock', 'k', { session: S1 });
    assert.equal(history.kv('lock', 'k', { session: S2 }).outcome.applied, false);
    assert.equal(history.kv('unlock', 'k', { session: S2 }).outcome.applied, false);
  });

  it('are refused to a session that is not there', () => {
    const { outcome } = withSessions().kv('lock', 'k', { session: S1.replace('1', '9') });
    assert.match(String(outcome.refused), /^invalid session/);
  });
});

describe('delete-tree', () => {
  it('takes every key that starts with the prefix, and no other', () => {
    const history = new History();
    for (const key of ['a', 'a/1', 'a/2/3', 'ab', 'b']) history.kv('set', key);
    history.kv('delete-tree', 'a/');
    assert.deepEqual(
      [...history.state.kv.under('')].map(({ Key }) => Key),
      ['a', 'ab', 'b'],
    );
  });

  it('keeps the order of keys by their bytes', () => {
    const history = new History();
    for (const key of ['\u{1f600}', '\uffff', 'z', 'Z', '']) history.kv('set', key);
    const keys = [...history.state.kv.under('')].map(({ Key }) => Key);
    assert.deepEqual(keys, ['', 'Z', 'z', '\uffff', '\u{1f600}']);
  });
});

describe("a deleted key's index", () => {
  it('is that of the delete, for itself and its prefix', () => {
    const history = new History();
    history.kv('set', 't/a');
    history.kv('set', 't/b');
    history.kv('delete', 't/a');
    const { kv } = history.state;
    assert.deepEqual([kv.indexOf('t/a'), kv.indexUnder('t/'), kv.indexOf('t/b')], [3, 3, 2]);
  });

  it('sinks into the floor with its tombstone, and does not go back', () => {
    const history = new History();
    history.kv('set', 't/a');
    history.kv('delete', 't/a');
    history.kv('set', 'other', {}, TOMBSTONE_MS + 60_000);
    const { kv } = history.state;
    assert.deepEqual([kv.indexOf('t/a'), kv.indexUnder('t/'), kv.indexOf('never')], [2, 2, 2]);
  });
});

describe('a transaction', () => {
  const op = (verb: string, key: string, over = {}) => ({ kv: kvOp(verb, key, over) });

  it('answers each operation in order, writes without their values', () => {
    const history = new History();
    const { outcome } = history.run({ type: 'txn', ops: [op('set', 'k'), op('get', 'k')] });
    const values = outcome.results?.map((r) => 'KV' in r && r.KV.Value);
    assert.deepEqual(values, [null, 'eA==']);
  });

  it('tells the errors of all its operations at once', () => {
    const ops = [op('get', 'x'), op('set', 'k'), op('cas', 'k', { index: 9 }), op('nonsense', 'k')];
    const { outcome } = new History().run({ type: 'txn', ops });
    assert.deepEqual(
      outcome.errors?.map(({ OpIndex }) => OpIndex),
      [0, 2, 3],
    );
  });

  it('sees its own writes, and they share one index', () => {
    const history = new History();
    history.run({
      type: 'txn',
      ops: [op('set', 'a'), op('check-index', 'a', { index: 1 }), op('set', 'b')],
    });
    assert.deepEqual(
      [...history.state.kv.under('')].map((row) => row.ModifyIndex),
      [1, 1],
    );
  });

  it(`is all or nothing, whatever it is made of (seed ${SEED})`, () => {
    const verbs = ['set', 'cas', 'lock', 'unlock', 'delete', 'delete-cas', 'delete-tree', 'get'];
    const any = fc.record({
      verb: fc.constantFrom(...verbs),
      key: fc.constantFrom('a', 'a/1', 'b'),
      index: fc.nat(12),
      session: fc.constantFrom(S1, S2),
      value: fc.constantFrom('YQ==', 'Yg=='),
    });
    const txn = fc.array(any, { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(fc.array(txn, { maxLength: 12 }), (txns) => {
        const history = withSessions();
        for (const ops of txns) {
          const before = [...history.state.kv.under('')];
          const held = [S1, S2].map((id) => history.state.kv.heldBy(id));
          const list = ops.map(({ verb, key, ...over }) => op(verb, key, over));
          const { outcome, touched } = history.run({ type: 'txn', ops: list });
          if (outcome.applied) continue;
          assert.equal(touched.size, 0);
          assert.deepEqual([...history.state.kv.under('')], before);
          assert.deepEqual(
            [S1, S2].map((id) => history.state.kv.heldBy(id)),
            held,
          );
        }
      }),
      { seed: SEED },
    );
  });
});
