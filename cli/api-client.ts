/** Speaks to an agent over HTTP for one command of the command line. */
import type { Agent, ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import { systemClock } from '../lib/clock.ts';
import { messageOf, ProconsulError } from '../lib/errors.ts';
import { goDialError } from '../lib/go-error.ts';
import { PROBE_AFTER_MS } from '../lib/patience.ts';
import { decodeAnswer, isPage, readText, refuse, type Taking, whole } from './api-answers.ts';
import type { ApiTarget } from './api-options.ts';
import type { Progress } from './progress.ts';

/** Of a body whose way is followed. */
const PART_BYTES = 256 * 1024;
/** Long for an answer that needs nothing but a look. */
const SLOW_MS = 3000;
/** As long as Consul's own client waits for a connection. */
const CONNECT_TIMEOUT_MS = 30_000;

export interface ApiRequest extends Taking {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** Encoded where it has to be, see `encodePath`. */
  readonly path: string;
  readonly query?: readonly (readonly [string, string])[];
  readonly body?: string | Buffer;
  /** Asked with this token, in place of the one that the user gave for all. */
  readonly token?: string;
  /** One of many, each as soon as the one before is answered: they share a connection. */
  readonly isOfMany?: true;
  /** Told once an answer begins that is taken. */
  readonly onBegun?: () => void;
  /** Told of how much of the body has gone out. */
  readonly onSent?: (bytes: number) => void;
}

export interface ApiAnswer {
  readonly status: number;
  readonly index: string;
  readonly text: string;
  /** It says that something was kept back from this token. */
  readonly isPartial: boolean;
  /** What the text holds as JSON; undefined where it holds none. */
  readonly json: unknown;
}

export interface ApiClient {
  /**
   * Throws ProconsulError 'unavailable' with what Consul's client says of it; 'busy' where an agent took the connection and
   * cut it before anything could be said by TLS, as one does that has no room.
   */
  send(request: ApiRequest): Promise<ApiAnswer>;
  /** The answer part by part, as it comes. */
  stream(request: ApiRequest): Promise<AsyncIterable<Buffer>>;
}

export interface ApiClientOptions {
  readonly target: ApiTarget;
  /** Sent with every request: the datacenter and the consistency that were asked for. */
  readonly query: readonly (readonly [string, string])[];
  /** Ends whatever is under way. */
  readonly signal: AbortSignal;
  /** Told of what is read as JSON: nobody has looked yet whether it is what it should be. */
  readonly onJson?: (what: string) => void;
  /** Told where an answer does not come that ought to come at once. */
  readonly progress?: Progress;
  /** In place of Node's own, which is loaded when it is first asked for. */
  readonly way?: Way;
  /** What rests between requests of many, of all clients that share it; each has its own where there is none. */
  readonly resting?: Resting;
}

/**
 * Opens a connection for each request but those of many: a command sends few, and an agent may close what
 * rests between them.
 */
export function createApiClient(options: ApiClientOptions): ApiClient {
  const { target, query, signal, onJson, progress } = options;
  const { way: given, resting = {} } = options;
  const way = given === undefined ? wayTo(target, resting) : async () => given;
  const open = (request: ApiRequest) =>
    respond(way, target, { ...request, query: [...(request.query ?? []), ...query] }, signal);
  return {
    async send(request) {
      const arrived = progress === undefined ? undefined : sayingSlow(request, target, progress);
      const response = await open(request).finally(arrived);
      const status = response.statusCode ?? 0;
      if (status === 200 || request.accept?.includes(status) === true) request.onBegun?.();
      const text = await readText(response, request);
      refuse(response, text, request);
      const index = String(response.headers['x-consul-index'] ?? '');
      return {
        status,
        index,
        text,
        isPartial: response.headers['x-consul-results-filtered-by-acls'] === 'true',
        get json() {
          onJson?.(`${request.method} ${request.path}`);
          return text === '' ? undefined : decodeAnswer(text);
        },
      };
    },
    async stream(request) {
      const response = await open(request);
      if (response.statusCode !== 200 || isPage(response)) {
        refuse(response, await readText(response), request);
      }
      return whole(response);
    },
  };
}

/** A person is told whom this waits for; not where an answer may take its time. */
function sayingSlow(
  { query = [], onSent }: ApiRequest,
  { address }: ApiTarget,
  progress: Progress,
): (() => void) | undefined {
  if (onSent !== undefined || query.some(([name]) => name === 'index')) return undefined;
  let isSaid = false;
  const cancel = systemClock.after(SLOW_MS, () => {
    isSaid = true;
    progress(`no answer from ${address} yet; Ctrl-C ends the waiting`);
  });
  return () => {
    cancel();
    if (isSaid) progress('');
  };
}

/** Each part of a path encoded, the slashes between them kept. */
export function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}

