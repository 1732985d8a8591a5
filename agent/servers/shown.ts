/** How a request of this agent's looks to a server: who it is from, and for whom. */
import type { OutgoingHttpHeaders } from 'node:http';
import { headerText, isHeaderText } from '../../lib/http/header-text.ts';
import { heldLine } from '../../lib/http/held.ts';
import { withoutParams, withParams } from './targets.ts';

export interface Asking {
  /** Path and query string. */
  readonly target: string;
  readonly headers?: OutgoingHttpHeaders;
  /** '' for none. */
  readonly token: string;
  /** The name of this agent's node. */
  readonly node: string;
}

export interface Shown {
  readonly target: string;
  readonly headers: OutgoingHttpHeaders;
}

export function shown({ target, headers, token, node }: Asking): Shown {
  const own = { ...headers, 'X-Proconsul-Node': headerText(node) };
  if (token === '') return { target, headers: own };
  // In a header; as a parameter where it holds what no header may: Consul's servers read both.
  if (isHeaderText(token)) return { target, headers: { ...own, 'X-Consul-Token': token } };
  return { target: withParams(withoutParams(target, TOKEN_PARAMS), { token }), headers: own };
}

const TOKEN_PARAMS = new Set(['token']);

/** What is written, beside what is asked for. */
export interface Written extends Asking {
  readonly method?: string;
  readonly body?: Buffer | undefined;
}

/** The request, ready to be sent; `holds` is the tag of the answer that is there already. */
export function bytesTo(url: string, written: Written, holds?: string): Buffer {
  const { method = 'GET', body } = written;
  const { target, headers } = shown(written);
  const { host } = new URL(url);
  const length = body && { 'Content-Length': body.length };
  const all = { ...headers, Host: host, Connection: 'keep-alive', ...length };
  // What a client says of these is not passed on beside what this agent says.
  const byName = new Map(Object.entries(all).map((each) => [each[0].toLowerCase(), each]));
  const lines = [...byName.values()].map(([name, value]) => `${name}: ${value}\r\n`);
  const end = holds === undefined ? '\r\n' : heldLine(holds);
  const head = Buffer.from(`${method} ${target} HTTP/1.1\r\n${lines.join('')}${end}`, 'latin1');
  return body === undefined ? head : Buffer.concat([head, body]);
}
