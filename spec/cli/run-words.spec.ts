import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { startBackend } from '../support/servers/backends.ts';
import { freePorts } from '../support/servers/free-ports.ts';
import { whoAnswers } from '../support/servers/sidecars.ts';
import { send, startServer } from '../support/servers/start-server.ts';
import { until } from '../support/until.ts';

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

describe('a process on which others stand, whose output finds no room', () => {
  it('goes on: a sidecar carries its calls', async function () {
    if (!existsSync(FULL)) this.skip();
    const { port, put } = await startServer();
    const backend = await startBackend('a');
    await put('/v1/catalog/register', {
      Node: 'm',
      Address: '127.0.0.1',
      Service: { Service: 'web', Port: backend.port },
    });
    const [own = 0, admin = 0] = await freePorts(2);
    const full = openSync(FULL, 'w');
    const words = [
      ...['--import', 'tsx', 'cli/main.ts', 'connect', 'proxy', '-access-log'],
      ...[`-http-addr=127.0.0.1:${port}`, `-upstream=web:${own}`, `-admin=127.0.0.1:${admin}`],
    ];
    const child = spawn(process.execPath, words, { cwd: TOP, stdio: ['ignore', full, 'inherit'] });
    const ended = once(child, 'exit');
    try {
      const asked = (path: string) => send(admin, 'GET', path, {}).catch(() => undefined);
      await until(async () => (await asked('/ready'))?.status === 200);
      assert.equal(await whoAnswers(own), 'a');
      const lost = /access_lines_lost_total [1-9]/;
      await until(async () => lost.test((await asked('/metrics'))?.text ?? ''));
      assert.equal(await whoAnswers(own), 'a');
    } finally {
      child.kill('SIGTERM');
      closeSync(full);
    }
    assert.deepEqual(await ended, [0, null]);
  }).timeout(60_000);
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
