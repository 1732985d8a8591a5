/**
 * A process of its own that locks the folder of its first argument. Says 'locked' or 'refused: …',
 * and stays until it is ended.
 */
import { writeSync } from 'node:fs';
import { lockFolder } from '../../../server/log/file/folder-lock.ts';

const [, , folder = ''] = process.argv;
try {
  await lockFolder(folder);
  writeSync(1, 'locked\n');
} catch (error) {
  writeSync(1, `refused: ${String(error)}\n`);
}
process.stdin.resume();
