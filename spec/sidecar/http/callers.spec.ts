import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { portOf } from '../../../lib/listening.ts';
import { HttpCallers } from '../../../sidecar/http/callers.ts';
import { boundlessBuffers } from '../../support/fakes/boundless-buffers.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { call } from '../../support/servers/sidecars.ts';
import { until } from '../../support/until.ts';

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

async function start() {
  const clock = new FakeClock();
  const paths: string[] = [];
  const callers = new HttpCallers({
    serve: ({ head }) => void paths.push(head.path),
    ...{ clock, buffers: boundlessBuffers(), idleMs: 0, streamIdleMs: 0 },
  });
  let taken = 0;
  const server = createServer((socket) => {
    callers.accept(socket);
    taken++;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  stops.push(() => {
    server.close();
    callers.end();
  });
  const calls = async (said: string) => {
    const before = taken;
    const caller = call(portOf(server));
    stops.push(() => caller.socket.destroy());
    if (said !== '') caller.socket.write(said);
    await until(() => taken > before);
    return caller.state;
  };
  return { clock, calls, paths };
}

describe('callers by HTTP', () => {
  it('have a minute to say by which version they speak, and then their connection is closed', async () => {
    const { clock, calls, paths } = await start();
    const silent = await calls('');
    const halting = await calls('PRI * HT');
    const asking = await calls('GET /x HTTP/1.1\r\nHost: x\r\n\r\n');
    await until(() => paths.length === 1);
    assert.equal(clock.armed, 2);
    await clock.advance(59_999);
    assert.deepEqual([silent.ended, halting.ended], [false, false]);
    await clock.advance(1);
    const isCut = (state: typeof silent) => state.ended || state.closed;
    await until(() => isCut(silent) && isCut(halting));
    assert.deepEqual([asking.ended, asking.closed], [false, false]);
    await until(() => clock.armed === 0);
  });
});
