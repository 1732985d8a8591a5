/** Joining: asks an agent or server, by the address that a user gave, which servers it knows. */
import { lookup } from 'node:dns/promises';
import http from 'node:http';
import https from 'node:https';
import { isIP } from 'node:net';
import type { SecureContextOptions } from 'node:tls';
import { ProconsulError } from '../../lib/errors.ts';
import { goDialError } from '../../lib/go-error.ts';
import { INTRODUCTION_PATH, type Introduction } from '../../lib/membership.ts';
import type { ClientSide } from '../../lib/tls/identities.ts';
import { readIntroduction } from './read-answers.ts';

const TIMEOUT_MS = 5000;
/** A few hundred servers fit; nobody has more. */
const MAX_ANSWER_BYTES = 256 * 1024;

export interface Asking {
  /** Where the address says none: ports.serf_lan. */
  readonly defaultPort: number;
  /** Ours: an agent of another one is not to be joined. */
  readonly datacenter: string;
  /** Whom to trust where the address is an https:// URL. */
  readonly tls: () => ClientSide;
}

/**
 * `address` is what Consul's users write: a host (then `defaultPort`), host:port, or an http(s) URL.
 * Rejects with Consul's words for why it could not.
 */
export async function introduce(
  address: string,
  { defaultPort, datacenter, tls }: Asking,
): Promise<Introduction> {
  const url = /^https?:\/\//.test(address) ? urlOf(address) : undefined;
  const { host, port } = url === undefined ? parse(address, defaultPort) : urlTarget(url);
  const ip = await resolve(host, address);
  const failed = (why: string, cause?: unknown) =>
    new ProconsulError('rejected', `Failed to join ${ip}: ${why}`, { cause });
  let found: Introduction;
  try {
    const secure = url?.protocol === 'https:' ? (tls().options ?? {}) : undefined;
    const text = await get({ ip, host, port, secure });
    found = readIntroduction(text);
  } catch (cause) {
    throw failed(goDialError(cause, 'tcp', `${ip}:${port}`), cause);
  }
  if (found.Datacenter.toLowerCase() === datacenter.toLowerCase()) return found;
  throw failed(`Member '${found.Node}' part of wrong datacenter '${found.Datacenter}'`);
}

function urlOf(address: string): URL {
  if (URL.canParse(address)) return new URL(address);
  throw new ProconsulError('rejected', `Failed to resolve ${address}: it is no URL`);
}

/** Joins through each of the addresses; rejects, as Consul says it, when none could be. */
export async function joinAny(
  addresses: readonly string[],
  join: (address: string) => Promise<void>,
): Promise<void> {
  const failures: Error[] = [];
  for (const address of addresses) {
    await join(address).catch((error: Error) => failures.push(error));
  }
  if (failures.length < addresses.length || failures.length === 0) return;
  const count = `${failures.length} error${failures.length === 1 ? '' : 's'}`;
  const lines = failures.map(({ message }) => `\t* ${message}\n`).join('');
  const [cause] = failures;
  throw new ProconsulError('rejected', `${count} occurred:\n${lines}\n`, { cause });
}

interface Target {
  readonly host: string;
  readonly port: number;
}

function parse(address: string, defaultPort: number): Target {
  if (isIP(address) === 6) return { host: address, port: defaultPort };
  const [, bracketed, plain, port] =
    /^(?:\[([^\]]+)\]|([^:]*))(?::(\d{1,5}))?$/.exec(address) ?? [];
  const host = bracketed ?? plain ?? address;
  return { host, port: port === undefined ? defaultPort : Number(port) };
}

function urlTarget(url: URL): Target {
  const usual = url.protocol === 'https:' ? 443 : 80;
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port) || usual };
}

async function resolve(host: string, address: string): Promise<string> {
  if (isIP(host) !== 0) return host;
  try {
    if (host === '') throw new Error('no host');
    return (await lookup(host)).address;
  } catch (cause) {
    const line = `Failed to resolve ${address}: lookup ${host}: no such host`;
    throw new ProconsulError('rejected', line, { cause });
  }
}

interface Asked extends Target {
  readonly ip: string;
  /** Undefined in the clear. */
  readonly secure: SecureContextOptions | undefined;
}

function get({ ip, host, port, secure }: Asked): Promise<string> {
  return new Promise((settle, reject) => {
    const options = {
      host: ip,
      port,
      path: INTRODUCTION_PATH,
      agent: false as const,
      headers: { Host: host },
      timeout: TIMEOUT_MS,
      ...(secure && { ...secure, ...(isIP(host) === 0 && { servername: host }) }),
    };
    const request = (secure ? https : http).get(options, (response) => {
      const parts: Buffer[] = [];
      let bytes = 0;
      response.on('data', (part: Buffer) => {
        bytes += part.length;
        if (bytes > MAX_ANSWER_BYTES) request.destroy(new Error('the answer is too large'));
        else parts.push(part);
      });
      response.once('error', reject);
      response.once('end', () => {
        if (response.statusCode === 200) settle(Buffer.concat(parts).toString());
        else reject(new Error(`it answered ${response.statusCode}`));
      });
    });
    request.once('timeout', () => request.destroy(new Error('i/o timeout')));
    request.once('error', reject);
  });
}
