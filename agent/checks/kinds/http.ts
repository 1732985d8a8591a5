/** An HTTP request: 2xx is passing, 429 is warning, all else is critical. */
import http, { type IncomingMessage, validateHeaderName, validateHeaderValue } from 'node:http';
import https from 'node:https';
import { goDialError, withoutPassword } from '../../../lib/go-error.ts';
import { lookupFor } from '../../../lib/link-local.ts';
import { OutputTail } from '../../../lib/output-tail.ts';
import { tlsOptions } from '../probing/dial.ts';
import { type Looking, looking } from '../probing/looking.ts';
import { critical, type Look, passing, warning } from '../probing/probe.ts';
import {
  checkKind,
  flag,
  type LabelTarget,
  lists,
  TLS_FIELDS,
  text,
  type ValuesOf,
} from './kind.ts';

/** As Go's client. */
const MAX_REDIRECTS = 10;
/** More than any page about health; a body that never ends would keep the machine busy. */
const MAX_BODY_BYTES = 16 * 1024 * 1024;

const FIELDS = {
  HTTP: text,
  Header: lists,
  Method: text,
  Body: text,
  DisableRedirects: flag,
  ...TLS_FIELDS,
};

type HttpCheck = ValuesOf<typeof FIELDS>;

export const http1 = checkKind({
  type: 'http',
  fields: FIELDS,
  labels: {
    check_http: (path, target) => fromLabel('http', path, target),
    check_https: (path, target) => ({
      ...fromLabel('https', path, target),
      ...(target.label('check_tls_skip_verify') !== '' && { TLSSkipVerify: true }),
    }),
  },

  probe: (check, { maxOutputBytes, untrusted }) => {
    const method = check.Method === '' ? 'GET' : check.Method;
    const shown = withoutPassword(check.HTTP);
    const failed = (why: string) => critical(`${goVerb(method)} "${shown}": ${why}`);
    return (signal) => {
      let reading = false;
      const timedOut = () => {
        const during = reading ? 'reading body' : 'awaiting headers';
        return failed(`context deadline exceeded (Client.Timeout exceeded while ${during})`);
      };
      return looking({ signal, timedOut, failed }, (look) => {
        const answered = (response: IncomingMessage) => {
          reading = true;
          readBody(look, response, failed, new OutputTail(maxOutputBytes), (body) => {
            const { statusCode = 0, statusMessage = '' } = response;
            const words = `${statusCode} ${statusMessage}`;
            look.end(judge(statusCode, `HTTP ${method} ${shown}: ${words} Output: ${body}`));
          });
        };
        const exchange = new Exchange(look, { check, untrusted, answered, failed });
        exchange.send(firstRequest(check, method), 0);
      });
    };
  },
});

function fromLabel(scheme: string, path: string, { hostPort, label }: LabelTarget) {
  const Method = label(`check_${scheme}_method`);
  const slash = path.startsWith('/') ? '' : '/';
  return { HTTP: `${scheme}://${hostPort}${slash}${path}`, ...(Method !== '' && { Method }) };
}

function judge(status: number, output: string): Look {
  if (status >= 200 && status < 300) return passing(output);
  return status === 429 ? warning(output) : critical(output);
}

function goVerb(method: string): string {
  return method.charAt(0).toUpperCase() + method.slice(1).toLowerCase();
}

