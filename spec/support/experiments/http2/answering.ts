/** Who answers requests by HTTP/2 with what they are: our side towards callers, and Node's. */
import { createHash } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { Clock } from '../../../../lib/clock.ts';
import { HttpCallers } from '../../../../sidecar/http/callers.ts';
import type { Incoming } from '../../../../sidecar/http/incoming.ts';
import { boundlessBuffers } from '../../fakes/boundless-buffers.ts';

export const WINDOW_BYTES = 256 * 1024;
export const MAX_HEAD_BYTES = 32 * 1024;
const MAX_STREAMS = 250;

/** Takes a connection; what `stop` leaves behind is nothing. */
export interface Answering {
  readonly take: (socket: Socket) => void;
  readonly stop: () => void;
}

/** Of whatever has to come to the other side as it was said. */
export function digestOf(fields: readonly string[]): string {
  return createHash('sha1').update(JSON.stringify(fields)).digest('hex').slice(0, 10);
}

/** Without what is about one connection, or is said in another place; cookies in one piece. */
export function plainFields(raw: readonly string[]): readonly string[] {
  const fields: string[] = [];
  let cookie = -1;
  for (let i = 0; i < raw.length; i += 2) {
    const [name, value] = [(raw[i] as string).toLowerCase(), raw[i + 1] as string];
    if (LEFT_OUT.has(name) || name.startsWith(':')) continue;
    if (name !== 'cookie') fields.push(name, value);
    else if (cookie >= 0) fields[cookie] += `; ${value}`;
    else {
      cookie = fields.length + 1;
      fields.push(name, value);
    }
  }
  return fields;
}

const LEFT_OUT = new Set([
  'te',
  'host',
  'content-length',
  'expect',
  'trailer',
  'date',
  'http2-settings',
]);

export function ours(clock: Clock): Answering {
  const callers = new HttpCallers({
    serve: (incoming) => echoed(incoming),
    ...{ clock, buffers: boundlessBuffers(), idleMs: 0, streamIdleMs: 0 },
  });
  return { take: (socket) => callers.accept(socket), stop: () => callers.end() };
}

function echoed(incoming: Incoming): void {
  const { head, body } = incoming;
  const seen = digestOf([head.method, head.path, head.authority, ...plainFields(head.fields)]);
  incoming.answer(200, ['x-seen', seen], undefined, body === undefined);
  incoming.onDrained(() => body?.resume());
  incoming.onGone(() => undefined);
  body?.takenBy({
    came: (chunk) => {
      if (!incoming.write(chunk)) body.pause();
    },
    ended: () => incoming.end(incoming.trailers()),
  });
}

export function nodes(): Answering {
  const server = createServer({
    settings: {
      initialWindowSize: WINDOW_BYTES,
      maxHeaderListSize: MAX_HEAD_BYTES,
      maxConcurrentStreams: MAX_STREAMS,
    },
  });
  server.on('sessionError', () => undefined);
  server.on(
    'stream',
    (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, flags: number, raw: string[]) =>
      echoedByNode(stream, headers, flags, raw),
  );
  return { take: (socket) => void server.emit('connection', socket), stop: () => undefined };
}

const END = 1;

function echoedByNode(
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  flags: number,
  raw: readonly string[],
): void {
  stream.on('error', () => undefined);
  if (stream.destroyed || stream.closed) return;
  const [method = '', path = '', authority = ''] = [':method', ':path', ':authority'].map((name) =>
    String(headers[name] ?? ''),
  );
  const whose = authority || String(headers['host'] ?? '');
  const answer = { ':status': 200, 'x-seen': digestOf([method, path, whose, ...plainFields(raw)]) };
  if ((flags & END) !== 0) {
    stream.respond(answer, { endStream: true });
    return;
  }
  let trailers: string[] = [];
  stream.respond(answer, { waitForTrailers: true });
  stream.on('trailers', (_: object, __: number, said: string[]) => {
    trailers = said;
  });
  stream.on('wantTrailers', () => stream.sendTrailers(Object.fromEntries(pairsOf(trailers))));
  stream.on('data', (chunk: Buffer) => {
    if (!stream.write(chunk)) stream.pause();
  });
  stream.on('drain', () => stream.resume());
  stream.on('end', () => stream.end());
}

/** Where those of one name stand together, as Node sends them. */
export function grouped(raw: readonly string[]): readonly string[] {
  return pairsOf(raw).flatMap(([name, values]) => values.flatMap((value) => [name, value]));
}

function pairsOf(raw: readonly string[]): [string, string[]][] {
  const found = new Map<string, string[]>();
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string;
    found.set(name, [...(found.get(name) ?? []), raw[i + 1] as string]);
  }
  return [...found];
}
