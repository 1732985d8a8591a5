/** Asks an agent, over connections that are kept. */
import { Agent as HttpAgent, type IncomingMessage, request as overHttp } from 'node:http';
import { Agent as HttpsAgent, request as overHttps } from 'node:https';
import { messageOf, ProconsulError } from '../lib/errors.ts';
import { decodeJson } from '../lib/json.ts';
import { PROBE_AFTER_MS } from '../lib/patience.ts';
import type { Answer, Ask, Question } from '../sidecar/follow.ts';

export interface AgentOptions {
  /** Where the agent is; http://127.0.0.1:8500. */
  readonly address?: string;
  readonly token?: string;
  /** Certificates to trust, as PEM; those of the machine where there are none. */
  readonly ca?: string | Buffer;
}

const DEFAULT_ADDRESS = 'http://127.0.0.1:8500';
const CONNECT_MS = 10_000;
/** A list of ten thousand instances is some 10 MB. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;
const MAX_REASON = 200;

export class AgentApi {
  readonly #base: URL;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #kept: HttpAgent | HttpsAgent;

  /** Throws ProconsulError 'invalid' for an address that is none. */
  constructor({ address = DEFAULT_ADDRESS, token = '', ca }: AgentOptions) {
    if (!URL.canParse(address) || !/^https?:$/.test(new URL(address).protocol)) {
      throw new ProconsulError('invalid', `invalid address of an agent: ${address}`);
    }
    this.#base = new URL(address);
    this.#headers = token === '' ? {} : { 'X-Consul-Token': token };
    this.#kept =
      this.#base.protocol === 'https:'
        ? new HttpsAgent({ keepAlive: true, ...(ca !== undefined && { ca }) })
        : new HttpAgent({ keepAlive: true });
  }

  readonly ask: Ask = async (question, signal) => {
    const response = await this.#send(question, signal);
    const text = await textOf(response);
    const { statusCode: status = 0, headers } = response;
    if (status !== 200) {
      const isRefused = status === 401 || status === 403;
      const why = `the agent answers ${status}: ${shortened(text)}`;
      throw new ProconsulError(isRefused ? 'forbidden' : 'unavailable', why);
    }
    return { index: String(headers['x-consul-index'] ?? ''), json: jsonIn(text) } satisfies Answer;
  };

  close(): void {
    this.#kept.destroy();
  }

  #send({ path, query }: Question, signal: AbortSignal): Promise<IncomingMessage> {
    const url = new URL(path, this.#base);
    for (const [name, value] of query) url.searchParams.set(name, value);
    const send = url.protocol === 'https:' ? overHttps : overHttp;
    return new Promise((resolve, reject) => {
      const options = { agent: this.#kept, headers: this.#headers, signal };
      const sent = send(url, options, resolve);
      sent.once('socket', (socket) => {
        if (!socket.connecting) return;
        socket.setKeepAlive(true, PROBE_AFTER_MS);
        socket.setTimeout(CONNECT_MS, () => socket.destroy(new Error('no connection in time')));
        // An answer may take its time: a blocking query waits for minutes.
        socket.once('connect', () => socket.setTimeout(0));
      });
      sent.once('error', (cause) => {
        const why = `the agent at ${this.#base.host} cannot be asked: ${messageOf(cause)}`;
        reject(new ProconsulError('unavailable', why, { cause }));
      });
      sent.end();
    });
  }
}

async function textOf(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const part of response as AsyncIterable<Buffer>) {
      bytes += part.length;
      if (bytes > MAX_ANSWER_BYTES) break;
      parts.push(part);
    }
  } catch (cause) {
    throw new ProconsulError('unavailable', "the agent's answer broke off", { cause });
  }
  if (bytes > MAX_ANSWER_BYTES) {
    throw new ProconsulError('unavailable', "the agent's answer is too long");
  }
  return Buffer.concat(parts).toString();
}

function jsonIn(text: string): unknown {
  try {
    return decodeJson(text);
  } catch (cause) {
    throw new ProconsulError('unavailable', 'the agent answers with something else than JSON', {
      cause,
    });
  }
}

function shortened(text: string): string {
  return text.trim().slice(0, MAX_REASON);
}
