import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { Buffered } from '../../../sidecar/http/buffers.ts';
import { H1Connection } from '../../../sidecar/http/h1-connection.ts';
import type { Head } from '../../../sidecar/http/head.ts';
import type { Taking } from '../../../sidecar/http/sending.ts';
import { until } from '../../support/until.ts';

/** Of each write, what went out with it. */
function socket() {
  const writes: string[] = [];
  const duplex = new Duplex({
    read() {},
    write(chunk: Buffer, _, done) {
      writes.push(chunk.toString());
      done();
    },
    writev(chunks, done) {
      writes.push(chunks.map(({ chunk }) => (chunk as Buffer).toString()).join(''));
      done();
    },
  });
  return { writes, socket: duplex as Socket };
}

function taking(of: Socket): Taking {
  const nothing = () => undefined;
  const buffered = new Buffered(of, nothing);
  const told = { answered: nothing, data: nothing, ended: nothing, failed: nothing };
  return { buffered, ...told, drained: nothing, upgraded: nothing };
}

describe('a connection of HTTP/1.1 to a host', () => {
  const head: Head = {
    ...{ method: 'POST', path: '/', authority: 'x', fields: [], length: undefined },
    ...{ takesTrailers: false, upgrade: '' },
  };

  for (const length of [undefined, 100]) {
    const how = length === undefined ? 'without a length' : 'of a known length';
    it(`writes a body ${how} that comes byte by byte as it comes at once: in one piece`, async () => {
      const { socket: below, writes } = socket();
      const owner = { idle: () => undefined, gone: () => undefined };
      const connection = new H1Connection(below, owner, 0);
      const sending = connection.send({ ...head, length }, taking(below));
      for (let i = 0; i < 100; i++) sending.write(Buffer.from('a'));
      sending.end([]);
      await until(() => writes.length > 0);
      assert.equal(writes.length, 1);
      const body = length === undefined ? `${'1\r\na\r\n'.repeat(100)}0\r\n\r\n` : 'a'.repeat(100);
      assert.ok(writes[0]?.endsWith(`\r\n\r\n${body}`), writes[0]);
      // What comes later goes out by itself.
      sending.write(Buffer.from('b'));
      await until(() => writes.length === 2);
    });
  }
});
