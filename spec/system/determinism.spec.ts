import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { SEED } from '../support/seed.ts';

const HISTORIES = '20';
/** Four processes start, which takes long on a machine that is busy. */
const TIMEOUT_MS = 60_000;

describe('the same log in processes of other time zones and locales', () => {
  it(`comes to the same state at every index (seed ${SEED})`, async () => {
    const command = ['--import', 'tsx', 'spec/system/determinism.system.ts'];
    const { stdout } = await promisify(execFile)(process.execPath, [
      ...command,
      HISTORIES,
      `${SEED}`,
    ]);
    assert.match(stdout, /all hashes alike/);
  }).timeout(TIMEOUT_MS);
});
