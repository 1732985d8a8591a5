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
      const hung = (signal: AbortSignal) => ({
        send: () =>
          new Promise<never>((_, reject) =>
            signal.addEventListener('abort', () =>
              reject(new ProconsulError('unavailable', 'no answer')),
            ),
          ),
        stream: () => Promise.reject(new Error('not asked for')),
      });
      const catalog = catalogBy(hung, clock);
      const asked = { method: 'GET', path: '/v1/x', query: [['index', '7'], ...query] } as const;
      const answer = catalog.ask(asked, new AbortController().signal);
      const ended = assert.rejects(answer, /no answer/);
      await clock.advance(ms);
      await ended;
    });
  }
});
