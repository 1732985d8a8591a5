/** An HTTP request: 2xx is passing, 429 is warning, all else is critical. */
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { goDialError } from '../../../lib/go-error.ts';
import { lookupNotLinkLocal, refuseLinkLocal } from '../link-local.ts';
import { OutputTail } from '../output-tail.ts';
import { critical, type Look, type Probe, passing, warning } from '../probe.ts';

/** As Go's client. */
const MAX_REDIRECTS = 10;
/** A body that never ends is cut off here, far beyond what is kept of it. */
const MAX_READ_BYTES = 1024 * 1024;

export interface HttpProbeOptions {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly body: string;
  readonly followRedirects: boolean;
  readonly maxOutputBytes: number;
  readonly tlsServerName: string;
  readonly tlsSkipVerify: boolean;
  /** Registered over HTTP and not in a file: no link-local address, no other host by redirect. */
  readonly untrusted: boolean;
}

export function httpProbe(options: HttpProbeOptions): Probe {
  const method = options.method === '' ? 'GET' : options.method;
  return async (signal) => {
    const { url } = options;
    let response: IncomingMessage;
    let tail: OutputTail;
    try {
      response = await follow(options, method, signal);
      tail = await readBody(response, options.maxOutputBytes);
    } catch (error) {
      return critical(`${goVerb(method)} "${url}": ${reason(error, url, signal)}`);
    }
    const status = response.statusCode ?? 0;
    const words = http.STATUS_CODES[status] ?? '';
    return look(status, `HTTP ${method} ${url}: ${status} ${words} Output: ${tail.text}`);
  };
}

function look(status: number, output: string): Look {
  if (status >= 200 && status < 300) return passing(output);
  return status === 429 ? warning(output) : critical(output);
}

function goVerb(method: string): string {
  return method.charAt(0).toUpperCase() + method.slice(1).toLowerCase();
}

function reason(error: unknown, url: string, signal: AbortSignal): string {
  if (signal.aborted) {
    return 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)';
  }
  return goDialError(error, 'tcp', URL.canParse(url) ? new URL(url).host : url);
}

async function follow(
  options: HttpProbeOptions,
  method: string,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  let url = new URL(options.url);
  for (let hops = 0; ; hops++) {
    // A redirected POST is a GET, as in browsers and in Go; 307 and 308 keep it.
    const response = await request(options, url, hops === 0 ? method : 'GET', signal);
    const next = redirection(options, url, response);
    if (next === undefined) return response;
    response.destroy();
    if (hops >= MAX_REDIRECTS) throw new Error(`stopped after ${MAX_REDIRECTS} redirects`);
    url = next;
  }
}

function redirection(
  options: HttpProbeOptions,
  from: URL,
  { statusCode = 0, headers }: IncomingMessage,
): URL | undefined {
  const { location } = headers;
  if (!options.followRedirects || location === undefined) return undefined;
  if (![301, 302, 303, 307, 308].includes(statusCode)) return undefined;
  const to = new URL(location, from);
  // Else whoever runs the checked server could have this agent ask others in its place.
  return options.untrusted && to.host !== from.host ? undefined : to;
}

function request(
  options: HttpProbeOptions,
  url: URL,
  method: string,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const secure = url.protocol === 'https:';
  if (!secure && url.protocol !== 'http:') {
    throw new Error(`unsupported protocol scheme "${url.protocol.slice(0, -1)}"`);
  }
  if (options.untrusted) refuseLinkLocal(url.hostname.replace(/^\[|\]$/g, ''));
  const headers: Record<string, string | string[]> = {
    'User-Agent': 'Consul Health Check',
    Accept: 'text/plain, text/*, */*',
  };
  for (const [name, values] of Object.entries(options.headers)) headers[name] = [...values];
  // Node allows one Host and no list of it.
  const host = Object.entries(options.headers).find(([name]) => /^host$/i.test(name));
  if (host?.[1][0] !== undefined) headers[host[0]] = host[1][0];
  return new Promise((resolve, reject) => {
    const message = (secure ? https : http).request(url, {
      method,
      headers,
      signal,
      // A connection of its own each time: whether one can be made is part of the check.
      agent: false,
      ...(options.untrusted && { lookup: lookupNotLinkLocal }),
      ...(secure && {
        rejectUnauthorized: !options.tlsSkipVerify,
        ...(options.tlsServerName !== '' && { servername: options.tlsServerName }),
      }),
    });
    message.once('response', resolve).once('error', reject);
    message.end(method === 'GET' && options.method !== 'GET' ? '' : options.body);
  });
}

async function readBody(response: IncomingMessage, maxOutputBytes: number): Promise<OutputTail> {
  const tail = new OutputTail(maxOutputBytes);
  for await (const part of response) {
    tail.push(part as Buffer);
    if (tail.total > MAX_READ_BYTES) break;
  }
  return tail;
}
