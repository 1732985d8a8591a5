import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { HeldLock } from '../../cli/lock-session.ts';
import { SnapshotFolder } from '../../cli/snapshot-folder.ts';
import { SnapshotRounds } from '../../cli/snapshot-rounds.ts';
import { ProconsulError } from '../../lib/errors.ts';
import { FakeClock } from '../support/fakes/fake-clock.ts';
import { until } from '../support/until.ts';

const HOUR_MS = 3600_000;

describe('rounds of snapshots', () => {
  let path = '';
  const end = new Set<AbortController>();
  beforeEach(() => {
    path = mkdtempSync(join(tmpdir(), 'proconsul-rounds-'));
  });
  afterEach(() => {
    for (const each of end) each.abort();
    rmSync(path, { recursive: true });
  });

  const saved = () => readdirSync(path).filter((name) => name.endsWith('.snap'));

  function start(fails: () => boolean = () => false) {
    const clock = new FakeClock();
    const ending = new AbortController();
    end.add(ending);
    const said: string[] = [];
    const lost = new AbortController();
    const locks = { taken: 0, released: 0 };
    const lock = (): HeldLock => ({
      lost: lost.signal,
      acquire: async () => {
        locks.taken++;
        return true;
      },
      release: async () => {
        locks.released++;
        return false;
      },
    });
    const rounds = new SnapshotRounds({
      folder: new SnapshotFolder(path),
      save: async (file) => {
        if (fails()) throw new ProconsulError('unavailable', 'the server is away');
        writeFileSync(file, '');
        return 'index 7';
      },
      lock,
      clock,
      intervalMs: HOUR_MS,
      retain: 2,
      maxFailures: 3,
      say: (line) => void said.push(line),
      signal: ending.signal,
    });
    return { rounds, clock, said, lost, locks, ending, run: rounds.run() };
  }

  it('saves at once where there is none, then at each interval, and keeps the newest', async () => {
    writeFileSync(join(path, 'consul-notes.snap'), 'of somebody else');
    const { clock, said, ending, run } = start();
    await until(() => saved().length === 2);
    for (let more = 0; more < 3; more++) {
      await clock.untilArmed();
      await clock.advance(HOUR_MS);
      await until(() => said.filter((line) => line.startsWith('saved')).length === more + 2);
    }
    await until(() => said.filter((line) => line.startsWith('removed 1')).length === 2);
    assert.equal(saved().length, 3);
    assert.ok(saved().includes('consul-notes.snap'));
    ending.abort();
    await run;
    assert.equal(clock.armed, 0);
  });

  it('keeps what it saved beside archives of a time to come, and leaves a folder alone', async () => {
    const later = new FakeClock().now() + 1000 * HOUR_MS;
    const folder = new SnapshotFolder(path);
    for (const ms of [later, later + 1]) writeFileSync(folder.fileOf(ms), '');
    mkdirSync(folder.fileOf(1));
    const { clock, said } = start();
    for (let more = 1; more <= 3; more++) {
      await clock.untilArmed();
      await clock.advance(HOUR_MS);
      await until(() => said.filter((line) => line.startsWith('saved')).length === more);
    }
    await until(() => said.includes('removed 1 older than the newest 2'));
    assert.equal(saved().length, 2 + 2 + 1);
    assert.ok(saved().includes(basename(folder.fileOf(clock.now()))));
  });

  it('saves none where the newest is young, as after a restart', async () => {
    const young = new SnapshotFolder(path).fileOf(new FakeClock().now() - HOUR_MS / 2);
    writeFileSync(young, '');
    const { clock } = start();
    await clock.untilArmed();
    assert.equal(saved().length, 1);
    await clock.advance(HOUR_MS / 2);
    await until(() => saved().length === 2);
  });

  it('lets another have the lock after so many failures, and takes it again', async () => {
    const { clock, said, locks } = start(() => true);
    for (let more = 1; more <= 3; more++) {
      await until(() => said.at(-1)?.includes(`failure ${more} of 3`) === true || more === 3);
      await clock.untilArmed();
      await clock.advance(10_000);
    }
    await until(() => locks.taken === 2);
    assert.equal(locks.released, 1);
    assert.ok(said.includes('lets another have the lock'));
  });

  it('stops saving where the lock is lost', async () => {
    const { clock, said, lost, locks } = start();
    await until(() => saved().length === 1);
    await clock.untilArmed();
    lost.abort();
    await until(() => locks.released === 1);
    assert.ok(said.includes('lost the lock'));
  });
});
