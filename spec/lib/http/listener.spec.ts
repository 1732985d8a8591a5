import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Listener } from '../../../lib/http/listener.ts';

let folder = '';
let listener: Listener | undefined;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'listener-'));
});

afterEach(async () => {
  await listener?.stop();
  listener = undefined;
  rmSync(folder, { recursive: true });
});

function listenAt(path: string): Listener {
  listener = new Listener({
    listener: (_, response) => void response.end('here'),
    at: { path },
    limits: { connectionsPerAddress: () => 0 },
  });
  return listener;
}

describe('a Listener at a socket', () => {
  it('takes the place of one that a killed process left behind', async () => {
    const path = join(folder, 'http.sock');
    const leave = `require('net').createServer().listen(${JSON.stringify(path)},
      () => process.kill(process.pid, 'SIGKILL'))`;
    assert.throws(() => execFileSync(process.execPath, ['-e', leave]));
    await listenAt(path).start();
    const status = await new Promise((resolve, reject) => {
      get({ socketPath: path }, (response) => resolve(response.resume().statusCode)).on(
        'error',
        reject,
      );
    });
    assert.equal(status, 200);
  });

  it('does not touch a file of another kind', async () => {
    const path = join(folder, 'precious');
    writeFileSync(path, 'data');
    await assert.rejects(listenAt(path).start(), { code: 'EADDRINUSE' });
    assert.equal(readFileSync(path, 'utf8'), 'data');
  });
});
