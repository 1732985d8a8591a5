/**
 * Answers each request in the same bytes, whatever it asks, by as little as Node can do it with: no program on Node
 * comes below that. Told what to be by its first argument; says its port to whoever forked it.
 *
 *   tcp BYTES   one answer of HTTP for whatever comes in one piece
 *   day BYTES   the same, but who waits for a service is answered once a check of it is changed
 *   udp BYTES   the question, as an answer, with so many bytes behind it
 */
import { createSocket } from 'node:dgram';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import process from 'node:process';

const [kind, size = '0'] = process.argv.slice(2);
const HOST = '127.0.0.1';
/** Of a DNS message: that it answers, and that there is no error. */
const FLAGS_AT = 2;
const ANSWERS = 0x8180;

const listening = (at: { address(): unknown }) =>
  process.send?.({ port: (at.address() as AddressInfo).port });

function answerOf(bytes: number): Buffer {
  const head = `HTTP/1.1 200 OK\r\nContent-Length: ${bytes}\r\nConnection: keep-alive`;
  return Buffer.concat([
    Buffer.from(`${head}\r\nX-Consul-Index: 1\r\n\r\n`),
    Buffer.alloc(bytes, 'x'),
  ]);
}

const answer = answerOf(Number(size));
const written = answerOf('true'.length);
/** By service. */
const waiting = new Map<string, Socket[]>();

function ofTheDay(socket: Socket, request: Buffer): void {
  const text = request.toString('latin1');
  const [, service = '', index] = /\/service\/([^ ?]+)(\?index)?/.exec(text) ?? [];
  if (index !== undefined) {
    const others = waiting.get(service);
    if (others === undefined) waiting.set(service, [socket]);
    else others.push(socket);
  } else if (service !== '') socket.write(answer);
  else {
    const [, changed = ''] = /"ServiceID":"([^"]+)-\d+"/.exec(text) ?? [];
    socket.write(written);
    const woken = waiting.get(changed) ?? [];
    waiting.delete(changed);
    for (const each of woken) each.write(answer);
  }
}

if (kind === 'udp') {
  const more = Buffer.alloc(Number(size));
  const socket = createSocket('udp4');
  socket.on('message', (question, { port, address }) => {
    question.writeUInt16BE(ANSWERS, FLAGS_AT);
    socket.send(more.length === 0 ? question : [question, more], port, address);
  });
  socket.bind(0, HOST, () => listening(socket));
} else {
  const serve = kind === 'day' ? ofTheDay : (socket: Socket) => void socket.write(answer);
  const server = createServer((socket) => {
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('data', (request: Buffer) => serve(socket, request));
  });
  server.listen(0, HOST, () => listening(server));
}
