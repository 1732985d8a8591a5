/**
 * Kills a process that writes to the file log, again and again, and looks whether anything that was
 * acknowledged is missing. Usage: node --import tsx spec/system/file-log-crash.system.ts [rounds]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CrashRounds } from '../support/experiments/crash-rounds.ts';

const MAX_MS = 600_000;

const count = Number(process.argv[2] ?? 200);
const folder = await mkdtemp(join(tmpdir(), 'file-log-crash-'));
const rounds = new CrashRounds(folder);
const deadline = performance.now() + MAX_MS;
let done = 0;
while (done < count && performance.now() < deadline) {
  await rounds.killOne();
  done++;
}
await rm(folder, { recursive: true });
process.stdout.write(`${done} of ${count} crashes, ${rounds.acknowledged} writes, none lost\n`);
