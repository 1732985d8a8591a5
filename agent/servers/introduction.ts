/** Joining: asks an agent or server, by the address that a user gave, which servers it knows. */
import { lookup } from 'node:dns/promises';
import http from 'node:http';
import https from 'node:https';
import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { ProconsulError } from '../../lib/errors.ts';
import { goDialError } from '../../lib/go-error.ts';
import { INTRODUCTION_PATH, type Introduction } from '../../lib/membership.ts';
import type { ClientSide } from '../../lib/tls/identities.ts';
import { readIntroduction } from './read-answers.ts';

const TIMEOUT_MS = 5000;
/** A few hundred servers fit; nobody has more. */
const MAX_ANSWER_BYTES = 256 * 1024;

/** Of one name. Beyond these a name is no list of servers, and each may take as long as a timeout. */
const MAX_ADDRESSES = 64;

export interface Asking {
  /** Where the address says none: ports.serf_lan. */
  readonly defaultPort: number;
  /** Ours: an agent of another one is not to be joined. */
  readonly datacenter: string;
  /** How servers are spoken to. */
  readonly tls: () => ClientSide;
  /** All addresses of a name, of both families, in the order in which they are to be tried. */
  readonly addressesOf?: (name: string) => Promise<readonly string[]>;
}

/**
 * `address` is what Consul's users write: a host (then `defaultPort`), host:port, or an http(s) URL.
 * Of a name every address is tried, until one knows a server: some may be gone, or be of a family
 * that nobody listens to. Rejects with Consul's words for why none could be joined.
 */
export async function introduce(address: string, asking: Asking): Promise<Introduction> {
  const target = targetOf(address, asking.defaultPort);
  const ips = await resolve(target.host, address, asking.addressesOf ?? systemAddresses);
  const failures: ProconsulError[] = [];
  let found: Introduction | undefined;
  for (const ip of ips) {
    try {
      found = await ask({ ...target, ip }, asking);
      if (found.Servers.length > 0) return found;
    } catch (error) {
      failures.push(error as ProconsulError);
    }
  }
  if (found !== undefined) return found;
  const [first] = failures;
  if (first !== undefined && failures.length === 1) throw first;
  const all = failures.map(({ message }) => message).join('; ');
  throw new ProconsulError('rejected', all, { cause: new AggregateError(failures) });
}

async function ask(
  target: Target & { ip: string },
  { datacenter, tls }: Asking,
): Promise<Introduction> {
  const { ip, port } = target;
  const failed = (why: string, cause?: unknown) =>
    new ProconsulError('rejected', `Failed to join ${ip}: ${why}`, { cause });
  let found: Introduction;
  try {
    found = readIntroduction(await spoken(target, tls()));
  } catch (cause) {
    throw failed(goDialError(cause, 'tcp', `${ip}:${port}`), cause);
  }
  if (found.Datacenter.toLowerCase() === datacenter.toLowerCase()) return found;
  throw failed(`Member '${found.Node}' part of wrong datacenter '${found.Datacenter}'`);
}

/**
 * As to servers: by TLS alone where `verify_outgoing` asks for it, and where it does not, by TLS if the
 * other can. Agents' certificates have no names of machines, so that only a URL's name is looked at.
 */
async function spoken(
  { scheme, ...target }: Target & { ip: string },
  { options, isRequired, verifies }: ClientSide,
): Promise<string> {
  if (scheme === 'https') return await get({ ...target, secure: options ?? {} });
  if (isRequired && scheme === 'http') {
    throw new Error('verify_outgoing is set, and http:// asks for no TLS');
  }
  if (options === undefined || scheme === 'http') return await get(target);
  const checkServerIdentity = () => undefined;
  const secure = { ...options, rejectUnauthorized: verifies, checkServerIdentity };
  try {
    return await get({ ...target, secure });
  } catch (error) {
    if (isRequired || isUnreachable(error)) throw error;
    return await get(target);
  }
}

/** By no other way either. */
function isUnreachable(error: unknown): boolean {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return UNREACHABLE.has(code) || message === TIMED_OUT;
}

const TIMED_OUT = 'i/o timeout';
const UNREACHABLE = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT']);

/** Joins through each of the addresses; rejects, as Consul says it, when none could be. */
export async function joinAny(
  addresses: readonly string[],
  join: (address: string) => Promise<void>,
): Promise<void> {
  const failures: Error[] = [];
  let joined = addresses.length === 0;
  for (const address of addresses) {
    try {
      await join(address);
      joined = true;
    } catch (error) {
      failures.push(...eachOf(error as Error));
    }
  }
  if (joined) return;
  const count = `${failures.length} error${failures.length === 1 ? '' : 's'}`;
  const lines = failures.map(({ message }) => `\t* ${message}\n`).join('');
  const [cause] = failures;
  throw new ProconsulError('rejected', `${count} occurred:\n${lines}\n`, { cause });
}

/** A name with several addresses fails for as many reasons. */
function eachOf(error: Error): readonly Error[] {
  return error.cause instanceof AggregateError ? error.cause.errors : [error];
}

interface Target {
  readonly host: string;
  readonly port: number;
  /** Of a URL; a plain address has none. */
  readonly scheme: 'http' | 'https' | undefined;
}

function targetOf(address: string, defaultPort: number): Target {
  if (/^https?:\/\//.test(address)) return urlTarget(address);
  if (isIP(address) === 6) return { host: address, port: defaultPort, scheme: undefined };
  const [, bracketed, plain, port] =
    /^(?:\[([^\]]+)\]|([^:]*))(?::(\d{1,5}))?$/.exec(address) ?? [];
  const host = bracketed ?? plain ?? address;
  return { host, port: port === undefined ? defaultPort : Number(port), scheme: undefined };
}

function urlTarget(address: string): Target {
  if (!URL.canParse(address)) {
    throw new ProconsulError('rejected', `Failed to resolve ${address}: it is no URL`);
  }
  const { protocol, hostname, port } = new URL(address);
  const scheme = protocol === 'https:' ? 'https' : 'http';
  const usual = scheme === 'https' ? 443 : 80;
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) || usual, scheme };
}

async function systemAddresses(name: string): Promise<readonly string[]> {
  return (await lookup(name, { all: true })).map(({ address }) => address);
}

async function resolve(
  host: string,
  address: string,
  addressesOf: (name: string) => Promise<readonly string[]>,
): Promise<readonly string[]> {
  if (isIP(host) !== 0) return [host];
  try {
    if (host === '') throw new Error('no host');
    const found = [...new Set(await addressesOf(host))];
    if (found.length === 0) throw new Error('it has no address');
    return found.slice(0, MAX_ADDRESSES);
  } catch (cause) {
    const line = `Failed to resolve ${address}: lookup ${host}: no such host`;
    throw new ProconsulError('rejected', line, { cause });
  }
}

interface Asked {
  readonly ip: string;
  readonly host: string;
  readonly port: number;
  /** Undefined in the clear. */
  readonly secure?: ConnectionOptions;
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
    request.once('timeout', () => request.destroy(new Error(TIMED_OUT)));
    request.once('error', reject);
  });
}
