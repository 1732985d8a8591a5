/** Asks the API server of Kubernetes: one answer, or a watch line by line. */
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { type Clock, pause } from '../../lib/clock.ts';
import { messageOf, ProconsulError } from '../../lib/errors.ts';
import { PROBE_AFTER_MS } from '../../lib/patience.ts';
import { within } from '../../lib/within.ts';
import type { ApiAccess, Credentials } from './access.ts';
import { linesOf } from './lines.ts';
import { objectIn, type Said, textIn } from './shapes.ts';

/** Of one page of a list, which has fewer objects where they are large, or one object: it takes several times its size of a small heap. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
const ANSWER_MS = 30_000;
/** Longer a server that asks to be left alone is not obeyed. */
const MAX_RETRY_AFTER_S = 30;
/** Requests at once; watches have connections of their own. */
const MAX_SOCKETS = 16;

export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: object;
  /** Other statuses than 200 to 299 that are answers. */
  readonly accept?: readonly number[];
}

export interface ApiAnswer {
  readonly status: number;
  readonly json: Said;
}

/** A stream that says nothing for `idleMs` is given up, whatever becomes of its socket. */
export interface Watching {
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly idleMs: number;
  /** The server has begun to answer; it may say nothing for a while. */
  readonly opened?: () => void;
  /** Ends it as if the server had. */
  readonly until?: AbortSignal;
}

export class ApiServer {
  readonly #access: ApiAccess;
  readonly #clock: Clock;
  readonly #agent: HttpAgent;

  constructor(access: ApiAccess, clock: Clock) {
    this.#access = access;
    this.#clock = clock;
    const Agent = access.url.protocol === 'https:' ? HttpsAgent : HttpAgent;
    this.#agent = new Agent({ keepAlive: true, maxSockets: MAX_SOCKETS });
  }

  /** Where objects are that name no namespace. */
  get namespace(): string {
    return this.#access.namespace;
  }

