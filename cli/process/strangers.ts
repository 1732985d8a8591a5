/**
 * Keeps a stranger's page, open in a browser on this machine, from using the agent at its loopback
 * address. A name of the stranger's that is made to mean 127.0.0.1 would give him the agent's answers
 * (DNS rebinding): the name that was asked for must be one that no stranger can own. In a container the same
 * browser comes from the address of a bridge, so where no token is asked for, browsers of private networks are
 * held to it too. And where a browser says which page a write comes from, it must be one that was served here.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { BlockList, isIP, isIPv6 } from 'node:net';
import type { Config, HttpConfig } from '../../lib/config/config.ts';
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

/** Who brings none may do nearly all: access control may be on, and be of use to nobody. */
export function asksForNoToken({ acl }: Pick<Config, 'acl'>): boolean {
  return !acl.enabled || acl.defaultPolicy === 'allow';
}

/** What is refused from one of these is refused from each that is alike: the fast path goes by it too. */
export type Origin = 'loopback' | 'near' | 'elsewhere';

/** `looksAtBrowsers`: at those of private networks too. */
export function originsFor(looksAtBrowsers: boolean): (remoteAddress: string) => Origin {
  return (remoteAddress) => {
    if (isLoopback(remoteAddress)) return 'loopback';
    return looksAtBrowsers && isNear(remoteAddress) ? 'near' : 'elsewhere';
  };
}

export function strangersGuard(
  config: HttpConfig,
  { hostname, domains }: OwnNames,
  originOf: (remoteAddress: string) => Origin,
): Guard {
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
    const { headers, remoteAddress } = request;
    const { host } = headers;
    const isLookedAt = () => {
      const origin = originOf(remoteAddress);
      return origin === 'loopback' || (origin === 'near' && isOfBrowser(headers));
    };
    if (host !== ours && host !== undefined && isLookedAt()) {
      if (isOurs(nameIn(host))) ours = host;
      else refuse(host);
    }
    refuseForeignWrite(request, allowedOrigin);
  };
}

/** All of them say so, over plain HTTP too, where they say nothing else of themselves; so does PowerShell. */
function isOfBrowser(headers: IncomingHttpHeaders): boolean {
  const { 'user-agent': agent = '' } = headers;
  return (
    headers['sec-fetch-site'] !== undefined ||
    (agent.startsWith('Mozilla/') && !agent.includes('PowerShell'))
  );
}

/** Networks to which a name may lead a browser that its stranger cannot reach. */
const NEAR = new BlockList();
for (const [network, bits] of [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['100.64.0.0', 10],
  ['169.254.0.0', 16],
] as const) {
  NEAR.addSubnet(network, bits, 'ipv4');
}
NEAR.addSubnet('fc00::', 7, 'ipv6');
NEAR.addSubnet('fe80::', 10, 'ipv6');

function isNear(remoteAddress: string): boolean {
  const [address = ''] = remoteAddress.split('%', 1);
  return isIP(address) !== 0 && NEAR.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
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
