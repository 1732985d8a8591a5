/** Agents and servers whose machine was switched off: their sockets say nothing of it. */
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { createApiClient } from '../../cli/api-client.ts';
import { catalogBy } from '../../cli/k8s-ports.ts';
import { ProconsulError } from '../../lib/errors.ts';
import { FakeClock } from '../support/fakes/fake-clock.ts';
import { startServer } from '../support/servers/start-server.ts';

describe('an agent whose machine is switched off', () => {
  it('is probed after five seconds of silence, and so not waited for', async () => {
    const { port } = await startServer();
    const asked: unknown[] = [];
    const dial = (): Socket => {
      const socket = connect(port, '127.0.0.1');
      socket.setKeepAlive = (...how) => {
        asked.push(how);
        return socket;
      };
      return socket;
    };
    const target = { scheme: 'http', address: 'agent', headers: {}, connect: dial } as const;
    const client = createApiClient({ target, query: [], signal: new AbortController().signal });
    await client.send({ method: 'GET', path: '/v1/status/leader' });
    assert.deepEqual(asked, [[true, 5000]]);
  });

  for (const [what, query, ms] of [
    ['a question that waits, soon after its wait', [['wait', '1m']], 75_000],
    ['one that waits as long as a server likes', [], 330_000],
  ] as const) {
    it(`ends ${what}`, async () => {
      const clock = new FakeClock();
      const catalog = catalogBy(hung, clock);
      const asked = { method: 'GET', path: '/v1/x', query: [['index', '7'], ...query] } as const;
      const answer = catalog.ask(asked, new AbortController().signal);
      const ended = assert.rejects(answer, /no answer/);
      await clock.advance(ms);
      await ended;
    });
  }
});

function hung(signal: AbortSignal) {
  const send = () =>
    new Promise<never>((_, reject) =>
      signal.addEventListener('abort', () =>
        reject(new ProconsulError('unavailable', 'no answer')),
      ),
    );
  return { send, stream: () => Promise.reject(new Error('not asked for')) };
}

describe('what a sync asks of the catalog', () => {
  const { signal } = new AbortController();

  it('has ten seconds, and a minute where its answer may be large', async () => {
    const clock = new FakeClock();
    const catalog = catalogBy(hung, clock);
    const ended: string[] = [];
    const asked = { method: 'GET', path: '/v1/x' } as const;
    const small = catalog.ask(asked, signal).catch(() => ended.push('small'));
    const large = catalog.ask({ ...asked, maxBytes: 1 }, signal).catch(() => ended.push('large'));
    await clock.advance(10_000);
    await small;
    await clock.advance(49_000);
    assert.deepEqual(ended, ['small']);
    await clock.advance(1000);
    await large;
    assert.deepEqual(ended, ['small', 'large']);
  });

  it('has no answer without bound, whatever somebody wrote that is in it', async () => {
    const { port, put } = await startServer();
    for (let i = 0; i < 3; i++) await put(`/v1/kv/app/${i}`, 'x'.repeat(400_000));
    const target = { scheme: 'http', address: `127.0.0.1:${port}`, headers: {} } as const;
    const bounds: (number | undefined)[] = [];
    const client = (over: AbortSignal) => {
      const { send, ...others } = createApiClient({ target, query: [], signal: over });
      const sent: typeof send = (request) => {
        bounds.push(request.maxBytes);
        return send({ ...request, maxBytes: 1_000_000 });
      };
      return { ...others, send: sent };
    };
    const catalog = catalogBy(client, new FakeClock());
    const asked = { method: 'GET', path: '/v1/kv/app/', query: [['recurse', '']] } as const;
    await assert.rejects(catalog.ask(asked, signal), { code: 'too-large' });
    assert.deepEqual(bounds, [16 * 1024 * 1024]);
  });
});
