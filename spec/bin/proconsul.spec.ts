import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

describe('bin/proconsul', () => {
  let top = '';
  beforeEach(() => {
    top = join(mkdtempSync(join(tmpdir(), 'bin-')), 'a checkout');
    mkdirSync(join(top, 'bin'), { recursive: true });
    mkdirSync(join(top, 'server'));
    copyFileSync('bin/proconsul', join(top, 'bin/proconsul'));
  });
  afterEach(() => rmSync(join(top, '..'), { recursive: true }));

  function run(path: string) {
    const { status, stderr } = spawnSync('/bin/sh', [join(top, 'bin/proconsul')], {
      env: { PATH: path },
      encoding: 'utf8',
    });
    return [status, stderr];
  }

  it('says that there is no Node', () => {
    const bin = join(top, 'tools');
    mkdirSync(bin);
    writeFileSync(join(bin, 'readlink'), '#!/bin/sh\necho "$2"\n', { mode: 0o755 });
    const says = 'proconsul: needs Node 20 or newer, and there is no node in the PATH\n';
    assert.deepEqual(run(bin), [1, says]);
  });

  it('says that Node is too old, before it installs anything', () => {
    const bin = join(top, 'tools');
    mkdirSync(bin);
    const node = '#!/bin/sh\nif [ "$1" = -p ]; then echo false; else echo v18.0.0; fi\n';
    writeFileSync(join(bin, 'node'), node, { mode: 0o755 });
    const says = `proconsul: needs Node 20 or newer; ${bin}/node is v18.0.0\n`;
    assert.deepEqual(run(`${bin}:/usr/bin:/bin`), [1, says]);
    // Root may write everywhere; for others it is not to be hidden by what they may not do.
    chmodSync(top, 0o555);
    assert.deepEqual(run(`${bin}:/usr/bin:/bin`), [1, says]);
    chmodSync(top, 0o755);
  });

  /** Installed, with a Node that shows what it was given. */
  function started(line: string, env: Readonly<Record<string, string>> = {}) {
    rmSync(join(top, 'server'), { recursive: true });
    const bin = join(top, 'tools');
    mkdirSync(bin);
    const node = '#!/bin/sh\ncat && echo "trusts: $NODE_EXTRA_CA_CERTS"\n';
    writeFileSync(join(bin, 'node'), node, { mode: 0o755 });
    return spawnSync('/bin/sh', ['-c', `sh bin/proconsul kv put a - ${line}`], {
      cwd: top,
      env: { PATH: `${bin}:/usr/bin:/bin`, ...env },
      encoding: 'utf8',
      input: 'said',
    });
  }

  it('has a standard input that is closed fail, and not be empty', () => {
    const { status, stdout } = started('<&-');
    assert.deepEqual([status, stdout], [1, '']);
  });

  it('hands on what is piped into it', () => {
    const { status, stdout } = started('');
    assert.equal(status, 0);
    assert.match(stdout, /^saidtrusts: /);
  });

  for (const [name, mine] of [
    ['SSL_CERT_FILE', ''],
    ['NODE_EXTRA_CA_CERTS', '/mine.pem'],
  ] as const) {
    it(`trusts what ${name} says`, () => {
      const file = join(top, 'authorities.pem');
      writeFileSync(file, '');
      const { stdout } = started('', { SSL_CERT_FILE: file, ...(mine && { [name]: mine }) });
      assert.equal(stdout, `saidtrusts: ${mine || file}\n`);
    });
  }
});
