import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodeJson } from '../../lib/json.ts';
import { silentLogger } from '../../lib/logger.ts';
import type { Entry } from '../../server/commands.ts';
import { FileLog } from '../../server/log/file/file-log.ts';
import { proposal } from '../support/experiments/proposals.ts';
import { FakeClock } from '../support/fakes/fake-clock.ts';
import { RecordingSink } from '../support/fakes/recording-sink.ts';

/**
 * One folder for each format that a released version has written, with what it holds. A format that
 * changes gets a folder of its own; these are never written again.
 */
const FORMATS = ['file-log-1'];

interface Expected {
  readonly snapshot: { readonly index: number; readonly lines: readonly string[] };
  readonly entries: readonly Entry[];
}

async function start(folder: string) {
  const onFatal = (error: Error) => assert.fail(error);
  const clock = new FakeClock();
  const log = new FileLog({ folder, clock, logger: silentLogger, onFatal });
  const sink = new RecordingSink();
  await log.start(sink);
  return { log, sink };
}

describe('the files of an earlier version', () => {
  for (const format of FORMATS) {
    it(`are read and written on: ${format}`, async () => {
      const data = fileURLToPath(new URL(`data/${format}`, import.meta.url));
      const text = await readFile(join(data, 'expected.json'), 'utf8');
      const { snapshot, entries } = decodeJson(text) as Expected;
      const folder = await mkdtemp(join(tmpdir(), 'file-log-format-'));
      try {
        await cp(data, folder, { recursive: true });
        const { log, sink } = await start(folder);
        assert.equal(sink.restored?.position.index, snapshot.index);
        assert.deepEqual(sink.restored?.lines, snapshot.lines);
        // How large an entry was to read is no part of it.
        const read = sink.entries.map(({ size: _, ...entry }) => entry);
        assert.deepEqual(read, entries);
        await log.append([proposal('new')]);
        await log.stop();

        const again = await start(folder);
        assert.deepEqual(again.sink.ids, [...entries.map(({ id }) => id), 'new']);
        await again.log.stop();
      } finally {
        await rm(folder, { recursive: true });
      }
    });
  }
});
