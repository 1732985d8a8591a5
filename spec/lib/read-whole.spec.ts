import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readWhole } from '../../lib/read-whole.ts';

describe('reading a file whole', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'read-whole-'));
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  it('takes what a file or a pipe holds', () => {
    const path = join(folder, 'file');
    for (const bytes of [Buffer.alloc(0), Buffer.alloc(3_000_000, 'x')]) {
      writeFileSync(path, bytes);
      assert.deepEqual(readWhole(path, 3_000_000), bytes);
    }
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    spawn('sh', ['-c', `printf abc > ${pipe}`]);
    assert.equal(readWhole(pipe, 10).toString(), 'abc');
  });

  it('refuses what has no end, or more than is of use, by its name', () => {
    assert.throws(() => readWhole('/dev/zero', 1e9), { message: '/dev/zero is no file' });
    assert.throws(() => readWhole(folder, 1e9), {
      message: /^(read .*: is a|.*EISDIR.*) directory/,
    });
    const path = join(folder, 'file');
    writeFileSync(path, 'abcdef');
    assert.throws(() => readWhole(path, 5), { message: `${path} has more than 5 bytes` });
    const none = join(folder, 'none');
    const message = `open ${none}: no such file or directory`;
    assert.throws(() => readWhole(none, 5), { code: 'ENOENT', message });
  });
});
