/** An agent without a server tells clients of xDS what its servers know, as Consul's agents do. */
import assert from 'node:assert/strict';
import { status } from '@grpc/grpc-js';
import { AgentProcesses } from '../support/servers/agent-processes.ts';
import { freePort } from '../support/servers/free-ports.ts';
import { EDS, endpointsIn, XdsClient } from '../support/servers/xds-clients.ts';
import { until } from '../support/until.ts';

/** Processes of their own, on a machine that may be busy. */
const PATIENCE_MS = 60_000;

describe('xDS at an agent without a server', function () {
  this.timeout(4 * PATIENCE_MS);

  it('tells nothing before it knows one, and goes on with what it told when that is away', async () => {
    const processes = await AgentProcesses.create();
    try {
      const grpc = await freePort();
      const server = await processes.server();
      const agent = await processes.agent('n1', server, { ports: { grpc } });
      const open = () => {
        const stream = new XdsClient(grpc).stream(EDS, 'StreamEndpoints');
        stream.subscribe(['web']);
        return stream;
      };
      await agent.start();
      const early = open();
      assert.equal(await early.ended(), status.UNAVAILABLE, early.details);
      await server.start();
      const register = (Port: number) =>
        agent.put('/v1/agent/service/register', { Name: 'web', Address: '127.0.0.1', Port });
      await until(async () => (await register(1)) === 200, undefined, PATIENCE_MS);
      // Until it has joined, streams end at once.
      let stream = open();
      await until(
        () => {
          if (stream.code !== undefined) stream = open();
          return stream.told.at(-1)?.resources[0]?.endpoints.length === 1;
        },
        () => JSON.stringify([stream.code, stream.details, stream.told]),
        PATIENCE_MS,
      );
      const last = () => endpointsIn(stream.told.at(-1)?.resources[0]);
      assert.deepEqual(last(), ['0  127.0.0.1:1 HEALTHY 1']);
      await server.kill();
      await register(2);
      await server.start();
      await until(
        () => last()[0] === '0  127.0.0.1:2 HEALTHY 1',
        () => JSON.stringify([stream.code, stream.details, stream.told]),
        PATIENCE_MS,
      );
      // Meanwhile nobody was told that there is nothing.
      const told = stream.told.flatMap(({ resources }) => resources);
      assert.ok(told.slice(1).every(({ endpoints }) => endpoints.length === 1));
      // Of what has a name that stands in no path there is nothing, and nobody waits for more.
      const odd = new XdsClient(grpc).stream(EDS, 'StreamEndpoints');
      odd.subscribe(['x@..']);
      await until(
        () => odd.told.length > 0,
        () => JSON.stringify([odd.code, odd.details]),
        PATIENCE_MS,
      );
      assert.deepEqual(endpointsIn(odd.told[0]?.resources[0]), []);
    } finally {
      await processes.end();
    }
  });
});
