/** Failures of networks and files in the words that Go has for them, which people know and tools match. */

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  ECONNRESET: 'read: connection reset by peer',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  ETIMEDOUT: 'connect: connection timed out',
  EACCES: 'connect: permission denied',
  EPIPE: 'write: broken pipe',
  ENOENT: 'connect: no such file or directory',
};

const MAX_PORT = 65535;

interface SystemError extends Error {
  readonly code?: string;
  readonly address?: string;
  readonly port?: number;
  readonly hostname?: string;
  readonly errors?: readonly Error[];
}

/** `network` is Go's name of the transport: tcp, udp. */
export function goDialError(error: unknown, network: string, target: string): string {
  // Node tries all addresses of a name at once and throws one error of many.
  const many = (error as SystemError).errors;
  const { code, address, port, hostname, message } = (many?.[0] ?? error) as SystemError;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return `dial ${network}: lookup ${hostname ?? target}: no such host`;
  }
  if (code === 'EPROTO' && message.includes('wrong version number')) {
    return 'http: server gave HTTP response to HTTPS client';
  }
  const reason = REASONS[code ?? ''];
  if (reason === undefined) return message;
  return `dial ${network} ${joined(address, port) ?? target}: ${reason}`;
}

/** As Go shows a URL in what it says of a request: others read that. */
export function withoutPassword(url: string): string {
  return url.replace(/^([^/?#]+:\/\/[^/?#:@]*):[^/?#]*@/, '$1:***@');
}

/** What Node says of a file, as Go does: 'open /x: no such file or directory'. */
export function goFileError(error: Error): string {
  const { code = '', path } = error as NodeJS.ErrnoException;
  const [, what = '', call] = /^E\w+: (.+), (\w+)(?: '|$)/.exec(error.message) ?? [];
  if (call === undefined) return error.message;
  const why = code === 'EISDIR' ? 'is a directory' : what;
  return `${[call, path].filter((each) => each !== undefined).join(' ')}: ${why}`;
}

function joined(address: string | undefined, port: number | undefined): string | undefined {
  if (address === undefined || port === undefined) return undefined;
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/**
 * 'host:port', '[::1]:80' or ':80' apart; the host is this machine when there is none. Throws what
 * Go's dialer says of an address that is none.
 */
export function splitHostPort(target: string, network = 'tcp'): { host: string; port: number } {
  const bad = (why: string) => new Error(`dial ${network}: address ${why}`);
  const colon = target.lastIndexOf(':');
  const bracket = target.startsWith('[') ? target.indexOf(']') : -1;
  if (target.startsWith('[') && bracket < 0) throw bad(`${target}: missing ']' in address`);
  if (colon < bracket + 1) throw bad(`${target}: missing port in address`);
  const host = bracket < 0 ? target.slice(0, colon) : target.slice(1, bracket);
  if (bracket < 0 ? host.includes(':') : colon > bracket + 1) {
    throw bad(`${target}: too many colons in address`);
  }
  const service = target.slice(colon + 1);
  if (!/^\d*$/.test(service)) throw bad(`${network}/${service}: unknown port`);
  const port = Number(service);
  if (port > MAX_PORT) throw bad(`${service}: invalid port`);
  return { host: host === '' ? '127.0.0.1' : host, port };
}
