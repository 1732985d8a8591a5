import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BallotFile, NO_BALLOT } from '../../../../../server/log/redis/repair/ballot-file.ts';

describe('BallotFile', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'proconsul-ballot-'));
  });
  afterEach(async () => await rm(folder, { recursive: true }));

  it('keeps a ballot over a restart, and nothing else in its folder', async () => {
    const file = new BallotFile(join(folder, 'data'));
    assert.deepEqual(await file.load(), NO_BALLOT);
    await file.save({ run: 'ab12', epoch: 7, elsewhere: 6, start: 0 });
    await file.save({ run: 'cd34', epoch: 9, elsewhere: 7, start: 1_048_577 });
    const again = new BallotFile(join(folder, 'data'));
    assert.deepEqual(await again.load(), { run: 'cd34', epoch: 9, elsewhere: 7, start: 1_048_577 });
    assert.deepEqual(await readdir(join(folder, 'data')), ['redis-ballot.json']);
  });

  it('reads what was written before there was a start', async () => {
    const old = '{"run":"ab12","epoch":7,"elsewhere":6}\n';
    await writeFile(join(folder, 'redis-ballot.json'), old);
    const ballot = { run: 'ab12', epoch: 7, elsewhere: 6, start: 0 };
    assert.deepEqual(await new BallotFile(folder).load(), ballot);
  });

  it('promises nothing where the disk does not take it, and says so as any log does', async () => {
    await writeFile(join(folder, 'file'), '');
    const file = new BallotFile(join(folder, 'file', 'data'));
    await assert.rejects(file.save({ run: 'ab12', epoch: 7, elsewhere: 6, start: 0 }), {
      code: 'unavailable',
    });
  });

  it('refuses a damaged one by name: none would be as good as broken', async () => {
    await writeFile(join(folder, 'redis-ballot.json'), '{"run":"ab');
    await assert.rejects(new BallotFile(folder).load(), /redis-ballot\.json is damaged/);
  });
});
