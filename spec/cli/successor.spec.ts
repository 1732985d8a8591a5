import assert from 'node:assert/strict';
import { handOver } from '../../cli/successor.ts';
import { FakeClock } from '../support/fakes/fake-clock.ts';

describe('another process in the place of this one', () => {
  it('is not begun where this one has been told to end: it would go on without it', async () => {
    let isShared = false;
    const share = () => {
      isShared = true;
      return new Map();
    };
    const succeeding = {
      words: [
        process.execPath,
        '-e',
        'process.send({ wants: "sockets" }); setInterval(() => 0, 1000)',
      ],
      env: {},
      clock: new FakeClock(),
      sockets: { share, alone: () => undefined },
      signal: AbortSignal.abort(),
    };
    await assert.rejects(handOver(succeeding), { message: 'this one is told to end' });
    assert.equal(isShared, false);
  });
});
