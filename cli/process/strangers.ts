/**
 * Keeps a stranger's page, open in a browser on this machine, from using the agent at its loopback
 * address. A name of the stranger's that is made to mean 127.0.0.1 would give him the agent's answers
 * (DNS rebinding): the name that was asked for must be one that no stranger can own. And where a
 * browser says which page a write comes from, it must be one that was served here.
 */
import { isIP } from 'node:net';
import type { HttpConfig } from '../../lib/config/config.ts';
import { ProconsulError } from '../../lib/errors.ts';
import type { Guard, HttpRequest } from '../../lib/http/route.ts';
import { isLoopback } from '../../lib/ip.ts';
import type { StringMap } from '../../lib/model.ts';

const READS = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Ends of names that nobody can register: those that are kept for local use (RFC 6761, 6762, 9476). */
const LOCAL_ENDS = ['localhost', 'local', 'internal', 'test', 'home.arpa'];

export interface OwnNames {
  /** Of this machine, and the domains that this agent answers for in DNS. */
  readonly hostname: string;
  readonly domains: readonly string[];
}

export function strangersGuard(config: HttpConfig, { hostname, domains }: OwnNames): Guard {
  const { allowedHosts, responseHeaders } = config;
  const ends = [...LOCAL_ENDS, ...domains.map(plain)].map((end) => `.${end}`);
  const allowed = [hostname, ...allowedHosts].map(plain);
  const allowedOrigin = headerOf(responseHeaders, 'access-control-allow-origin');
  const isOurs = (name: string) =>
    // A name without a dot has no owner but whoever runs this network.
    !name.includes('.') ||
    ends.some((end) => name.endsWith(end)) ||
    allowed.some((each) => matches(name, each)) ||
    // The last of them: of a name, to see that it is no address takes longer than all the rest.
    isIP(name) !== 0;
  // Nearly all name this machine in the same way.
  let ours: string | undefined;
  return (request) => {
    const { host } = request.headers;
    if (host !== ours && host !== undefined && isLoopback(request.remoteAddress)) {
      if (isOurs(nameIn(host))) ours = host;
      else refuse(host);
    }
    refuseForeignWrite(request, allowedOrigin);
  };
}

function refuse(host: string): never {
  throw new ProconsulError(
    'forbidden',
    `Host ${JSON.stringify(host)} is not known to mean this machine: see http_config.allowed_hosts`,
  );
}

/** Whoever lets pages of others read by a header of the configuration lets them write too. */
function refuseForeignWrite(
  { method, headers }: HttpRequest,
  allowedOrigin: string | undefined,
): void {
  const { origin, host = '' } = headers;
  if (origin === undefined || READS.has(method)) return;
  if (allowedOrigin === '*' || allowedOrigin === origin) return;
  if (origin.replace(/^https?:\/\//, '') === host) return;
  throw new ProconsulError(
    'forbidden',
    `A page of ${JSON.stringify(origin)} may not write here: see http_config.response_headers, Access-Control-Allow-Origin`,
  );
}

function matches(name: string, allowed: string): boolean {
  if (allowed === '*') return true;
  return allowed.startsWith('*.') ? name.endsWith(allowed.slice(1)) : name === allowed;
}

/** As the names of DNS are compared. */
function plain(name: string): string {
  return name.toLowerCase().replace(/\.$/, '');
}

/** What is before the port; an IPv6 address without its brackets. */
function nameIn(host: string): string {
  const [, v6] = /^\[([^\]]*)\](?::\d*)?$/.exec(host) ?? [];
  return plain(v6 ?? host.replace(/:\d*$/, ''));
}

function headerOf(headers: StringMap, name: string): string | undefined {
  return Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
}
