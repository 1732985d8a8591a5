/** The Host of a request: two of them are how a proxy and a server are brought to read it differently. */
import type { IncomingMessage } from 'node:http';

const MALFORMED = /[^\w!$%&'()*+,\-.:;=[\]~]/;

/** What Consul refuses a request for, in its words; undefined where nothing is wrong. */
export function hostFault({ rawHeaders, httpVersion }: IncomingMessage): string | undefined {
  const hosts: string[] = [];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    if (name.length === 4 && name.toLowerCase() === 'host') hosts.push(rawHeaders[i + 1] ?? '');
  }
  const [host = '', ...others] = hosts;
  if (hosts.length === 0 && httpVersion === '1.1') return 'missing required Host header';
  if (others.length > 0) return 'too many Host headers';
  return MALFORMED.test(host) ? 'malformed Host header' : undefined;
}