  /** Rejects with a ProconsulError: forbidden, unauthorized, busy, or unavailable. */
  async ask(request: ApiRequest, signal: AbortSignal): Promise<ApiAnswer> {
    return await within(this.#clock, ANSWER_MS, signal, async (either) => {
      try {
        return await this.#answer(request, either);
      } catch (error) {
        throw failed(request, error, either.aborted && !signal.aborted);
      }
    });
  }

  /** Each line as it comes, until the server or the signal ends it; rejects as `ask` does. */
  async *watch(watching: Watching, signal: AbortSignal): AsyncIterable<Said> {
    const request = { method: 'GET', path: watching.path, query: watching.query } as const;
    const over = new AbortController();
    const end = () => over.abort();
    for (const each of [signal, watching.until])
      each?.addEventListener('abort', end, { once: true });
    if (watching.until?.aborted === true) end();
    let cancel = this.#clock.after(watching.idleMs, end);
    try {
      const stream = await this.#opened(request, over.signal);
      watching.opened?.();
      for await (const line of linesOf(stream)) {
        cancel();
        cancel = this.#clock.after(watching.idleMs, end);
        yield parsed(line);
      }
    } catch (error) {
      // Given up on purpose: whoever watches goes on from where it was.
      if (!over.signal.aborted || signal.aborted) throw failed(request, error, false);
    } finally {
      cancel();
      signal.removeEventListener('abort', end);
    }
  }

  /** Ends what is kept open between requests. */
  close(): void {
    this.#agent.destroy();
  }

  async #answer(request: ApiRequest, signal: AbortSignal): Promise<ApiAnswer> {
    const response = await this.#send(request, signal);
    const json = await jsonOf(response);
    const status = response.statusCode ?? 0;
    if (status < 300 || request.accept?.includes(status) === true) return { status, json };
    await this.#leaveAlone(response, signal);
    throw refusal(request, status, json);
  }

  async #opened(request: ApiRequest, signal: AbortSignal): Promise<IncomingMessage> {
    const response = await this.#send(request, signal, false);
    const status = response.statusCode ?? 0;
    if (status === 200) return response;
    const json = await jsonOf(response);
    await this.#leaveAlone(response, signal);
    throw refusal(request, status, json);
  }

  /** A token that was refused may have been put in place of by another since it was read. */
  async #send(request: ApiRequest, signal: AbortSignal, keeps = true): Promise<IncomingMessage> {
    const { token, tls } = this.#access.credentials();
    const response = await this.#respond(request, { token, tls }, signal, keeps);
    if (response.statusCode !== 401) return response;
    const now = this.#access.credentials();
    if (now.token === token) return response;
    response.resume();
    return await this.#respond(request, now, signal, keeps);
  }

  #respond(
    { method, path, query, body }: ApiRequest,
    { token, tls }: Credentials,
    signal: AbortSignal,
    keeps: boolean,
  ): Promise<IncomingMessage> {
    const { url } = this.#access;
    const data = body === undefined ? undefined : JSON.stringify(body);
    const options = {
      method,
      hostname: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port || (url.protocol === 'https:' ? 443 : 80),
      path: `${url.pathname.replace(/\/$/, '')}${path}${queryOf(query)}`,
      agent: keeps ? this.#agent : (false as const),
      signal,
      headers: {
        Accept: 'application/json',
        ...(token !== '' && { Authorization: `Bearer ${token}` }),
        ...(data !== undefined && {
          'Content-Type': 'application/json',
          'Content-Length': Buffer.byteLength(data),
        }),
      },
    };
    return new Promise((resolve, reject) => {
      const sent =
        url.protocol === 'https:'
          ? httpsRequest({ ...options, ...tls }, resolve)
          : httpRequest(options, resolve);
      sent.once('socket', (socket) => socket.setKeepAlive(true, PROBE_AFTER_MS));
      sent.on('error', reject);
      sent.end(data);
    });
  }

  async #leaveAlone({ headers }: IncomingMessage, signal: AbortSignal): Promise<void> {
    const seconds = Number(headers['retry-after'] ?? 0);
    if (!(seconds > 0)) return;
    await pause(this.#clock, Math.min(seconds, MAX_RETRY_AFTER_S) * 1000, signal);
  }
}

function queryOf(query: ApiRequest['query']): string {
  const text = new URLSearchParams(query).toString();
  return text === '' ? '' : `?${text}`;
}

async function jsonOf(response: IncomingMessage): Promise<Said> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > MAX_ANSWER_BYTES) {
      throw new ProconsulError('too-large', `the answer has more than ${MAX_ANSWER_BYTES} bytes`);
    }
    parts.push(part);
  }
  return parsed(Buffer.concat(parts).toString());
}

/** What is no JSON, such as a proxy's page, says nothing. */
function parsed(text: string): Said {
  try {
    return objectIn(JSON.parse(text));
  } catch {
    return {};
  }
}

const CODES = new Map([
  [401, 'unauthorized'],
  [403, 'forbidden'],
  [404, 'not-found'],
  // What was asked for is forgotten: a version, or the rest of a list.
  [410, 'not-found'],
  [429, 'busy'],
] as const);

function refusal({ method, path }: ApiRequest, status: number, json: Said): ProconsulError {
  const code = CODES.get(status as 401) ?? 'unavailable';
  const why = textIn(json['message']) || textIn(json['reason']);
  return new ProconsulError(code, `${method} ${path}: ${status}${why === '' ? '' : ` (${why})`}`);
}

function failed({ method, path }: ApiRequest, error: unknown, isLate: boolean): ProconsulError {
  if (error instanceof ProconsulError) return error;
  const why = isLate ? `no answer within ${ANSWER_MS / 1000} s` : messageOf(error);
  return new ProconsulError('unavailable', `${method} ${path}: ${why}`, { cause: error });
}
