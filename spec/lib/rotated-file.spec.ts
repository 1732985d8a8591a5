import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { RotatedFile, type RotatedFileOptions } from '../../lib/rotated-file.ts';
import { FakeClock } from '../support/fakes/fake-clock.ts';

const folders: string[] = [];

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

async function setUp(options: Partial<RotatedFileOptions> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'rotated-'));
  folders.push(folder);
  const file = await RotatedFile.open({ ...optionsIn(folder), ...options });
  const texts = async () => {
    const names = (await readdir(folder)).sort();
    return Promise.all(
      names.map(async (name) => [name, await readFile(join(folder, name), 'utf8')]),
    );
  };
  return { folder, file, texts };
}

const optionsIn = (folder: string): RotatedFileOptions => ({
  path: join(folder, 'audit.json'),
  maxBytes: 0,
  maxAgeMs: 0,
  maxFiles: 0,
  mode: 0o600,
  clock: new FakeClock(),
});

const lines = (...texts: readonly string[]) => texts.map((text) => Buffer.from(text));

describe('a file of lines', () => {
  it('is what it is called where nothing says when it is full or old, and goes on with what is there', async () => {
    const { folder, file, texts } = await setUp();
    await file.append(lines('a\n', 'b\n'));
    await file.close();
    const again = await RotatedFile.open(optionsIn(folder));
    await again.append(lines('c\n'));
    await again.close();
    assert.deepEqual(await texts(), [['audit.json', 'a\nb\nc\n']]);
    assert.equal((await stat(join(folder, 'audit.json'))).mode & 0o777, 0o600);
  });

  it('cuts what comes at once into as many pieces as it takes, between lines', async () => {
    let now = 1_000;
    const clock = { now: () => now++, monotonic: () => now, after: () => () => undefined };
    const { file, texts } = await setUp({ maxBytes: 4, clock });
    await file.append(lines('a\n', 'bb\n', 'cc\n', 'dddddd\n', 'e\n'));
    await file.close();
    assert.deepEqual(
      (await texts()).map(([, text]) => text),
      ['a\nbb\n', 'cc\ndddddd\n', 'e\n'],
    );
  });

  it('has no part of a line where the disk was full in the middle of it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'rotated-'));
    folders.push(folder);
    const path = join(folder, 'audit.json');
    const module = fileURLToPath(new URL('../../lib/rotated-file.ts', import.meta.url));
    const program = `
      import { RotatedFile } from ${JSON.stringify(module)};
      const clock = { now: () => 1 };
      const options = { path: ${JSON.stringify(path)}, maxBytes: 0, maxAgeMs: 0, maxFiles: 0, mode: 0o600, clock };
      const file = await RotatedFile.open(options);
      const line = (letter, length) => Buffer.from(letter.repeat(length - 1) + '\\n');
      await file.append([line('a', 600)]);
      const error = await file.append([line('b', 300), line('c', 300)]).catch(({ code }) => code);
      await file.append([line('d', 400)]);
      process.stdout.write(String(error));
    `;
    // No file may be longer than a KB: what would make it longer is written in part, and then refused.
    const limited = 'ulimit -f 1; exec "$0" --import tsx --input-type=module -e "$1"';
    const run = promisify(execFile);
    const { stdout } = await run('bash', ['-c', limited, process.execPath, program]);
    assert.equal(stdout, 'EFBIG');
    const text = await readFile(path, 'utf8');
    assert.deepEqual(
      text.split('\n').map((line) => `${line[0]}${line.length}`),
      ['a599', 'd399', 'undefined0'],
    );
  }).timeout(20_000);
});
