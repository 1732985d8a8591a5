import assert from 'node:assert/strict';
import { getEventListeners, once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DockerConnection } from '../../../../agent/containers/runtimes/docker-connection.ts';
import { optionsOf } from '../../../support/servers/containers.ts';
import { until } from '../../../support/until.ts';

const QUESTIONS = 5;

/** What Node 20 keeps of each signal that AbortSignal.any makes of this one, for as long as this one lives. */
function madeOf(signal: AbortSignal): number {
  const symbol = Object.getOwnPropertySymbols(signal).find(
    ({ description }) => description === 'kDependantSignals',
  );
  const held = symbol && (signal as unknown as Record<symbol, Set<unknown> | null>)[symbol];
  return held?.size ?? 0;
}

describe('a connection to a Docker daemon', () => {
  it('leaves nothing to the signal that it is asked under, which lives as long as the agent', async () => {
    const daemon = createServer((_, response) => response.end('[]'));
    daemon.listen({ port: 0, host: '127.0.0.1' });
    await once(daemon, 'listening');
    const { port } = daemon.address() as AddressInfo;
    const connection = new DockerConnection(optionsOf({ endpoint: `tcp://127.0.0.1:${port}` }));
    const { signal } = new AbortController();
    try {
      for (let i = 0; i < QUESTIONS; i++) {
        await connection.ask({ method: 'GET', path: '/containers/json', signal });
        const stream = await connection.stream({ method: 'GET', path: '/events', signal });
        stream.resume();
      }
      await until(() => getEventListeners(signal, 'abort').length === 0);
      assert.equal(madeOf(signal), 0);
    } finally {
      daemon.close();
    }
  });
});
