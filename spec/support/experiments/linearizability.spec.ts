import assert from 'node:assert/strict';
import { seededRandom } from '../fakes/seeded-random.ts';
import { impossible, type Operation, upTo } from './linearizability.ts';

function get(call: number, ret: number, value: string | null, index?: number): Operation {
  return { kind: 'get', call, ret, value, ...(index === undefined ? {} : { index }) };
}

function put(call: number, ret: number, value: string): Operation {
  return { kind: 'put', call, ret, value };
}

describe('the checker of histories', () => {
  it('takes a history of one thing after the other', () => {
    const history = [put(0, 1, 'a'), get(2, 3, 'a', 5), put(4, 5, 'b'), get(6, 7, 'b', 6)];
    assert.equal(impossible(history), undefined);
  });

  it('takes either order of what overlaps', () => {
    assert.equal(impossible([put(0, 9, 'a'), put(1, 8, 'b'), get(10, 11, 'a')]), undefined);
    assert.equal(impossible([put(0, 9, 'a'), put(1, 8, 'b'), get(10, 11, 'b')]), undefined);
  });

  it('sees a read of what had been overwritten before', () => {
    assert.ok(impossible([put(0, 1, 'a'), put(2, 3, 'b'), get(4, 5, 'a')]));
  });

  it('sees two reads that go back', () => {
    const history = [put(0, 1, 'a'), put(2, 9, 'b'), get(3, 4, 'b'), get(5, 6, 'a')];
    assert.ok(impossible(history));
  });

  it('sees a write that was acknowledged and is gone', () => {
    assert.ok(impossible([put(0, 1, 'a'), get(2, 3, null)]));
  });

  it('lets a write of which nobody knows happen late or never', () => {
    const unknown = put(0, Number.POSITIVE_INFINITY, 'a');
    assert.equal(impossible([unknown, get(1, 2, null), get(3, 4, 'a')]), undefined);
    assert.equal(impossible([unknown, get(1, 2, null), get(3, 4, null)]), undefined);
    assert.ok(impossible([unknown, get(1, 2, 'a'), get(3, 4, null)]));
  });

  it('judges up to a moment from which on what was acknowledged may be gone', () => {
    const history = [put(0, 1, 'a'), put(2, 9, 'b'), get(3, 9, 'b', 5), get(10, 11, null)];
    assert.ok(impossible(upTo(history, Number.POSITIVE_INFINITY)));
    assert.equal(impossible(upTo(history, 10)), undefined);
    assert.deepEqual(upTo(history, 9), [put(0, 1, 'a'), put(2, Number.POSITIVE_INFINITY, 'b')]);
    assert.ok(impossible(upTo([...history, get(4, 5, null)], 9)));
  });

  it('sees a CAS that succeeded against another value than it named', () => {
    const cas = (ok: boolean): Operation => {
      return { kind: 'cas', call: 4, ret: 5, value: 'c', expects: 'a', ok };
    };
    const before = [put(0, 1, 'a'), put(2, 3, 'b')];
    assert.ok(impossible([...before, cas(true)]));
    assert.equal(impossible([...before, cas(false)]), undefined);
  });

  it('sees an index that two writes share in turn, or that goes back', () => {
    assert.ok(impossible([put(0, 1, 'a'), get(2, 3, 'a', 5), get(4, 5, 'a', 6)]));
    const back = [put(0, 1, 'a'), get(2, 3, 'a', 9), put(4, 5, 'b'), get(6, 7, 'b', 8)];
    assert.ok(impossible(back));
  });

  it('finds one stale read planted in 2,000 operations (seed 7)', () => {
    const random = seededRandom(7);
    const history: Operation[] = [];
    let value: string | null = null;
    for (let at = 0; history.length < 2000; at += 2) {
      // Each takes effect in the middle of its interval; intervals overlap their neighbours.
      const [call, ret] = [at - random.next() * 6, at + 1 + random.next() * 6];
      if (random.next() < 0.5) {
        value = `v${at}`;
        history.push(put(call, ret, value));
      } else history.push(get(call, ret, value));
    }
    assert.equal(impossible(history), undefined);
    const old = history.find(({ kind }) => kind === 'put');
    history.push(get(5000, 5001, old?.value ?? null));
    assert.ok(impossible(history));
  });

  it('comes to an end where nobody knows of many things whether, and when, they happened', () => {
    const history: Operation[] = [];
    for (let i = 0; i < 40; i++) {
      const at = i * 10;
      const ret = Number.POSITIVE_INFINITY;
      history.push({ kind: 'delete', call: at, ret, value: null }, put(at, ret, `late${i}`));
      history.push(put(at + 1, at + 2, `v${i}`), get(at + 3, at + 4, `v${i}`, 2 * i + 1));
      history.push(get(at + 5, at + 6, `late${i}`, 2 * i + 2));
    }
    assert.equal(impossible(history), undefined);
    assert.ok(impossible([...history, get(500, 501, 'v3', 7)]));
  });
});
