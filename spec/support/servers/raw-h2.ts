/** Both ends of HTTP/2 as they should not be: whoever says what the spec wants, frame by frame. */
import { connect, type Socket } from 'node:net';
import { FLAG, FRAME, FrameReader } from '../../../sidecar/http/h2/frames.ts';
import { blockOf, fieldText } from '../../../sidecar/http/h2/hpack.ts';
import { PREFACE } from '../../../sidecar/http/h2/settings.ts';
import { until } from '../until.ts';
import { type Backend, startBackend } from './backends.ts';

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

export function framed(
  type: number,
  flags: number,
  stream: number,
  payload: Buffer | string = '',
): Buffer {
  const body = typeof payload === 'string' ? Buffer.from(payload, 'latin1') : payload;
  const head = Buffer.alloc(9);
  head.writeUIntBE(body.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, body]);
}

export function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function setting(name: number, value: number): Buffer {
  return Buffer.concat([Buffer.from([0, name]), number(value)]);
}

/** A request's head; `more`: names and values. */
export function requestHead(method: string, path: string, ...more: string[]): string {
  return blockOf([':method', method, ':scheme', 'http', ':path', path, ':authority', 'x', ...more]);
}

export const REQUEST = requestHead('POST', '/');
export const ANSWER = fieldText(':status', '200');
export const ASK = FLAG.endOfHead | FLAG.end;

/** One that says what it likes, and hears what comes back. */
export function rawCaller(port: number, ...settings: readonly Buffer[]) {
  return rawCallerFrom('127.0.0.1', port, ...settings);
}

export function rawCallerFrom(localAddress: string, port: number, ...settings: readonly Buffer[]) {
  const socket = connect({ port, host: '127.0.0.1', localAddress, allowHalfOpen: true });
  const heard = { frames: [] as Frame[], ended: false };
  const reader = new FrameReader();
  socket.on('error', () => undefined);
  socket.on('end', () => {
    heard.ended = true;
  });
  socket.on('close', () => {
    heard.ended = true;
  });
  socket.on('data', (chunk: Buffer) =>
    reader.push(chunk, (type, flags, stream, payload) => {
      heard.frames.push({ type, flags, stream, payload });
      return true;
    }),
  );
  socket.write(PREFACE);
  socket.write(framed(FRAME.settings, 0, 0, Buffer.concat(settings)));
  const say = (...frames: readonly Buffer[]) => void socket.write(Buffer.concat(frames));
  const types = () => heard.frames.map(({ type }) => type);
  const found = (type: number, id: number) =>
    heard.frames.find((each) => each.type === type && each.stream === id);
  /** By which code the connection ended. */
  const goaway = async () => {
    await until(() => heard.ended, types);
    return found(FRAME.goaway, 0)?.payload.readUInt32BE(4);
  };
  const reset = async (id: number) => {
    await until(() => found(FRAME.reset, id) !== undefined, types);
    return found(FRAME.reset, id)?.payload.readUInt32BE(0);
  };
  return { socket, say, heard, goaway, reset, destroy: () => void socket.destroy() };
}

export interface RawConnection {
  readonly socket: Socket;
  readonly say: (...frames: readonly Buffer[]) => void;
}

export interface RawHost extends Backend {
  readonly connections: readonly RawConnection[];
}

/** A host that greets with these, and of which `heard` is told each frame; what it says back is up to that. */
export async function startRawHost(
  heard: (frame: Frame, connection: RawConnection) => void,
  ...settings: readonly Buffer[]
): Promise<RawHost> {
  const connections: RawConnection[] = [];
  const backend = await startBackend('raw', (socket) => {
    const say = (...frames: readonly Buffer[]) => void socket.write(Buffer.concat(frames));
    const connection = { socket, say };
    connections.push(connection);
    const reader = new FrameReader();
    let greeting = PREFACE.length;
    socket.on('end', () => socket.end());
    socket.on('data', (chunk: Buffer) => {
      const from = Math.min(greeting, chunk.length);
      greeting -= from;
      reader.push(chunk.subarray(from), (type, flags, stream, payload) => {
        if (type === FRAME.settings && flags === 0) say(framed(FRAME.settings, FLAG.ack, 0));
        heard({ type, flags, stream, payload }, connection);
        return true;
      });
    });
    say(framed(FRAME.settings, 0, 0, Buffer.concat(settings)));
  });
  return { ...backend, connections };
}

const WINDOW_BYTES = 256 * 1024;
const PART = 16 * 1024;

/** A host that says as much of each answer as fits into one window of a stream, as fast as the connection lets it. */
export function startLavishHost() {
  const all = new Map<RawConnection, Lavish>();
  return startRawHost(({ type, stream, payload }, connection) => {
    const lavish = all.get(connection) ?? { room: 65_535, parts: [] };
    all.set(connection, lavish);
    if (type === FRAME.window && stream === 0) lavish.room += payload.readUInt32BE(0);
    if (type === FRAME.head) {
      connection.say(framed(FRAME.head, FLAG.endOfHead, stream, ANSWER));
      lavish.parts.push({ id: stream, bytes: payload.includes('/large') ? WINDOW_BYTES : 10 });
    }
    sayLavishly(connection, lavish);
  });
}

interface Lavish {
  /** In the window of the connection. */
  room: number;
  readonly parts: { readonly id: number; bytes: number }[];
}

function sayLavishly(connection: RawConnection, lavish: Lavish): void {
  const { parts } = lavish;
  for (let [first] = parts; first !== undefined && lavish.room > 0; [first] = parts) {
    const bytes = Math.min(PART, first.bytes, lavish.room);
    first.bytes -= bytes;
    lavish.room -= bytes;
    const flags = bytes === 10 ? FLAG.end : 0;
    connection.say(framed(FRAME.data, flags, first.id, Buffer.alloc(bytes)));
    if (first.bytes === 0) parts.shift();
  }
}
