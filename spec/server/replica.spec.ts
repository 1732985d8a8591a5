import assert from 'node:assert/strict';
import type { Entry } from '../../server/commands.ts';
import { IndexGate } from '../../server/log/index-gate.ts';
import { Watcher } from '../../server/query/watcher.ts';
import { Replica } from '../../server/replica.ts';
import { keyTopic } from '../../server/state/topic-names.ts';
import { entriesOf } from '../support/experiments/commands.ts';
import { kvCommand } from '../support/experiments/proposals.ts';
import { stateHash } from '../support/experiments/state-hash.ts';
import { FakeClock } from '../support/fakes/fake-clock.ts';

function entries(...keys: string[]): Entry[] {
  const steps = keys.map((key) => ({
    command: kvCommand(key),
    ms: 1,
    jump: false,
    counter: undefined,
  }));
  return entriesOf(steps);
}

function start() {
  const watcher = new Watcher();
  const fatal: unknown[] = [];
  const applied = new IndexGate(new FakeClock());
  const replica = new Replica({ watcher, applied, onFatal: (error) => fatal.push(error) });
  return { watcher, applied, replica, fatal };
}

describe('a replica', () => {
  it('tells the outcome of each entry, in order, before anyone is woken', () => {
    const { replica, watcher } = start();
    const seen: string[] = [];
    replica.onApplied((entry) => seen.push(entry.id));
    watcher.watch([keyTopic('a')], () => seen.push('woken'));
    replica.apply(entries('a', 'b', 'a'));
    assert.deepEqual(seen, ['boot/0', 'boot/1', 'boot/2', 'woken']);
  });

  it('says how far it is once an entry is applied, and after a restore', async () => {
    const { replica, applied } = start();
    const log = entries('a', 'b', 'c');
    replica.apply(log.slice(0, 1));
    const snapshot = replica.snapshot();
    replica.apply(log.slice(1));
    assert.equal(applied.index, 3);
    await replica.restore(snapshot);
    assert.equal(applied.index, 1);
  });

  it('begins anew without a snapshot, and is then fed another history from its first entry on', async () => {
    const { replica, applied, fatal } = start();
    replica.apply(entries('a', 'b', 'c'));
    await replica.restore();
    assert.equal(applied.index, 0);
    replica.apply(entries('x'));
    assert.equal(replica.state.index, 1);
    assert.deepEqual(fatal, []);
  });

  it('shows what was before until all that is known after a snapshot is applied', async () => {
    const { replica, watcher } = start();
    const log = entries('a', 'b', 'c');
    replica.apply(log);
    let woken = 0;
    watcher.watch([keyTopic('a')], () => woken++);
    const rest = async function* () {
      for (const entry of log) {
        assert.deepEqual([replica.state.index, woken], [3, 0]);
        yield [entry];
      }
    };
    await replica.restore(undefined, rest());
    assert.deepEqual([replica.state.index, woken], [3, 1]);
  });

  it('lets no old answer stand when it tells of a restore', async () => {
    const { replica, watcher } = start();
    const seen: string[] = [];
    watcher.watch([keyTopic('a')], () => seen.push('invalid'));
    replica.onRestored(() => seen.push('released'));
    await replica.restore(replica.snapshot());
    assert.deepEqual(seen, ['invalid', 'released']);
  });

  it('ends the process at a gap, for going on would be wrong for ever', () => {
    const { replica, fatal } = start();
    const [first, , third] = entries('a', 'b', 'c') as [Entry, Entry, Entry];
    assert.throws(() => replica.apply([first, third]), /does not follow/);
    assert.equal(fatal.length, 1);
  });

  it('ends the process at a command that a newer server wrote', () => {
    const { replica, fatal } = start();
    const [first] = entries('a') as [Entry];
    const unknown = { ...first, command: { type: 'teleport' } } as unknown as Entry;
    assert.throws(() => replica.apply([unknown]), /unknown command/);
    assert.equal(fatal.length, 1);
  });

  it('goes on from a snapshot as the one that it was taken from', async () => {
    const { replica } = start();
    const log = entries('a', 'b', 'c');
    replica.apply(log.slice(0, 2));
    const snapshot = replica.snapshot();
    const { replica: other, watcher } = start();
    let woken = 0;
    watcher.watch([keyTopic('a')], () => woken++);
    await other.restore(snapshot);
    assert.equal(woken, 1);
    for (const each of [replica, other]) each.apply(log.slice(2));
    assert.equal(stateHash(other.state), stateHash(replica.state));
  });

  it('takes a snapshot that later entries do not reach', () => {
    const { replica } = start();
    const log = entries('a', 'b');
    replica.apply(log.slice(0, 1));
    const { lines } = replica.snapshot();
    replica.apply(log.slice(1));
    assert.equal(
      [...(lines as Iterable<string>)].some((line) => line.includes('"Key":"b"')),
      false,
    );
  });

  it('keeps its state when a snapshot has no end', async () => {
    const { replica } = start();
    replica.apply(entries('a'));
    const { position, lines } = replica.snapshot();
    const cut = [...(lines as Iterable<string>)].slice(0, -1);
    await assert.rejects(replica.restore({ position, lines: cut }), /has no end/);
    assert.equal(replica.state.index, 1);
  });
});
