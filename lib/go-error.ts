/** Network failures in the words that Go has for them, which people know and tools match. */

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connect: connection refused',
  ECONNRESET: 'read: connection reset by peer',
  EHOSTUNREACH: 'connect: no route to host',
  ENETUNREACH: 'connect: network is unreachable',
  ETIMEDOUT: 'connect: connection timed out',
  EACCES: 'connect: permission denied',
  EPIPE: 'write: broken pipe',
};

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
  const reason = REASONS[code ?? ''];
  if (reason === undefined) return message;
  return `dial ${network} ${joined(address, port) ?? target}: ${reason}`;
}

function joined(address: string | undefined, port: number | undefined): string | undefined {
  if (address === undefined || port === undefined) return undefined;
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** 'host:port', '[::1]:80' or ':80' apart; the host is this machine when there is none. */
export function splitHostPort(target: string): { host: string; port: number } {
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/.exec(target) ?? [];
  if (port === undefined) throw new Error(`dial tcp: address ${target}: missing port in address`);
  const host = bracketed ?? plain ?? '';
  return { host: host === '' ? '127.0.0.1' : host, port: Number(port) };
}