async function respond(
  way: () => Promise<Way>,
  target: ApiTarget,
  asked: ApiRequest,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const { method, body, token, isOfMany = false } = asked;
  const { request, kept } = await way();
  const path = `${target.prefix ?? ''}${pathOf(asked)}`;
  const { hostname, port } = new URL(`${target.scheme}://${target.address}`);
  const options = {
    method,
    hostname: hostname.replace(/^\[|\]$/g, ''),
    port: port || null,
    // Apart from the host: as a URL, `a/../b` would be tidied up to another key.
    path,
    ...(target.connect
      ? { createConnection: target.connect }
      : { agent: isOfMany ? kept : (false as const) }),
    headers: {
      ...target.headers,
      ...(token === undefined ? {} : { 'X-Consul-Token': token }),
      ...(body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) }),
    },
    ...(target.auth === undefined ? {} : { auth: target.auth }),
    signal,
    ...(target.socketPath === undefined ? {} : { socketPath: target.socketPath }),
  };
  return await new Promise((resolve, reject) => {
    const sent = begin(request, options, resolve);
    limitConnecting(sent);
    const isAtTheDoor = watchDoor(sent, target);
    const what = `${method} ${target.scheme}://${target.address}${path}`;
    sent.once('error', (cause) => {
      const code = isAtTheDoor() && isCut(cause) ? 'busy' : 'unavailable';
      reject(unreachable(code, cause, target, what));
    });
    if (body === undefined || asked.onSent === undefined) sent.end(body);
    else feed(sent, Buffer.from(body), asked.onSent);
  });
}

/** In parts, each once the one before is on its way. */
function feed(sent: ClientRequest, body: Buffer, onSent: (bytes: number) => void): void {
  let at = 0;
  const next = (error?: Error | null) => {
    // It is told to whoever waits for the answer.
    if (error) return;
    onSent(at);
    const part = body.subarray(at, at + PART_BYTES);
    at += part.length;
    if (part.length === 0) sent.end();
    else sent.write(part, next);
  };
  next();
}

type Request = (
  options: RequestOptions,
  onResponse: (response: IncomingMessage) => void,
) => ClientRequest;

/** How a connection is opened. */
export interface Way {
  readonly request: Request;
  /** Nobody waits for what rests in it: a command ends all the same. */
  readonly kept: Agent;
}

/** Node parts those of other certificates by itself. */
export interface Resting {
  http?: Agent;
  https?: Agent;
}

function wayTo(target: ApiTarget, resting: Resting): () => Promise<Way> {
  let way: Promise<Way> | undefined;
  return () => {
    way ??= target.scheme === 'http' ? wayOver(resting) : wayOverTls(target, resting);
    return way;
  };
}

/** Loaded when it is asked for: half of what a command's start takes beyond Node's own. */
async function wayOver(resting: Resting): Promise<Way> {
  const { Agent, request } = await import('node:http');
  resting.http ??= new Agent({ keepAlive: true });
  return { request, kept: resting.http };
}

async function wayOverTls(target: ApiTarget, resting: Resting): Promise<Way> {
  const { Agent, request } = await import('node:https');
  resting.https ??= new Agent({ keepAlive: true });
  return {
    request: (options, onResponse) => request({ ...options, ...tlsOptions(target) }, onResponse),
    kept: resting.https,
  };
}

/** A certificate or a token that cannot be sent is found only here. */
function begin(
  request: Request,
  options: RequestOptions,
  onResponse: (response: IncomingMessage) => void,
): ClientRequest {
  try {
    return request(options, onResponse);
  } catch (cause) {
    const why = messageOf(cause);
    throw new ProconsulError('invalid', `cannot ask the agent: ${why}`, { cause });
  }
}

function tlsOptions({ tls }: ApiTarget) {
  if (tls === undefined) return {};
  const { ca, ...rest } = tls;
  const given = Object.entries(rest).filter(([, value]) => value !== undefined);
  return { ...(ca === undefined ? {} : { ca: [...ca] }), ...Object.fromEntries(given) };
}

/** With its query string. */
export function pathOf({ path, query = [] }: Pick<ApiRequest, 'path' | 'query'>): string {
  const pairs = query.map(([name, value]) => {
    const encoded = encodeURIComponent(value);
    return encoded === '' ? name : `${name}=${encoded}`;
  });
  return `${path}${pairs.length === 0 ? '' : `?${pairs.join('&')}`}`;
}

function limitConnecting(sent: ClientRequest): void {
  sent.once('socket', (socket) => {
    if (!socket.connecting) return;
    socket.setKeepAlive(true, PROBE_AFTER_MS);
    socket.setTimeout(CONNECT_TIMEOUT_MS, () => {
      socket.destroy(new Error(`no connection within ${CONNECT_TIMEOUT_MS / 1000} s`));
    });
    // From here on an answer may take its time: a blocking query waits for minutes.
    socket.once('connect', () => socket.setTimeout(0));
  });
}

/** Whether the other end has taken the connection, and the handshake is not over. */
function watchDoor(sent: ClientRequest, { scheme }: ApiTarget): () => boolean {
  let isThere = false;
  if (scheme === 'http') return () => isThere;
  sent.once('socket', (socket) => {
    if (!socket.connecting) return;
    socket.once('connect', () => {
      isThere = true;
    });
    socket.once('secureConnect', () => {
      isThere = false;
    });
  });
  return () => isThere;
}

function isCut({ code = '' }: NodeJS.ErrnoException): boolean {
  return code === 'ECONNRESET' || code === 'EPIPE';
}

function unreachable(
  code: 'busy' | 'unavailable',
  cause: Error,
  { address, socketPath }: ApiTarget,
  what: string,
): Error {
  const [method = '', url = ''] = what.split(' ', 2);
  const network = socketPath === undefined ? 'tcp' : 'unix';
  const why = goDialError(cause, network, socketPath ?? address);
  const verb = method.charAt(0) + method.slice(1).toLowerCase();
  return new ProconsulError(code, `${verb} "${url}": ${why}`, { cause });
}
