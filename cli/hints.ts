/** What to do about a failure that Consul's words leave to whoever knows it. */
import { DEFAULT_ADDRESS } from './api-options.ts';

export const NO_AGENT =
  'What answers there may be no agent, or something stands between: look at -http-addr and CONSUL_HTTP_ADDR.';

const HINTS: readonly (readonly [sign: RegExp, hint: string])[] = [
  [
    /connect: connection refused|no such host|dial unix .*: no such file or directory/,
    `No agent is there. Start one with "proconsul agent -dev", or say where one is with -http-addr or CONSUL_HTTP_ADDR (${DEFAULT_ADDRESS} by default).`,
  ],
  [
    /response code: 403/,
    'The token may not do this, or there is none: give one with -token-file or CONSUL_HTTP_TOKEN_FILE.',
  ],
  [
    /self-signed certificate|unable to (verify|get)|certificate has expired/,
    "The agent's certificate is not trusted: name its authority's with -ca-file or CONSUL_CACERT.",
  ],
  [
    /socket hang up|connection reset by peer|Client sent an HTTP request to an HTTPS|HTTP response to HTTPS client/,
    'It may speak the other one of HTTP and HTTPS: say which before the address, as in https://127.0.0.1:8501.',
  ],
  [/something else than JSON|an HTML page/, NO_AGENT],
  [
    /No cluster leader/,
    'No server leads now. It passes by itself within seconds; if not, the log of a server says what it waits for.',
  ],
];

export function hintFor(message: string): string | undefined {
  return HINTS.find(([sign]) => sign.test(message))?.[1];
}
