import assert from 'node:assert/strict';
import { ProconsulError } from '../../lib/errors.ts';
import type { EventLog, Proposal } from '../../server/log/event-log.ts';
import { Proposer } from '../../server/proposer.ts';
import { APPLIED } from '../../server/state/outcome.ts';
import { kvCommand } from '../support/experiments/proposals.ts';
import { settle } from '../support/fakes/fake-clock.ts';

/** A log whose appends end when a spec says so. */
class HeldLog {
  readonly batches: { readonly ids: string[]; readonly end: (error?: Error) => void }[] = [];

  append(batch: readonly Proposal[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (error?: Error) => (error === undefined ? resolve() : reject(error));
      this.batches.push({ ids: batch.map(({ id }) => id), end });
    });
  }
}

function start() {
  const log = new HeldLog();
  const proposer = new Proposer(log as unknown as EventLog, 'boot', () => 0);
  const propose = (key: string) => proposer.propose(kvCommand(key));
  return { log, proposer, propose };
}

const code = (promise: Promise<unknown>) =>
  promise.then(
    () => 'fulfilled',
    (error: unknown) => (error instanceof ProconsulError ? error.code : String(error)),
  );

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

  it('gives each proposal an id of its own, counted up', async () => {
    const { log, propose } = start();
    for (const key of ['a', 'b', 'c']) void propose(key);
    await settle();
    assert.deepEqual(log.batches[0]?.ids, ['boot/0', 'boot/1', 'boot/2']);
  });

  it('resolves with the outcome of its own entry, before or after the append ends', async () => {
    const { log, proposer, propose } = start();
    const early = propose('a');
    const late = propose('b');
    await settle();
    proposer.settle('boot/0', APPLIED);
    proposer.settle('another/1', APPLIED);
    assert.equal(await early, APPLIED);
    log.batches[0]?.end();
    await settle();
    proposer.settle('boot/1', { applied: false });
    assert.deepEqual(await late, { applied: false });
  });

  it('rejects the whole batch with the error of the log, but for those that were seen', async () => {
    const { log, proposer, propose } = start();
    const [seen, lost] = [propose('a'), propose('b')];
    await settle();
    proposer.settle('boot/0', APPLIED);
    log.batches[0]?.end(new ProconsulError('unknown', 'cut'));
    assert.deepEqual([await code(seen), await code(lost)], ['fulfilled', 'unknown']);
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

  it('refuses what no queue has room for, at once', async () => {
    const { propose } = start();
    const all = Array.from({ length: 20_001 }, (_, i) => code(propose(`k${i}`)));
    assert.equal(await all.at(-1), 'busy');
  });
});
