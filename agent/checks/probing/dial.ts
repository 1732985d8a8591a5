/** The one way in which checks open connections to a host and port. */
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { splitHostPort } from '../../../lib/go-error.ts';
import { lookupFor } from '../../../lib/link-local.ts';
import type { Looking } from './looking.ts';

export interface Tls {
  readonly TLSServerName: string;
  readonly TLSSkipVerify: boolean;
}

export interface DialOptions {
  readonly untrusted: boolean;
  readonly tls?: Tls | undefined;
  readonly alpn?: readonly string[];
}

/**
 * Begins to connect; the socket ends with the look. The host goes to it as it was given: whoever made
 * a URL of it would have names such as 0251.0376.1.1 turned into addresses that no lookup sees.
 */
export function dial(
  look: Looking,
  target: string,
  { untrusted, tls, alpn = [] }: DialOptions,
): Socket {
  const { host, port } = splitHostPort(target);
  const to = { host, port, ...lookupFor(host, untrusted) };
  const socket =
    tls === undefined
      ? connect(to)
      : connectTls({ ...to, ...tlsOptions(tls, host), ALPNProtocols: [...alpn] });
  look.finally(() => socket.destroy());
  return socket;
}

/** Addresses are no server names: RFC 6066. */
export function tlsOptions(
  { TLSServerName, TLSSkipVerify }: Tls,
  host: string,
): { readonly rejectUnauthorized: boolean; readonly servername?: string } {
  const name = TLSServerName === '' ? host : TLSServerName;
  return { rejectUnauthorized: !TLSSkipVerify, ...(isIP(name) === 0 && { servername: name }) };
}
