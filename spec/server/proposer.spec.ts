import assert from 'node:assert/strict';
import { ProconsulError } from '../../lib/errors.ts';
import { bodyTurn } from '../../lib/long-turns.ts';
import type { Proposal } from '../../server/log/event-log.ts';
import { Proposer } from '../../server/proposer.ts';
import { APPLIED } from '../../server/state/outcome.ts';
import { kvCommand } from '../support/experiments/proposals.ts';
import { settle } from '../support/fakes/fake-clock.ts';
import { Turns } from '../support/turns.ts';

/** A log whose appends end when a spec says so. */
class HeldLog {
  readonly batchesAtOnce: number | undefined;
  readonly batches: { readonly ids: string[]; readonly end: (error?: Error) => void }[] = [];

  constructor(batchesAtOnce?: number) {
    this.batchesAtOnce = batchesAtOnce;
  }

  append(batch: readonly Proposal[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (error?: Error) => (error === undefined ? resolve() : reject(error));
      this.batches.push({ ids: batch.map(({ id }) => id), end });
    });
  }
}

function start() {
  const log = new HeldLog();
  const proposer = new Proposer(log, 'boot', () => 0);
  const propose = (key: string, value: unknown = null) =>
    proposer.propose(kvCommand(key, { value: value as string }));
  return { log, proposer, propose };
}

const code = (promise: Promise<unknown>) =>
  promise.then(
    () => 'fulfilled',
    (error: unknown) => (error instanceof ProconsulError ? error.code : String(error)),
  );

/** A proposer whose log takes two batches at once, and is quick beside those who write. */
async function startQuick() {
  const log = new HeldLog(2);
  let now = 0;
  const proposer = new Proposer(log, 'boot', () => now);
  let made = 0;
  const propose = (count: number) =>
    Array.from({ length: count }, () => {
      const proposed = proposer.propose(kvCommand(`k${made}`, { value: null }));
      proposed.catch(() => undefined);
      return { id: `boot/${made++}`, proposed };
    });
  const end = async (batch: number, error?: Error) => {
    for (const id of log.batches[batch]?.ids ?? []) proposer.settle(id, APPLIED);
    now += 1;
    log.batches[batch]?.end(error);
    await settle();
  };
  // Eight who write again as soon as they are answered. All in one batch take long, and halves do not: that is found out.
  let batch = 0;
  propose(8);
  for (; batch < 100; batch++) {
    await settle();
    const { length } = log.batches[batch]?.ids ?? [];
    now += length === 8 ? 50 : 5;
    await end(batch);
    propose(length);
  }
  await settle();
  while (batch < log.batches.length) await end(batch++);
  const begun = batch;
  const sizes = () => log.batches.slice(begun).map(({ ids }) => ids.length);
  return {
    log,
    proposer,
    propose,
    end: (i: number, error?: Error) => end(batch + i, error),
    sizes,
  };
}

describe('a proposer whose log takes two batches at once', () => {
  it('sends a second one as soon as as many wait as are under way, and no third', async () => {
    const { propose, sizes } = await startQuick();
    propose(4);
    await settle();
    propose(3);
    await settle();
    assert.deepEqual(sizes(), [4]);
    propose(1);
    await settle();
    propose(10);
    await settle();
    assert.deepEqual(sizes(), [4, 4]);
  });

  it('sends what waits beside the second when the first is back', async () => {
    const { propose, end, sizes } = await startQuick();
    for (const count of [4, 4, 4]) {
      propose(count);
      await settle();
    }
    await end(0);
    assert.deepEqual(sizes(), [4, 4, 4]);
  });

  it('answers each as its own batch went', async () => {
    const { propose, end } = await startQuick();
    const [first] = propose(4);
    await settle();
    const [second] = propose(4);
    await settle();
    await end(0, new ProconsulError('unavailable', 'down'));
    await end(1);
    assert(first !== undefined && second !== undefined);
    assert.equal(await code(first.proposed), 'unavailable');
    assert.equal(await second.proposed, APPLIED);
  });

  it('lets both settle once it is stopped', async () => {
    const { proposer, propose, end, sizes } = await startQuick();
    const all = [];
    for (let i = 0; i < 3; i++) {
      all.push(...propose(4));
      await settle();
    }
    proposer.stop();
    await end(0);
    await end(1);
    assert.deepEqual(await Promise.all(all.map(({ proposed }) => code(proposed))), [
      ...Array(8).fill('fulfilled'),
      ...Array(4).fill('unavailable'),
    ]);
    assert.deepEqual(sizes(), [4, 4]);
  });
});

