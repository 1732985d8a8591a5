import assert from 'node:assert/strict';
import { startBackend } from '../support/servers/backends.ts';
import {
  agentAt,
  call,
  LIMITS,
  plain,
  startSidecar,
  untilRefused,
  whoAnswers,
} from '../support/servers/sidecars.ts';
import { startServer } from '../support/servers/start-server.ts';
import { until } from '../support/until.ts';

/** Before one instance. */
async function start() {
  const server = await startServer();
  const backend = await startBackend('a');
  await server.put('/v1/catalog/register', {
    Node: 'm',
    Address: '127.0.0.1',
    Service: { Service: 'web', Port: backend.port },
  });
  const sidecar = await startSidecar(agentAt(server.port).ask, [plain('web')]);
  await sidecar.untilHealthy(1);
  return { ...sidecar, backend };
}

describe('a listener of a sidecar that is to end', () => {
  it('ends when what is under way has, and cuts it after a time', async () => {
    const { port, sidecar, admin, clock } = await start();
    const [kind, rude] = [call(port), call(port)];
    await Promise.all([kind.said('a\n'), rude.said('a\n')]);
    let isOver = false;
    const stopped = sidecar.stop().then(() => {
      isOver = true;
    });
    await untilRefused(port);
    assert.deepEqual((await admin('/ready')).text, 'ending\n');
    kind.socket.write('more');
    await kind.said('more');
    kind.socket.end();
    await until(() => kind.state.closed);
    assert.equal(kind.state.error, '');
    await clock.advance(LIMITS.drainMs - 1);
    assert.deepEqual([isOver, rude.state.closed], [false, false]);
    await clock.advance(1);
    await stopped;
    await until(() => rude.state.closed);
    assert.equal(clock.armed, 0);
  });

  it('serves whoever is in line when it is told to end, or how a service is called changes', async () => {
    const { port, sidecar, clock } = await start();
    const inLine = async () => {
      const line = Array.from({ length: 12 }, () => whoAnswers(port));
      await new Promise((resolve) => process.nextTick(resolve));
      return line;
    };
    let line = await inLine();
    const at = { host: '127.0.0.1', port };
    assert.deepEqual(
      await sidecar.serve([{ ...plain('web', { policy: 'random' })(clock), at }]),
      [],
    );
    assert.deepEqual(new Set(await Promise.all(line)), new Set(['a']));
    line = await inLine();
    const stopped = sidecar.stop();
    assert.deepEqual(new Set(await Promise.all(line)), new Set(['a']));
    await stopped;
  });

  it('calls nobody for whoever has gone while he was in line', async () => {
    const { port, admin, backend } = await start();
    const taken = backend.taken();
    const { socket } = call(port);
    await new Promise((resolve) => process.nextTick(resolve));
    // In line by now; what Node would wait for is to hear of it.
    Object.assign(socket, { resetAndClosing: true }).destroy();
    assert.equal(await whoAnswers(port), 'a');
    assert.equal(backend.taken(), taken + 1);
    assert.match((await admin('/metrics')).text, /^proconsul_sidecar_calls_total\{.*\} 1$/m);
  });
});
