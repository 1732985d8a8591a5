import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '../../../../lib/logger.ts';
import { FileLog } from '../../../../server/log/file/file-log.ts';
import { describeEventLog } from '../../../contract/event-log.contract.ts';
import { proposal } from '../../../support/experiments/proposals.ts';
import { FakeClock } from '../../../support/fakes/fake-clock.ts';
import { RecordingSink } from '../../../support/fakes/recording-sink.ts';

const fail = (error: Error) => {
  throw error;
};

describeEventLog('FileLog', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'file-log-'));
  return {
    open: (clock) => new FileLog({ folder, clock, logger: silentLogger, onFatal: fail }),
    dispose: () => rm(folder, { recursive: true }),
  };
});

describeEventLog('FileLog with small segments', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'file-log-'));
  const disk = { limits: { segmentBytes: 2000, allocateBytes: 512 } };
  return {
    open: (clock) => new FileLog({ folder, clock, logger: silentLogger, onFatal: fail, disk }),
    dispose: () => rm(folder, { recursive: true }),
  };
});

describe('FileLog.saveSnapshot', () => {
  it('gives way to other work after each quarter of a megabyte', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'file-log-'));
    const clock = new FakeClock();
    const log = new FileLog({ folder, clock, logger: silentLogger, onFatal: fail });
    const sink = new RecordingSink();
    await log.start(sink);
    await log.append([proposal('a')]);
    let turns = 0;
    let seen = 0;
    let between = 0;
    const count = () => {
      turns++;
      timer = setImmediate(count);
    };
    let timer = setImmediate(count);
    function* lines() {
      for (let i = 0; i < 40_000; i++) {
        // The most lines that were taken in one turn of the event loop.
        if (turns === seen) between++;
        else between = 0;
        seen = turns;
        assert(between <= 3000, 'too much at once');
        yield 'x'.repeat(100);
      }
    }
    try {
      await log.saveSnapshot({ position: sink.position, lines: lines() });
    } finally {
      clearImmediate(timer);
      await log.stop();
      await rm(folder, { recursive: true });
    }
  });
});
