import assert from 'node:assert/strict';
import { AuditFile } from '../../../lib/audit/audit-file.ts';
import { RecordingLogger } from '../../support/fakes/recording-logger.ts';
import { until } from '../../support/until.ts';

/** A disk that is full, or stands still, when it is told to. */
class Disk {
  readonly written: string[] = [];
  batches = 0;
  isFull = false;
  #held: Promise<void> | undefined;

  async append(lines: readonly Buffer[]): Promise<void> {
    this.batches++;
    await this.#held;
    if (this.isFull) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
    this.written.push(...lines.map(String));
  }

  async close(): Promise<void> {
    this.written.push('closed');
  }

  hold(): () => void {
    let release: () => void = () => undefined;
    this.#held = new Promise((resolve) => {
      release = resolve;
    });
    return release;
  }
}

function start() {
  const disk = new Disk();
  const logger = new RecordingLogger();
  return { disk, logger, file: new AuditFile(disk, { name: 'My sink', logger }) };
}

describe('a sink of the audit log', () => {
  it('writes together what came in one turn, in order, and all of it before it ends', async () => {
    const { disk, file } = start();
    const lines = Array.from({ length: 1000 }, (_, n) => `${n}\n`);
    for (const line of lines) file.write(line);
    await file.stop();
    assert.deepEqual(disk.written, [...lines, 'closed']);
    assert.equal(disk.batches, 2);
  });

  it('says once that the disk is full, and what is missing when it is not any more', async () => {
    const { disk, file, logger } = start();
    disk.isFull = true;
    for (let n = 0; n < 3; n++) {
      file.write(`lost ${n}\n`);
      await until(() => disk.batches === n + 1);
    }
    assert.deepEqual(logger.lines, [
      'error audit: sink "My sink" cannot be written, and requests go on without: no space left',
    ]);
    disk.isFull = false;
    file.write('a\n');
    await until(() => disk.written.length === 1);
    assert.deepEqual(logger.lines.slice(1), [
      'warn audit: sink "My sink" is written again, and lacks 3 events',
    ]);
    await file.stop();
    assert.deepEqual(disk.written, ['a\n', 'closed']);
  });

  it('fills no memory while the disk stands still', async () => {
    const { disk, file, logger } = start();
    const release = disk.hold();
    const line = `${'x'.repeat(1024 * 1024 - 1)}\n`;
    for (let n = 0; n < 40; n++) file.write(line);
    assert.match(logger.lines.join(), /^error audit: .*: the disk is slower than requests come$/);
    release();
    await file.stop();
    assert.equal(disk.written.length, 16 + 1);
    assert.match(logger.lines[1] ?? '', /lacks 24 events/);
  });
});
