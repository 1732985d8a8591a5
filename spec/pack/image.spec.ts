import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { bundle } from '../../pack/bundle.ts';

const DOCKERFILE = readFileSync('Dockerfile', 'utf8');
const IGNORED = readFileSync('.dockerignore', 'utf8').trim().split('\n');

/** What is copied of this checkout; a stage's copies of another stage are not. */
const copied = [...DOCKERFILE.matchAll(/^COPY (?!--)(.*) \S+$/gm)].flatMap(([, paths = '']) =>
  paths.split(' '),
);

describe('the image', () => {
  it('is built of files that are there, and are given to who builds it', () => {
    const [all, ...kept] = IGNORED;
    assert.equal(all, '*');
    for (const path of copied) {
      assert.ok(existsSync(path), path);
      assert.ok(kept.includes(`!${path.split('/')[0]}`), `.dockerignore leaves out ${path}`);
    }
  });

  it('is built of what is copied, and of nothing else', function () {
    this.timeout(180_000);
    const folder = mkdtempSync(join(tmpdir(), 'image-'));
    try {
      for (const path of copied) cpSync(path, join(folder, path), { recursive: true });
      symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
      execFileSync('npm', ['run', 'build'], { cwd: folder, stdio: 'pipe' });
      assert.ok(existsSync(join(folder, 'dist/LICENSES.txt')));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('has all that the bundles are made of', async function () {
    this.timeout(180_000);
    const { first, large } = await bundle('dist', false);
    const folders = [first, large].flatMap(({ inputs }) =>
      Object.keys(inputs).map((path) => path.split('/')[0] ?? ''),
    );
    const ours = new Set(folders.filter((folder) => existsSync(folder)));
    ours.delete('node_modules');
    assert.ok(ours.size > 3);
    ours.add('web');
    const program = readFileSync('bin/proconsul', 'utf8');
    for (const folder of ours) {
      assert.ok(copied.includes(folder), folder);
      assert.ok(
        program.includes(`"$top/${folder}"`),
        `bin/proconsul builds not anew for ${folder}`,
      );
    }
  });
});
