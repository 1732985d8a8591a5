/**
 * Lets the kernel fail one call of a process that writes to the file log: nothing is acknowledged
 * after, the process ends, and the next one finds all that was acknowledged. Needs strace.
 * Usage: node --import tsx spec/system/file-log-disk.system.ts
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CrashRounds } from '../support/experiments/crash-rounds.ts';

const CALLS = [
  'fdatasync:error=EIO',
  'pwrite64:error=ENOSPC',
  'pwrite64:error=EIO',
  'fsync:error=EIO',
];
const WHEN = [1, 2, 3, 4, 5, 8, 21, 55];

const folder = await mkdtemp(join(tmpdir(), 'file-log-disk-'));
const rounds = new CrashRounds(folder);
await rounds.killOne();
for (const call of CALLS) {
  for (const when of WHEN) {
    const inject = `inject=${call}:when=${when}`;
    const under = ['strace', '-f', '-qq', '-o', '/dev/null', '-e', inject];
    // strace counts for each thread: with one, the n-th call is the process's n-th.
    const lines = await rounds.failOne(
      { under, env: { UV_THREADPOOL_SIZE: '1' } },
      call.startsWith('pwrite'),
    );
    const failure = lines.find((line) => /^(fatal|refused)/.test(line)) ?? 'went on';
    const before = lines.filter((line) => line.startsWith('acknowledged')).length;
    process.stdout.write(`${inject}: ${failure} (after ${before} batches)\n`);
  }
}
await rounds.killOne();
await rm(folder, { recursive: true });
process.stdout.write(`${rounds.acknowledged} writes acknowledged, none lost\n`);
