import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '../../../lib/logger.ts';
import { FileLog } from '../../../server/log/file-log.ts';
import { describeEventLog } from '../../contract/event-log.contract.ts';

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
  const limits = { segmentBytes: 2000, allocateBytes: 512 };
  return {
    open: (clock) => new FileLog({ folder, clock, logger: silentLogger, onFatal: fail, limits }),
    dispose: () => rm(folder, { recursive: true }),
  };
});
