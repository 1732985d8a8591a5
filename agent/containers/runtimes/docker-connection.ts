/** Requests to a Docker daemon: over its socket, TCP, or TLS. */
import { readFileSync, statSync } from 'node:fs';
import http, { type IncomingMessage, type RequestOptions } from 'node:http';
import https from 'node:https';
import { systemClock } from '../../../lib/clock.ts';
import { ProconsulError } from '../../../lib/errors.ts';
import { within } from '../../../lib/within.ts';
import type { DockerOptions } from '../options.ts';

/** The daemon answers in milliseconds; one that takes longer hangs. */
const ANSWER_MS = 10_000;
/** Ten thousand containers in one list fit. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

export interface DockerAnswer {
  readonly status: number;
  /** Undefined where there is none. */
  readonly json: unknown;
}

export interface DockerRequest {
  readonly method: 'GET' | 'POST';
  /** With its query string. */
  readonly path: string;
  readonly body?: unknown;
  readonly signal: AbortSignal;
}

const UNIX = 'unix://';

export class DockerConnection {
  readonly #target: RequestOptions;
  readonly #secure: boolean;

  /** Connects only when something is asked. Throws 'invalid' for what names no daemon. */
  constructor({ endpoint, tls }: Pick<DockerOptions, 'endpoint' | 'tls'>) {
    const files = { ...file('ca', tls.caFile), ...file('cert', tls.certFile) };
    const all = { ...files, ...file('key', tls.keyFile) };
    const url = urlOf(endpoint);
    this.#secure = url?.protocol === 'https:' || (url !== undefined && Object.keys(all).length > 0);
    this.#target =
      url === undefined
        ? { socketPath: endpoint.slice(UNIX.length) }
        : {
            host: url.hostname.replace(/^\[|\]$/g, ''),
            port: url.port || (this.#secure ? 2376 : 2375),
            ...all,
          };
  }

  /** Where requests go, for whoever wants to see it. */
  get target(): Readonly<Record<string, unknown>> {
    return { protocol: this.#secure ? 'https:' : 'http:', ...this.#target };
  }

  /** The whole answer, which is there within seconds. Rejects for a status of 400 or more but 404. */
  async ask(request: DockerRequest): Promise<DockerAnswer> {
    return await within(systemClock, ANSWER_MS, request.signal, async (signal) => {
      const response = await this.#send({ ...request, signal });
      const text = await textOf(response);
      const status = response.statusCode ?? 0;
      if (status >= 400 && status !== 404) throw refusal(status, text);
      return { status, json: text.trim() === '' ? undefined : parsed(text) };
    });
  }

  /** An answer that may go on for hours; that it begins is waited for as for any other. */
  async stream(request: DockerRequest): Promise<IncomingMessage> {
    const over = new AbortController();
    const end = () => over.abort();
    const leave = () => request.signal.removeEventListener('abort', end);
    if (request.signal.aborted) end();
    request.signal.addEventListener('abort', end, { once: true });
    const timer = setTimeout(end, ANSWER_MS);
    try {
      const response = await this.#send({ ...request, signal: over.signal });
      response.once('close', leave);
      const status = response.statusCode ?? 0;
      if (status < 400) return response;
      throw refusal(status, await textOf(response));
    } catch (error) {
      leave();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  #send({ method, path, body, signal }: DockerRequest): Promise<IncomingMessage> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const request = (this.#secure ? https : http).request({
        ...this.#target,
        method,
        path,
        signal,
        // A stream takes a connection with it, and a socket of this machine costs nothing.
        agent: false,
        ...(text !== undefined && { headers: jsonHeaders(text) }),
      });
      request.once('response', resolve);
      request.on('error', (error: NodeJS.ErrnoException) => reject(this.#refused(error)));
      request.end(text);
    });
  }

  /** Whose the socket is says what to do: its group's number is another one on each machine. */
  #refused(cause: NodeJS.ErrnoException): Error {
    const { socketPath } = this.#target;
    if (cause.code !== 'EACCES' || typeof socketPath !== 'string') return cause;
    const message = `${socketPath} may be used by ${groupOf(socketPath)} alone: let the agent be in it`;
    return new ProconsulError('forbidden', message, { cause });
  }
}

function groupOf(path: string): string {
  try {
    return `group ${statSync(path).gid}`;
  } catch {
    // The folder around it may not be looked into either.
    return 'its group';
  }
}

function jsonHeaders(text: string) {
  return { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) };
}

/** Undefined for a socket of this machine. */
function urlOf(endpoint: string): URL | undefined {
  if (endpoint.startsWith(UNIX)) return undefined;
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (url !== undefined && /^(tcp|https?):$/.test(url.protocol)) return url;
  const wanted =
    url?.protocol === 'ssh:'
      ? 'is reached over SSH, which is not built: forward its socket, and name that'
      : 'must begin with unix://, tcp://, http:// or https://';
  throw new ProconsulError('invalid', `docker.endpoint: ${JSON.stringify(endpoint)} ${wanted}`);
}

function file(name: string, path: string): Record<string, Buffer> {
  if (path === '') return {};
  try {
    return { [name]: readFileSync(path) };
  } catch (cause) {
    throw new ProconsulError('invalid', `docker.tls: cannot read ${path}`, { cause });
  }
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = '';
  for await (const part of response.setEncoding('utf8')) {
    text += part;
    if (text.length > MAX_ANSWER_BYTES) {
      throw new ProconsulError('internal', `Docker's answer is over ${MAX_ANSWER_BYTES} bytes`);
    }
  }
  return text;
}

/** Something else may listen at the address. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ProconsulError('rejected', `Docker answered ${brief(text)}`, { cause });
  }
}

function refusal(status: number, text: string): ProconsulError {
  const [, message = text] = /"message":\s*"((?:[^"\\]|\\.)*)"/.exec(text) ?? [];
  return new ProconsulError('rejected', `Docker answered ${status}: ${brief(message)}`);
}

function brief(text: string): string {
  return text.trim().slice(0, 200);
}
