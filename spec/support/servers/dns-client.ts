/** Asks DNS questions as a stub resolver does. */
import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import { type ParsedPacket, parsePacket, TYPE } from './dns-parser.ts';

/** Only a server that is broken takes as long. */
const TIMEOUT_MS = 5000;

export interface Question {
  readonly name: string;
  readonly type: keyof typeof TYPE;
  /** The size of an answer over UDP that is asked for; without it there is no EDNS. */
  readonly edns?: number;
  readonly id?: number;
  readonly recursion?: boolean;
}

export function encodeQuestion({ name, type, edns, id = 1, recursion = true }: Question): Buffer {
  const labels = name.split('.').filter((label) => label !== '');
  const parts = labels.map((l) =>
    Buffer.concat([Buffer.from([Buffer.byteLength(l)]), Buffer.from(l)]),
  );
  const head = Buffer.alloc(12);
  head.writeUInt16BE(id, 0);
  if (recursion) head.writeUInt16BE(0x0100, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(edns === undefined ? 0 : 1, 10);
  const tail = Buffer.from([0, 0, TYPE[type], 0, 1]);
  const option = Buffer.from([0, 0, 41, (edns ?? 0) >> 8, (edns ?? 0) & 255, 0, 0, 0, 0, 0, 0]);
  return Buffer.concat([head, ...parts, tail, ...(edns === undefined ? [] : [option])]);
}

export async function askUdp(port: number, question: Question): Promise<ParsedPacket> {
  return parsePacket(await sendUdp(port, encodeQuestion(question)));
}

/** The answer to whatever bytes; undefined when there is none within `timeoutMs`. */
export function sendUdp(port: number, packet: Buffer): Promise<Buffer>;
export function sendUdp(
  port: number,
  packet: Buffer,
  timeoutMs: number,
): Promise<Buffer | undefined>;
export function sendUdp(
  port: number,
  packet: Buffer,
  timeoutMs?: number,
): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    const end = (answer: Buffer | undefined) => {
      clearTimeout(timer);
      socket.close();
      if (answer === undefined && timeoutMs === undefined) reject(new Error('no answer over UDP'));
      else resolve(answer);
    };
    const timer = setTimeout(() => end(undefined), timeoutMs ?? TIMEOUT_MS);
    socket.once('message', end);
    socket.once('error', reject);
    socket.send(packet, port, '127.0.0.1');
  });
}

/** Why datagrams cannot be forged here; undefined when they can. */
export function whyNoForging(): string | undefined {
  return process.getuid?.() === 0 ? undefined : 'needs root, to forge a datagram';
}

/** Perl is on every Debian, and Node has no sockets that write their own headers. */
const FORGE = `
  my ($from, $to, $hex) = @ARGV;
  my $data = pack('H*', $hex);
  socket(my $raw, PF_INET, SOCK_RAW, 17) or die;
  my $packet = pack('nnnn', $from, $to, 8 + length $data, 0) . $data;
  send($raw, $packet, 0, sockaddr_in(0, inet_aton('127.0.0.1'))) or die;`;

/** Sends a datagram of which it says itself from which port it comes; nobody hears an answer. */
export async function forgeUdp(
  { from, to }: { readonly from: number; readonly to: number },
  packet: Buffer,
): Promise<void> {
  const parts = [String(from), String(to), packet.toString('hex')];
  await promisify(execFile)('perl', ['-MSocket', '-e', FORGE, ...parts]);
}

export async function askTcp(port: number, question: Question): Promise<ParsedPacket> {
  const [answer] = await sendTcp(port, [encodeQuestion(question)]);
  return parsePacket(answer as Buffer);
}

export interface Manner {
  /** Closes its side as soon as all is sent. */
  readonly halfClose?: boolean;
  /** Sends each byte in a packet of its own, as far as the system allows. */
  readonly byteByByte?: boolean;
}

/** Sends all packets at once on one connection and resolves with as many answers. */
export function sendTcp(
  port: number,
  packets: readonly Buffer[],
  { halfClose = false, byteByByte = false }: Manner = {},
): Promise<Buffer[]> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    const answers: Buffer[] = [];
    let got = Buffer.alloc(0);
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error('no answer over TCP')));
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('closed before every answer was there')));
    socket.on('data', (part) => {
      got = Buffer.concat([got, part]);
      while (got.length >= 2 && got.length >= 2 + got.readUInt16BE(0)) {
        answers.push(got.subarray(2, 2 + got.readUInt16BE(0)));
        got = got.subarray(2 + got.readUInt16BE(0));
      }
      if (answers.length < packets.length) return;
      resolve(answers);
      socket.destroy();
    });
    const framed = packets.flatMap((packet) => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(packet.length);
      return [length, packet];
    });
    const bytes = Buffer.concat(framed);
    socket.setNoDelay();
    if (byteByByte) for (const byte of bytes) socket.write(Buffer.from([byte]));
    else socket.write(bytes);
    if (halfClose) socket.end();
  });
}
