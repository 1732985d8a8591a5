import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { readBody } from '../../../lib/http/body.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';

const SECOND = 1000;
const KB = 1024;

describe('a body', () => {
  function start(maxBytes = 1024 * KB) {
    const clock = new FakeClock();
    const stream = new PassThrough();
    const message = Object.assign(stream, { headers: {}, complete: false });
    const read = readBody(message as unknown as IncomingMessage, { maxBytes, clock });
    read.catch(() => undefined);
    return { clock, stream, read };
  }

  it('that comes byte by byte is waited for half a minute', async () => {
    const { clock, stream, read } = start();
    for (let second = 0; second < 31; second++) {
      stream.write('x');
      await clock.advance(SECOND);
    }
    await assert.rejects(read, { code: 'too-slow', message: /too slow \(3\d bytes\)/ });
    assert.equal(clock.armed, 0);
  });

  it('that is large has longer, as long as it comes', async () => {
    const { clock, stream, read } = start(100 * 1024 * KB);
    for (let second = 0; second < 60; second++) {
      stream.write(Buffer.alloc(64 * KB));
      await clock.advance(SECOND);
    }
    stream.end();
    assert.equal((await read).length, 60 * 64 * KB);
    assert.equal(clock.armed, 0);
  });

  it('that is too large leaves no timer', async () => {
    const { clock, stream, read } = start(10);
    stream.write(Buffer.alloc(11));
    await assert.rejects(read, { code: 'too-large' });
    assert.equal(clock.armed, 0);
  });
});
