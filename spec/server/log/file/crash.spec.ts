import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CrashRounds } from '../../../support/experiments/crash-rounds.ts';

const ROUNDS = 5;

describe('a process that writes to the file log and is killed', () => {
  it(`leaves every acknowledged write behind, ${ROUNDS} times in a row`, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'file-log-crash-'));
    try {
      const rounds = new CrashRounds(folder);
      for (let round = 0; round < ROUNDS; round++) await rounds.killOne();
    } finally {
      await rm(folder, { recursive: true });
    }
  }).timeout(60_000);
});
