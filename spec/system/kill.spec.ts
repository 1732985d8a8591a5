import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KillRounds } from '../support/experiments/kill-rounds.ts';
import { startProconsul } from '../support/servers/proconsul.ts';
import { send } from '../support/servers/start-server.ts';

const ROUNDS = 3;
/** The first start may build, and the machine may be busy. */
const TIMEOUT_MS = 180_000;

describe('bin/proconsul agent -server -bootstrap', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kill-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it(`loses no acknowledged write in ${ROUNDS} kills under load, and no index goes back`, async () => {
    const rounds = await KillRounds.on(folder);
    for (let i = 0; i < ROUNDS; i++) await rounds.killOne();
    await rounds.finish();
    assert(rounds.writes > 0);
  }).timeout(TIMEOUT_MS);

  it('answers open blocking queries on SIGTERM, and ends with 0', async () => {
    const server = await startProconsul(['-server', '-bootstrap', `-data-dir=${folder}`]);
    await send(server.port, 'PUT', '/v1/kv/k', { body: 'x' });
    const { index } = await send(server.port, 'GET', '/v1/kv/k', {});
    const waiting = [`/v1/kv/k?index=${index}`, '/v1/event/list?index=1'].map((path) =>
      send(server.port, 'GET', path, {}),
    );
    // A second of each, on connections opened later: when they are answered, the first ones wait.
    await send(server.port, 'GET', `/v1/kv/k?index=${index}&wait=100ms`, {});
    server.signal('SIGTERM');
    for (const { status } of await Promise.all(waiting)) assert.equal(status, 200);
    assert.equal(await server.ended, 0, server.output);
  }).timeout(TIMEOUT_MS);
});
