/** Who asks by HTTP/2: our side towards hosts, and Node's. */
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import { Socket } from 'node:net';
import { Circuit } from '../../../../lib/balance/circuit.ts';
import type { Clock } from '../../../../lib/clock.ts';
import { messageOf } from '../../../../lib/errors.ts';
import type { AnswerHead } from '../../../../sidecar/http/answer-parser.ts';
import type { Fields } from '../../../../sidecar/http/fields.ts';
import { H2Host } from '../../../../sidecar/http/h2-host.ts';
import type { Head } from '../../../../sidecar/http/head.ts';
import { Places } from '../../../../sidecar/http/places.ts';
import type { Sending, Taking } from '../../../../sidecar/http/sending.ts';
import { boundlessBuffers } from '../../fakes/boundless-buffers.ts';
import { digestOf, plainFields, WINDOW_BYTES } from './answering.ts';

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly parts: readonly Buffer[];
  readonly trailers: Fields;
}

/** What came of a request. */
export interface Came {
  status: number;
  head: string;
  readonly parts: Buffer[];
  trailers: string;
  end: 'whole' | 'broken' | '';
  readonly why: string[];
}

export function nothing(): Came {
  return { status: 0, head: '', parts: [], trailers: '', end: '', why: [] };
}

export interface Asking {
  readonly ask: (asked: Asked) => Came;
  readonly stop: () => void;
}

export function oursTo(socket: Socket, clock: Clock): Asking {
  const most = { callers: 100, connections: 1, pending: 100, requests: 100, retries: 100 };
  let hasOpened = false;
  // Another connection would be another conversation.
  const open = () => {
    if (hasOpened) return new Promise<Socket>(() => undefined);
    hasOpened = true;
    return Promise.resolve(socket);
  };
  const host = new H2Host(open, new Places(new Circuit(most)), clock);
  // The first has to wait for the greeting: once it is there, each is sent in its order.
  void Promise.resolve(host.lease(() => true)).then(
    (connection) => connection.back(),
    () => undefined,
  );
  return {
    ask: (asked) => {
      const came = nothing();
      void askedByUs(host, asked, came);
      return came;
    },
    stop: () => host.close(),
  };
}

async function askedByUs(
  host: H2Host,
  { method, path, parts, trailers }: Asked,
  came: Came,
): Promise<void> {
  const broken = (why: string) => {
    came.why.push(why);
    if (came.end !== '') came.why.push('told after its end');
    came.end = 'broken';
  };
  const taking: Taking = {
    buffered: boundlessBuffers().of(new Socket()),
    answered: ({ status, fields }: AnswerHead, isLast: boolean) => {
      if (came.status !== 0) came.why.push('answered twice');
      [came.status, came.head] = [status, digestOf(plainFields(fields))];
      if (isLast) came.end = 'whole';
    },
    data: (chunk) => void came.parts.push(chunk),
    ended: (said) => {
      if (came.end !== '') came.why.push('ended after its end');
      [came.trailers, came.end] = [said.length === 0 ? '' : digestOf(plainFields(said)), 'whole'];
    },
    failed: ({ message }) => broken(message),
    drained: () => undefined,
    upgraded: () => broken('an upgrade'),
  };
  const head: Head = {
    ...{ method, path, authority: 'x', fields: [], takesTrailers: false, upgrade: '' },
    length: parts.length === 0 ? 0 : undefined,
  };
  try {
    const sending: Sending = (await host.lease(() => true)).send(head, taking);
    for (const part of parts) sending.write(part);
    if (parts.length > 0) sending.end(trailers);
  } catch (error) {
    broken(messageOf(error));
  }
}

export function nodeTo(socket: Socket): Asking {
  const session: ClientHttp2Session = connect('http://x', {
    createConnection: () => socket,
    settings: { initialWindowSize: WINDOW_BYTES, enablePush: false },
  });
  session.on('error', () => undefined);
  return {
    ask: (asked) => {
      const came = nothing();
      try {
        askedByNode(session, asked, came);
      } catch (error) {
        came.end = 'broken';
        came.why.push(messageOf(error));
      }
      return came;
    },
    stop: () => session.close(),
  };
}

function askedByNode(
  session: ClientHttp2Session,
  { method, path, parts, trailers }: Asked,
  came: Came,
): void {
  const stream: ClientHttp2Stream = session.request(
    { ':method': method, ':path': path, ':authority': 'x' },
    { endStream: parts.length === 0, waitForTrailers: true },
  );
  stream.on('wantTrailers', () => {
    const said: Record<string, string> = {};
    for (let i = 0; i < trailers.length; i += 2)
      said[trailers[i] as string] = trailers[i + 1] as string;
    stream.sendTrailers(said);
  });
  let hasEnd = false;
  stream.on('response', (headers, _: number, raw?: string[]) => {
    came.status = Number(headers[':status']);
    came.head = digestOf(plainFields(raw ?? []));
  });
  stream.on('trailers', (_: object, __: number, raw?: string[]) => {
    came.trailers = digestOf(plainFields(raw ?? []));
  });
  stream.on('data', (chunk: Buffer) => void came.parts.push(chunk));
  stream.on('end', () => {
    hasEnd = true;
  });
  stream.on('error', (error) => void came.why.push(messageOf(error)));
  stream.on('close', () => {
    const isWell =
      hasEnd && came.status !== 0 && (stream.rstCode === 0 || stream.rstCode === undefined);
    came.end = isWell ? 'whole' : 'broken';
  });
  for (const part of parts) stream.write(part);
  if (parts.length > 0) stream.end();
}
