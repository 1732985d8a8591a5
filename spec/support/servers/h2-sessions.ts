/** Who serves by the sidecar's own HTTP/2, and callers of him; whatever a spec starts ends with it. */
import { type ClientHttp2Session, connect } from 'node:http2';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { fieldText } from '../../../sidecar/http/h2/hpack.ts';
import { Session } from '../../../sidecar/http/h2/session.ts';
import { PREFACE } from '../../../sidecar/http/h2/settings.ts';
import type { Stream } from '../../../sidecar/http/h2/stream.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { stopBackends } from './backends.ts';
import { rawCaller } from './raw-h2.ts';

const stops: (() => void)[] = [];

/** Called when the spec is over. */
export function atEnd(stop: () => void): void {
  stops.push(stop);
}

afterEach(async () => {
  for (const stop of stops.splice(0)) stop();
  await stopBackends();
});

export const SERVED = { windowBytes: 64 * 1024, maxHeadBytes: 4096 };
export const MAX_STREAMS = 10;

export async function listening(take: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    take(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Answers each request with its own body; or `asked` is told of its stream. */
export async function serve(asked?: (stream: Stream) => void) {
  const clock = new FakeClock();
  const seen = { streams: [] as Stream[], broken: [] as number[], closed: 0 };
  const sessions: Session[] = [];
  const port = await listening((socket) => {
    // Who serves has read the greeting.
    socket.once('readable', () => {
      socket.read(PREFACE.length);
      const session = new Session({
        ...{ ...SERVED, socket, clock },
        serves: { maxStreams: MAX_STREAMS, asked: (stream) => taken(stream) },
        retired: () => undefined,
        closed: () => void seen.closed++,
      });
      sessions.push(session);
    });
  });
  const taken = (stream: Stream) => {
    seen.streams.push(stream);
    stream.taker = {
      fieldsCame: () => undefined,
      data: (chunk) => {
        if (!stream.write(chunk)) stream.pause();
      },
      ended: () => stream.end([]),
      broken: (code) => void seen.broken.push(code),
      drained: () => stream.resume(),
    };
    if (asked !== undefined) asked(stream);
    else stream.head(fieldText(':status', '200'), stream.isWhole);
  };
  return { port, clock, seen, sessions };
}

export function client(port: number): ClientHttp2Session {
  const session = connect(`http://127.0.0.1:${port}`);
  session.on('error', () => undefined);
  atEnd(() => session.destroy());
  return session;
}

/** Goes with the spec. */
export function raw(port: number, ...settings: readonly Buffer[]) {
  const caller = rawCaller(port, ...settings);
  atEnd(caller.destroy);
  return caller;
}