const TOKEN = /^[\w!#$%&'*+.^`|~-]+$/;

interface Request {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body: string;
}

function firstRequest(check: HttpCheck, method: string): Request {
  if (!TOKEN.test(method)) throw new Error(`net/http: invalid method "${method}"`);
  const given = Object.entries(check.Header).map(([name, values]) => {
    refuseBadHeader(name, values);
    // Node allows one Host and no list of it.
    return [name, /^host$/i.test(name) ? (values[0] ?? '') : [...values]];
  });
  const headers: Request['headers'] = {
    'User-Agent': 'Consul Health Check',
    Accept: 'text/plain, text/*, */*',
    ...Object.fromEntries(given),
  };
  return { url: parseUrl(check.HTTP), method, headers, body: check.Body };
}

function refuseBadHeader(name: string, values: readonly string[]): void {
  try {
    validateHeaderName(name);
  } catch {
    throw new Error(`net/http: invalid header field name ${JSON.stringify(name)}`);
  }
  try {
    for (const value of values) validateHeaderValue(name, value);
  } catch {
    throw new Error(`net/http: invalid header field value for ${JSON.stringify(name)}`);
  }
}

function parseUrl(given: string, base?: URL): URL {
  const scheme = /^([a-z][a-z\d+.-]*):/i.exec(given)?.[1]?.toLowerCase() ?? '';
  const known = scheme === 'http' || scheme === 'https' || (scheme === '' && base !== undefined);
  if (!known) throw new Error(`unsupported protocol scheme "${scheme}"`);
  if (!URL.canParse(given, base?.href)) {
    const port = /^\w+:\/\/[^/]*:(\d+)(?:\/|$)/.exec(given)?.[1];
    if (Number(port) > 65535) throw new Error(`dial tcp: address ${port}: invalid port`);
    throw new Error('invalid character in host name');
  }
  return new URL(given, base?.href);
}

interface ExchangeOptions {
  readonly check: HttpCheck;
  readonly untrusted: boolean;
  readonly answered: (response: IncomingMessage) => void;
  readonly failed: (why: string) => Look;
}

/** One request and those that redirects make of it. */
class Exchange {
  readonly #look: Looking;
  readonly #options: ExchangeOptions;

  constructor(look: Looking, options: ExchangeOptions) {
    this.#look = look;
    this.#options = options;
  }

  send(request: Request, hops: number): void {
    const { check, untrusted, failed, answered } = this.#options;
    const { url, method, headers, body } = request;
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const message = (url.protocol === 'https:' ? https : http).request(url, {
      method,
      // Node says it for some methods alone: behind a DELETE the body would be a request of its own.
      headers: { ...headers, ...(body !== '' && { 'Content-Length': Buffer.byteLength(body) }) },
      // A connection of its own each time: whether one can be made is part of the check.
      agent: false,
      ...tlsOptions(check, host),
      ...lookupFor(host, untrusted),
    });
    this.#look.finally(() => message.destroy());
    this.#look.on(message, 'error', (error) =>
      this.#look.end(failed(goDialError(error, 'tcp', url.host))),
    );
    this.#look.on(message, 'response', (response: IncomingMessage) => {
      if (this.#leadsNowhere(response)) {
        response.destroy();
        const why = `${response.statusCode} response missing Location header`;
        return this.#look.end(failed(why));
      }
      const next = this.#redirected(request, response);
      if (next === undefined) return answered(response);
      this.#look.on(response, 'error', () => undefined);
      response.destroy();
      if (hops >= MAX_REDIRECTS) {
        return this.#look.end(failed(`stopped after ${MAX_REDIRECTS} redirects`));
      }
      this.send(next, hops + 1);
    });
    message.end(body);
  }

  /** Go's client takes it for an error; a 307 or 308 of that kind is an answer to it. */
  #leadsNowhere({ statusCode = 0, headers: { location } }: IncomingMessage): boolean {
    const { check } = this.#options;
    const leads = statusCode >= 301 && statusCode <= 303 && !check.DisableRedirects;
    return leads && (location === undefined || location === '');
  }

  #redirected(
    from: Request,
    { statusCode = 0, headers: { location } }: IncomingMessage,
  ): Request | undefined {
    const { check, untrusted } = this.#options;
    if (check.DisableRedirects || location === undefined) return undefined;
    if (![301, 302, 303, 307, 308].includes(statusCode)) return undefined;
    const url = parseUrl(location, from.url);
    const sameHost = url.host === from.url.host;
    // Else whoever runs the checked server could have this agent ask others in its place.
    if (untrusted && !sameHost) return undefined;
    const headers = sameHost ? from.headers : without(from.headers, OF_ONE_HOST);
    // As browsers and Go: only 307 and 308 ask for the same again; else a POST becomes a GET.
    if (statusCode >= 307) return { ...from, url, headers };
    const method = from.method === 'HEAD' ? 'HEAD' : 'GET';
    return { url, method, headers: without(headers, /^content-/i), body: '' };
  }
}

/** Whoever is asked next must not learn what was meant for the first. */
const OF_ONE_HOST = /^(authorization|proxy-authorization|www-authenticate|cookie2?|host)$/i;

function without(headers: Request['headers'], names: RegExp): Request['headers'] {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.test(name)));
}

function readBody(
  look: Looking,
  response: IncomingMessage,
  failed: (why: string) => Look,
  tail: OutputTail,
  done: (body: string) => void,
): void {
  look.on(response, 'data', (part: Buffer) => {
    tail.push(part);
    if (tail.total > MAX_BODY_BYTES) look.end(failed(`body beyond ${MAX_BODY_BYTES} bytes`));
  });
  look.on(response, 'error', () => look.end(failed('unexpected EOF')));
  look.on(response, 'end', () => done(tail.text));
}
