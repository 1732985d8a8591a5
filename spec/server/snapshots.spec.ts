import assert from 'node:assert/strict';
import { ProconsulError } from '../../lib/errors.ts';
import { type Logger, silentLogger } from '../../lib/logger.ts';
import { type Snapshot, START } from '../../server/log/event-log.ts';
import { Snapshots } from '../../server/snapshots.ts';
import { settle } from '../support/fakes/fake-clock.ts';

const MB = 1024 * 1024;

function start(lines: readonly string[] = [], logger: Logger = silentLogger) {
  const saved: Snapshot[] = [];
  const state = { index: 0, full: false, busy: false };
  const snapshots = new Snapshots({
    save: async (snapshot) => {
      if (state.full) throw new Error('full');
      if (state.busy) throw new ProconsulError('busy', 'another server is writing a snapshot');
      for await (const _ of snapshot.lines);
      saved.push(snapshot);
    },
    take: () => ({ position: { ...START, index: state.index }, lines }),
    logger,
  });
  snapshots.begin(0);
  /** How many entries of the size are applied until a snapshot is due, and taken. */
  const untilDue = async (size: number) => {
    for (let count = 1; ; count++) {
      state.index++;
      if (!snapshots.isDueAfter({ index: state.index, size })) continue;
      snapshots.saveSoon();
      await settle();
      return count;
    }
  };
  return { state, saved, untilDue };
}

describe('a snapshot', () => {
  it('is due after so many entries', async () => {
    const { untilDue, saved } = start();
    assert.deepEqual([await untilDue(100), await untilDue(100)], [50_000, 50_000]);
    assert.equal(saved.length, 2);
  });

  it('is due sooner where they are large', async () => {
    const { untilDue } = start();
    assert.deepEqual([await untilDue(MB), await untilDue(MB)], [64, 64]);
  });

  it('of a large state is not due before as much was written anew', async () => {
    const { untilDue } = start(Array.from({ length: 100 }, () => 'x'.repeat(MB)));
    assert.deepEqual([await untilDue(MB), await untilDue(MB)], [64, 100]);
  });

  it('that could not be saved is due again before long, and not at once', async () => {
    const { untilDue, state } = start();
    state.full = true;
    assert.deepEqual([await untilDue(MB), await untilDue(MB)], [64, 32]);
  });

  it('that another server is writing is no error', async () => {
    const lines: string[] = [];
    const at = (level: string) => (line: string) => void lines.push(`${level} ${line}`);
    const logger = { error: at('ERROR'), warn: at('WARN'), info: at('INFO'), debug: at('DEBUG') };
    const { untilDue, state } = start([], logger);
    state.busy = true;
    await untilDue(MB);
    assert.match(lines.join('\n'), /^DEBUG server: no snapshot saved: another server is writing/);
    state.busy = false;
    state.full = true;
    await untilDue(MB);
    assert.match(lines.join('\n'), /\nERROR server: no snapshot saved: full$/);
  });
});
