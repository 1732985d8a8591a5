import assert from 'node:assert/strict';
import { ProconsulError } from '../../lib/errors.ts';
import { followPlan } from '../../lib/follow-plan.ts';
import { type Seen, watchPlan } from '../../lib/watch-plan.ts';
import { FakeClock, settle } from '../support/fakes/fake-clock.ts';

const params = (given: Readonly<Record<string, string>> = {}) => ({
  given: Object.keys(given),
  text: (name: string) => given[name] ?? '',
  isSet: (name: string) => given[name] === 'true',
  all: (name: string) => (given[name] === undefined ? [] : [given[name]]),
});

/** A watch whose questions are kept until the spec answers them. */
function follow(type: string) {
  const clock = new FakeClock();
  const ending = new AbortController();
  const asked: string[] = [];
  const handled: string[] = [];
  const failures: string[] = [];
  let settleLook: { resolve: (seen: Seen) => void; reject: (error: unknown) => void } | undefined;
  const ended = followPlan(watchPlan(type, params(type === 'key' ? { key: 'a' } : {})), {
    clock,
    signal: ending.signal,
    look: (query) =>
      new Promise((resolve, reject) => {
        asked.push(query.map((pair) => pair.join('=')).join('&'));
        settleLook = { resolve, reject };
      }),
    handle: async (input, index) => void handled.push(`${index} ${input.trim()}`),
    failed: (error, waitMs) => void failures.push(`${error.message} ${waitMs}`),
  });
  return {
    clock,
    asked,
    handled,
    failures,
    answer: async (index: string, json: unknown, status = 200) => {
      settleLook?.resolve({ status, index, json });
      await settle();
    },
    fail: async (why: string) => {
      settleLook?.reject(new ProconsulError('unavailable', why));
      await settle();
    },
    end: async () => {
      ending.abort();
      settleLook?.reject(new ProconsulError('unavailable', 'aborted'));
      await ended;
    },
  };
}

describe('a watch that is followed', () => {
  it('tells what there is, then waits at its index and tells what has changed', async () => {
    const watch = follow('services');
    await watch.answer('5', { web: [] });
    await watch.answer('7', { web: [], db: [] });
    assert.deepEqual(watch.handled, ['5 {"web":[]}', '7 {"web":[],"db":[]}']);
    assert.deepEqual(watch.asked, ['', 'index=5', 'index=7']);
    await watch.end();
  });

  it('tells nothing where the index moved for something else', async () => {
    const watch = follow('services');
    await watch.answer('5', { web: [] });
    await watch.answer('6', { web: [] });
    await watch.answer('6', { web: [] });
    assert.deepEqual(watch.handled, ['5 {"web":[]}']);
    await watch.end();
  });

  it('starts afresh where the index goes back: that is another history', async () => {
    const watch = follow('services');
    await watch.answer('50', { web: [] });
    await watch.answer('3', { db: [] });
    assert.deepEqual(watch.asked.at(-1), '');
    await watch.answer('3', { db: [] });
    assert.deepEqual(watch.handled, ['50 {"web":[]}', '3 {"db":[]}']);
    await watch.end();
  });

  it('shows a key that is not there as null', async () => {
    const watch = follow('key');
    await watch.answer('1', undefined, 404);
    await watch.answer('2', [{ Key: 'a' }]);
    assert.deepEqual(watch.handled, ['1 null', '2 {"Key":"a"}']);
    await watch.end();
  });

  it('shows of events those that are new, whichever way the index goes', async () => {
    const watch = follow('event');
    await watch.answer('9', [{ ID: 'x' }]);
    await watch.answer('4', [{ ID: 'x' }, { ID: 'y' }]);
    await watch.answer('4', [{ ID: 'x' }, { ID: 'y' }]);
    await watch.answer('6', [{ ID: 'x' }, { ID: 'y' }, { ID: 'z' }]);
    assert.deepEqual(watch.handled, ['9 [{"ID":"x"}]', '4 [{"ID":"y"}]', '6 [{"ID":"z"}]']);
    await watch.end();
  });

  it('tries again after 5 s, 20 s, 45 s and at most 3 minutes, as Consul does', async () => {
    const watch = follow('services');
    for (let failures = 1; failures <= 7; failures++) {
      await watch.fail('gone');
      await watch.clock.advance(180_000);
    }
    const waits = [5000, 20_000, 45_000, 80_000, 125_000, 180_000, 180_000];
    assert.deepEqual(
      watch.failures,
      waits.map((ms) => `gone ${ms}`),
    );
    await watch.answer('5', {});
    await watch.fail('gone');
    assert.equal(watch.failures.at(-1), 'gone 5000');
    await watch.end();
    assert.equal(watch.clock.armed, 0);
  });

  it('waits before it asks again where an answer has no index to wait at', async () => {
    const watch = follow('services');
    await watch.answer('', {});
    assert.deepEqual([watch.asked.length, watch.failures], [1, ['an answer has no index 5000']]);
    await watch.end();
  });
});
