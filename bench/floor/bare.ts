/**
 * Answers each request in the same bytes, whatever it asks, by as little as Node can do it with: no program on Node
 * comes below that. Told what to be by its first argument; says its port to whoever forked it.
 *
 *   tcp BYTES   one answer of HTTP for whatever comes in one piece
 *   udp BYTES   the question, as an answer, with so many bytes behind it
 */
import { createSocket } from 'node:dgram';
import { type AddressInfo, createServer } from 'node:net';
import process from 'node:process';

const [kind, size = '0'] = process.argv.slice(2);
const HOST = '127.0.0.1';
/** Of a DNS message: that it answers, and that there is no error. */
const FLAGS_AT = 2;
const ANSWERS = 0x8180;

const listening = (at: { address(): unknown }) =>
  process.send?.({ port: (at.address() as AddressInfo).port });

if (kind === 'tcp') {
  const head = `HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\nConnection: keep-alive\r\n\r\n`;
  const answer = Buffer.concat([Buffer.from(head), Buffer.alloc(Number(size), 'x')]);
  const server = createServer((socket) => {
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('data', () => socket.write(answer));
  });
  server.listen(0, HOST, () => listening(server));
} else {
  const more = Buffer.alloc(Number(size));
  const socket = createSocket('udp4');
  socket.on('message', (question, { port, address }) => {
    question.writeUInt16BE(ANSWERS, FLAGS_AT);
    socket.send(more.length === 0 ? question : [question, more], port, address);
  });
  socket.bind(0, HOST, () => listening(socket));
}
