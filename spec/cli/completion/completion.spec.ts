import assert from 'node:assert/strict';
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { candidates } from '../../../cli/completion/candidates.ts';
import { install, uninstall } from '../../../cli/completion/install.ts';

describe('completion', () => {
  for (const [line, expected] of [
    ['proconsul ka', []],
    ['proconsul k', ['k8s-sync', 'keygen', 'keyring', 'kv']],
    ['consul  agen', ['agent']],
    ['proconsul kv ex', ['export']],
    ['proconsul kv get -s', ['-separator', '-stale']],
    ['proconsul kv get --sep', ['--separator']],
    ['proconsul agent -boot', ['-bootstrap', '-bootstrap-expect']],
    ['proconsul agent -dev -boot', ['-bootstrap', '-bootstrap-expect']],
    ['proconsul kv get a', []],
    ['proconsul kv nope -', []],
    ['proconsul constructor -', []],
    ['proconsul', []],
    ['', []],
  ] as const) {
    it(`offers after "${line}": ${expected.join(' ') || 'nothing'}`, async () => {
      assert.deepEqual(await candidates(line), expected);
    });
  }

  it('offers all commands after a space', async () => {
    const all = await candidates('proconsul ');
    assert.ok(all.includes('agent') && all.includes('watch') && all.length > 25);
  });
});

describe('-autocomplete-install', () => {
  let home = '';
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'home-'));
  });
  afterEach(() => rmSync(home, { recursive: true }));
  const bash = () => readFileSync(join(home, '.bashrc'), 'utf8');

  it('adds to what is there once, for the shells that are used, and takes out just that', () => {
    const before = 'alias ll="ls -l"';
    writeFileSync(join(home, '.bashrc'), before);
    assert.deepEqual(install(home, "/opt/it's/proconsul"), [join(home, '.bashrc')]);
    const first = bash();
    assert.ok(first.startsWith(`${before}\n#`));
    assert.match(first, /^complete -o nospace -C '\/opt\/it'\\''s\/proconsul' consul$/m);
    assert.deepEqual(install(home, "/opt/it's/proconsul"), []);
    assert.deepEqual(uninstall(home, 'any'), [join(home, '.bashrc')]);
    assert.equal(bash(), `${before}\n`);
    assert.deepEqual(uninstall(home, 'any'), []);
    assert.equal(existsSync(join(home, '.zshrc')), false);
  });

  it('gives fish files of their own, which go again', () => {
    mkdirSync(join(home, '.config/fish'), { recursive: true });
    writeFileSync(join(home, '.config/fish/fish_variables'), '');
    const files = install(home, '/bin/proconsul');
    assert.equal(files.length, 2);
    assert.deepEqual(uninstall(home, '/bin/proconsul'), files);
    assert.ok(files.every((file) => !existsSync(file)));
  });

  it('puts the whole of a new file in the place of the old one, with its rights, and follows a link', () => {
    const [file, old] = [join(home, 'dotfiles'), join(home, 'old')];
    writeFileSync(file, 'alias', { mode: 0o640 });
    linkSync(file, old);
    symlinkSync(file, join(home, '.bashrc'));
    install(home, '/bin/proconsul');
    // What stood there is as it was: a disk that is full would have taken a part of it.
    assert.equal(readFileSync(old, 'utf8'), 'alias');
    assert.ok(lstatSync(join(home, '.bashrc')).isSymbolicLink());
    assert.match(bash(), /^alias\n#/);
    assert.equal(statSync(file).mode & 0o777, 0o640);
    assert.deepEqual(readdirSync(home).sort(), ['.bashrc', 'dotfiles', 'old']);
  });

  it('says what it cannot write', () => {
    mkdirSync(join(home, '.bashrc'));
    assert.throws(() => install(home, '/bin/proconsul'), /cannot read .*\.bashrc: EISDIR/);
  });
});
