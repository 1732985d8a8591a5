import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LoggerFile, type LoggerFileOptions } from '../../lib/log-file.ts';
import { FakeClock } from '../support/fakes/fake-clock.ts';

const folders: string[] = [];

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

async function setUp(options: Partial<LoggerFileOptions> = {}, name = 'x.txt') {
  const folder = await mkdtemp(join(tmpdir(), 'log-file-'));
  folders.push(folder);
  const clock = new FakeClock();
  const path = join(folder, name) + (name.endsWith('/') ? '/' : '');
  const rest = { maxBytes: 0, maxAgeMs: 0, maxFiles: 0, clock };
  const file = await LoggerFile.open({ path, ...rest, ...options });
  const write = (line: string) =>
    new Promise<void>((resolve) => void file.write(line, () => resolve()));
  const close = () => new Promise<void>((resolve) => void file.end(resolve));
  return { folder, clock, write, close };
}

describe('LogFile', () => {
  it('is named with the time, and not for everybody to read', async () => {
    const { folder, clock, write, close } = await setUp();
    await write('a\n');
    await close();
    assert.deepEqual(await readdir(folder), [`x-${clock.now()}000000.txt`]);
    const path = join(folder, `x-${clock.now()}000000.txt`);
    assert.equal(await readFile(path, 'utf8'), 'a\n');
    assert.equal((await stat(path)).mode & 0o027, 0);
  });

  it('gets a name of its own in a folder', async () => {
    const { folder, close } = await setUp({}, 'logs/');
    await close();
    assert.match((await readdir(join(folder, 'logs'))).join(), /^proconsul-\d+\.log$/);
  });

  it('begins anew when it is full, and keeps as many older ones as it may', async () => {
    const { folder, clock, write, close } = await setUp({ maxBytes: 4, maxFiles: 2 });
    await writeFile(join(folder, 'x-other.txt'), 'not a piece');
    for (const line of ['aaaa', 'bb', 'bb', 'cccc', 'dddd']) {
      await clock.advance(1);
      await write(line);
    }
    await close();
    const names = (await readdir(folder)).filter((name) => name !== 'x-other.txt').sort();
    const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
    assert.deepEqual(texts, ['bbbb', 'cccc', 'dddd']);
  });

  it('begins anew when it is old, and keeps none but itself with -1', async () => {
    const { folder, clock, write, close } = await setUp({ maxAgeMs: 1000, maxFiles: -1 });
    await write('a');
    await clock.advance(1000);
    await write('b');
    await close();
    assert.deepEqual(await readdir(folder), [`x-${clock.now()}000000.txt`]);
  });

  it('says which file cannot be written', async () => {
    const { folder, close } = await setUp();
    await close();
    await writeFile(join(folder, 'file'), '');
    const path = join(folder, 'file', 'x.log');
    const options = { path, maxBytes: 0, maxAgeMs: 0, maxFiles: 0, clock: new FakeClock() };
    await assert.rejects(LoggerFile.open(options), {
      message: `log_file ${path} cannot be written`,
    });
  });
});
