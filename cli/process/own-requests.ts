/**
 * What this process asks of itself as a client would: answered by the surface that clients have, and over no wire, so
 * that it needs no port, no certificate and no place among a client's connections. What a row takes as it is is not even
 * written down: all else goes through Node's own client and server.
 */
import { createServer, globalAgent, type RequestListener, request } from 'node:http';
import { Duplex } from 'node:stream';
import type { Begin } from '../../lib/http/ready-exchange.ts';
import type { Wire } from '../../lib/http/reply.ts';
import { decodeAnswer, refuse } from '../api-answers.ts';
import {
  type ApiAnswer,
  type ApiRequest,
  createApiClient,
  pathOf,
  type Way,
} from '../api-client.ts';
import { ownExchange } from './own-exchange.ts';

/** A wait that Consul's client would ask for: its answer is an unchanged one. */
const NOT_FOUND = 404;
const HOST = 'localhost';
/** What a command loads when it needs it is here by now: to load it anew for each question takes a moment. */
const WAY: Way = { request, kept: globalAgent };

/** A GET where it does not say otherwise. */
export interface OwnRequest extends Pick<ApiRequest, 'path' | 'query' | 'body'> {
  readonly method?: ApiRequest['method'];
  /** '' for the agent's own. */
  readonly token: string;
  /** Other statuses than 200 and 404 that are answers. */
  readonly accept?: readonly number[];
}

export class OwnRequests {
  readonly #connect: () => Duplex;
  readonly #begin: Begin;

  /** `begin`: of a request that was not parsed. */
  constructor(answer: RequestListener, begin: Begin = () => false) {
    this.#begin = begin;
    const server = createServer({ requireHostHeader: false }, answer);
    this.#connect = () => {
      const [ours, theirs] = connectedPair();
      server.emit('connection', theirs);
      return ours;
    };
  }

  /** Rejects with a ProconsulError for an answer that is none. */
  async ask(request: OwnRequest, signal: AbortSignal): Promise<ApiAnswer> {
    const accept = [NOT_FOUND, ...(request.accept ?? [])];
    const answered = this.#unparsed(request, signal);
    return answered === undefined
      ? await this.#parsed({ ...request, accept }, signal)
      : answerOf(await answered, accept);
  }

  #unparsed(request: OwnRequest, signal: AbortSignal): Promise<Wire> | undefined {
    const { token, method = 'GET', body, path, query = [] } = request;
    if (method !== 'GET' || body !== undefined || signal.aborted) return undefined;
    const headers = { host: HOST, ...(token !== '' && { 'x-consul-token': token }) };
    return ownExchange(this.#begin, { target: pathOf({ path, query }), headers, signal });
  }

  #parsed({ token, ...asked }: OwnRequest, signal: AbortSignal): Promise<ApiAnswer> {
    const headers: Record<string, string> = token === '' ? {} : { 'X-Consul-Token': token };
    const client = createApiClient({
      target: { scheme: 'http', address: HOST, headers, connect: this.#connect },
      query: [],
      signal,
      way: WAY,
    });
    return client.send({ method: 'GET', ...asked });
  }
}

/** As the client of the command line reads it. */
function answerOf({ status, headers: flat, body }: Wire, accept: readonly number[]): ApiAnswer {
  const headers: Record<string, string> = {};
  for (let i = 0; i < flat.length; i += 2) {
    headers[(flat[i] as string).toLowerCase()] = flat[i + 1] as string;
  }
  const text = body.toString();
  refuse({ statusCode: status, headers }, text, { accept });
  return {
    ...{ status, text },
    index: headers['x-consul-index'] ?? '',
    isPartial: headers['x-consul-results-filtered-by-acls'] === 'true',
    get json() {
      return text === '' ? undefined : decodeAnswer(text);
    },
  };
}

/** What is written to one is read from the other, and each ends with the other. */
function connectedPair(): readonly [Duplex, Duplex] {
  const first: End = new End(() => second);
  const second: End = new End(() => first);
  return [first, second];
}

class End extends Duplex {
  readonly #other: () => End;
  /** Of the other, which may write on once this one reads. */
  #wanted: (() => void) | undefined;

  constructor(other: () => End) {
    super();
    this.#other = other;
  }

  /** Node's server, and whoever answers, take it for a socket; there is no wire that could stall. */
  readonly setTimeout = (): this => this;

  override _read(): void {
    const go = this.#wanted;
    this.#wanted = undefined;
    go?.();
  }

  override _write(part: Buffer, _encoding: BufferEncoding, done: () => void): void {
    const other = this.#other();
    if (other.push(part)) done();
    else other.#wanted = done;
  }

  override _final(done: () => void): void {
    this.#other().push(null);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    done(error);
    const other = this.#other();
    // Whoever reads has all that was written before it hears of the end.
    setImmediate(() => other.destroy());
  }
}
