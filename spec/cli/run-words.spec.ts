import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { join } from 'node:path';

const TOP = join(import.meta.dirname, '..', '..');
/** Takes nothing, as a disk that is full. */
const FULL = '/dev/full';

describe('a command whose output finds no room', () => {
  it('says so, and fails', function () {
    if (!existsSync(FULL)) this.skip();
    const full = openSync(FULL, 'w');
    const { status, stderr } = spawnSync(
      process.execPath,
      ['--import', 'tsx', 'cli/main.ts', 'version'],
      { cwd: TOP, stdio: ['ignore', full, 'pipe'], encoding: 'utf8' },
    );
    closeSync(full);
    assert.match(stderr, /^Error writing the output: ENOSPC/);
    assert.equal(status, 1);
  }).timeout(30_000);
});

describe('a command whose standard input cannot be read', () => {
  for (const [what, path, mode, why] of [
    ['a folder', '.', 'r', 'is a directory'],
    ['open for writing alone, as nohup leaves it', '/dev/null', 'w', 'bad file descriptor'],
  ] as const) {
    it(`says so, and writes nothing: ${what}`, () => {
      const input = openSync(path, mode);
      const words = [
        '--import',
        'tsx',
        'cli/main.ts',
        'kv',
        'put',
        '-http-addr=127.0.0.1:1',
        'a',
        '-',
      ];
      const { status, stderr } = spawnSync(process.execPath, words, {
        cwd: TOP,
        stdio: [input, 'ignore', 'pipe'],
        encoding: 'utf8',
      });
      closeSync(input);
      assert.equal(stderr, `Error! Failed to read stdin: read: ${why}\n`);
      assert.equal(status, 1);
    }).timeout(30_000);
  }
});
