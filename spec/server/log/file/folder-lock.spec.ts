import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lockFolder, type Unlock } from '../../../../server/log/file/folder-lock.ts';
import { type Child, startChild } from '../../../support/servers/child.ts';
import { until } from '../../../support/until.ts';

const ROUNDS = 20;
const CONTENDERS = 12;
/** A child needs seconds to start on a busy machine. */
const CHILD_TIMEOUT_MS = 40_000;

describe('lockFolder', () => {
  let folder: string;
  let held: Unlock[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'folder-lock-'));
  });
  afterEach(async () => {
    for (const unlock of held) await unlock();
    held = [];
    await rm(folder, { recursive: true });
  });

  const lock = async (path = folder) => {
    const unlock = await lockFolder(path);
    held.push(unlock);
    return unlock;
  };
  const holder = async (): Promise<Child> => {
    const child = startChild(
      new URL('../../../support/experiments/lock-holder.ts', import.meta.url),
      { args: [folder] },
    );
    await until(
      () => child.lines.length > 0,
      () => 'a child that says nothing',
      CHILD_TIMEOUT_MS / 2,
    );
    return child;
  };
  const refused = (pid: number) => {
    const message = new RegExp(`is used by another process \\(pid ${pid} on [^,]+, since 20`);
    return assert.rejects(lockFolder(folder), { code: 'unavailable', message });
  };

  it('lets one in, and the next one when that has left', async () => {
    const unlock = await lock();
    await refused(process.pid);
    await refused(process.pid);
    await unlock();
    await unlock();
    await lock();
    await refused(process.pid);
  });

  it('lets exactly one of many in, again and again', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const all = Array.from({ length: CONTENDERS }, () => lockFolder(folder));
      const won = (await Promise.allSettled(all)).filter((one) => one.status === 'fulfilled');
      assert.equal(won.length, 1);
      for (const { value: unlock } of won) await unlock();
    }
    const names = await readdir(folder);
    assert.deepEqual(names.sort(), [`lock-${ROUNDS}`, `lock-${ROUNDS}.owner`]);
  });

  it('works in a folder with a path that is too long for a socket', async () => {
    const deep = join(folder, 'a'.repeat(60), 'b'.repeat(60));
    await mkdir(deep, { recursive: true });
    const unlock = await lock(deep);
    await assert.rejects(lockFolder(deep), { code: 'unavailable' });
    await unlock();
    await lock(deep);
  });

  it('keeps others out while its process lives, even stopped, and not a moment longer', async () => {
    const child = await holder();
    assert.deepEqual(child.lines, ['locked']);
    await refused(child.pid);
    child.signal('SIGSTOP');
    await refused(child.pid);
    await child.kill();
    await lock();
  }).timeout(CHILD_TIMEOUT_MS);

  it('lets exactly one process in after a crash', async () => {
    await (await holder()).kill();
    const children = await Promise.all([holder(), holder(), holder(), holder()]);
    const said = children.flatMap(({ lines }) => lines).map((line) => line.split(':')[0]);
    assert.deepEqual(said.sort(), ['locked', 'refused', 'refused', 'refused']);
  }).timeout(CHILD_TIMEOUT_MS);
});