describe('a proposer', () => {
  it('sends what came in one turn as one batch, and what comes meanwhile as the next', async () => {
    const { log, propose } = start();
    for (const key of ['a', 'b']) void propose(key);
    await settle();
    for (const key of ['c', 'd', 'e']) void propose(key);
    await settle();
    assert.deepEqual(
      log.batches.map(({ ids }) => ids.length),
      [2],
    );
    log.batches[0]?.end();
    await settle();
    assert.deepEqual(
      log.batches.map(({ ids }) => ids.length),
      [2, 3],
    );
  });

  it('sends a large batch in a turn in which no other long work is done', async () => {
    const turns = new Turns();
    let most = 0;
    const count = () => {
      most = Math.max(most, turns.count('long'));
    };
    const log = {
      append: async () => {
        count();
      },
    };
    const proposer = new Proposer(log, 'boot', () => 0);
    for (let i = 0; i < 20; i++) {
      void proposer.propose(kvCommand('k', { value: 'QUJD'.repeat(100_000) }));
      await bodyTurn({ bytes: 1, address: '', onceOver: () => undefined });
      count();
    }
    await settle();
    assert.equal(most, 1);
    assert(turns.stop() >= 30);
  });

  it('gives each proposal an id of its own, counted up', async () => {
    const { log, propose } = start();
    for (const key of ['a', 'b', 'c']) void propose(key);
    await settle();
    assert.deepEqual(log.batches[0]?.ids, ['boot/0', 'boot/1', 'boot/2']);
  });

  it('resolves with the outcome of its own entry, which comes before the append ends or after', async () => {
    const { log, proposer, propose } = start();
    const early = propose('a');
    const late = propose('b');
    await settle();
    proposer.settle('boot/0', APPLIED);
    proposer.settle('another/1', APPLIED);
    log.batches[0]?.end();
    assert.equal(await early, APPLIED);
    proposer.settle('boot/1', { applied: false });
    assert.deepEqual(await late, { applied: false });
  });

  it('does not resolve before the log has said that it is in there for good', async () => {
    const { log, proposer, propose } = start();
    let resolved = false;
    const waiting = propose('a').then(() => {
      resolved = true;
    });
    await settle();
    proposer.settle('boot/0', APPLIED);
    await settle();
    assert.equal(resolved, false);
    log.batches[0]?.end();
    await waiting;
  });

  it('rejects the whole batch with the error of the log, also what was applied here', async () => {
    const { log, proposer, propose } = start();
    const [seen, lost] = [propose('a'), propose('b')];
    await settle();
    proposer.settle('boot/0', APPLIED);
    log.batches[0]?.end(new ProconsulError('unknown', 'cut'));
    assert.deepEqual([await code(seen), await code(lost)], ['unknown', 'unknown']);
  });

  it('refuses what no log could take, and it alone', async () => {
    const { log, propose } = start();
    let deep: unknown = 0;
    for (let i = 0; i < 100; i++) deep = [deep];
    void propose('a');
    const huge = code(propose('huge', 'x'.repeat(4 * 1024 * 1024)));
    const unreadable = code(propose('unreadable', deep));
    void propose('b');
    await settle();
    assert.deepEqual([await huge, await unreadable], ['too-large', 'invalid']);
    // Without a gap: a server takes each id up to the last it has seen for a repetition.
    assert.deepEqual(log.batches[0]?.ids, ['boot/0', 'boot/1']);
  });

  it('keeps a batch small in bytes, and sends what is larger alone', async () => {
    const { log, propose } = start();
    for (const size of [350_000, 100_000, 100_000, 3_000_000, 1]) {
      void propose('k', 'x'.repeat(size));
    }
    for (let i = 0; i < 4; i++) {
      await settle();
      log.batches[i]?.end();
    }
    await settle();
    assert.deepEqual(
      log.batches.map(({ ids }) => ids.length),
      [2, 1, 1, 1],
    );
  });

  it('goes on after a batch that failed', async () => {
    const { log, proposer, propose } = start();
    const failed = propose('a');
    await settle();
    log.batches[0]?.end(new ProconsulError('unavailable', 'down'));
    assert.equal(await code(failed), 'unavailable');
    const next = propose('b');
    await settle();
    proposer.settle('boot/1', APPLIED);
    log.batches[1]?.end();
    assert.equal(await code(next), 'fulfilled');
  });

  it('does not know of what was under way when a snapshot replaced the state', async () => {
    const { proposer, propose } = start();
    const under = propose('a');
    await settle();
    proposer.restored();
    assert.equal(await code(under), 'unknown');
  });

  it('takes nothing more once it is stopped, and what waits was not done', async () => {
    const { log, proposer, propose } = start();
    void propose('a');
    await settle();
    const waiting = propose('b');
    proposer.stop();
    proposer.stop();
    assert.deepEqual(
      [await code(waiting), await code(propose('c'))],
      ['unavailable', 'unavailable'],
    );
    assert.equal(log.batches.length, 1);
  });

  it('waits for nobody any more once it is stopped, though its time stands still', async () => {
    const log = new HeldLog();
    let now = 0;
    let looked = 0;
    const proposer = new Proposer(log, 'boot', () => {
      looked++;
      return now;
    });
    const [first, second] = ['a', 'b'].map((key) => {
      const proposed = proposer.propose(kvCommand(key, { value: null }));
      return code(proposed);
    });
    await settle();
    const third = code(proposer.propose(kvCommand('c', { value: null })));
    now = 100;
    log.batches[0]?.end();
    await settle();
    proposer.stop();
    await settle();
    const before = looked;
    await settle();
    assert.equal(looked, before);
    assert.equal(await third, 'unavailable');
    for (const id of ['boot/0', 'boot/1']) proposer.settle(id, APPLIED);
    assert.deepEqual([await first, await second], ['fulfilled', 'fulfilled']);
  });

  it('refuses what no queue has room for, at once', async () => {
    const { propose } = start();
    const all = Array.from({ length: 20_001 }, (_, i) => code(propose(`k${i}`)));
    assert.equal(await all.at(-1), 'busy');
  });

  it('refuses what the queue has no room for in bytes, until it is sent', async () => {
    const { log, propose } = start();
    const values = Array.from({ length: 24 }, () => propose('k', 'x'.repeat(3_000_000)));
    for (const value of values) value.catch(() => undefined);
    assert.equal(await code(values.at(-1) ?? Promise.resolve()), 'busy');
    await settle();
    log.batches[0]?.end();
    await settle();
    const next = propose('k', 'x'.repeat(3_000_000));
    await settle();
    assert.equal(log.batches.length, 2);
    next.catch(() => undefined);
  });
});
