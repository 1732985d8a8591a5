/** Where Redis is and how to speak to it, from a URL or from the configuration's `redis` block. */
import { ProconsulError } from '../../../../lib/errors.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface RedisTls {
  /** PEM texts. Without `ca` the system's authorities are trusted. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** The name that the certificate must carry, where it is not the host's. */
  readonly servername?: string;
}

export type RedisKind = 'single' | 'sentinel' | 'cluster';

/**
 * When a write is acknowledged: once Redis has it, or once a majority of the servers has applied it.
 */
export type CommitPolicy = 'redis' | 'quorum';

export interface RedisOptions {
  readonly kind: RedisKind;
  /** Of Redis itself, of the sentinels, or of any nodes of the cluster. */
  readonly addresses: readonly Address[];
  /** Sentinel's name of the master. */
  readonly masterName: string;
  readonly username?: string;
  readonly password?: string;
  readonly sentinelUsername?: string;
  readonly sentinelPassword?: string;
  readonly db: number;
  /** Asked for anew for each connection: a reload may change it. */
  readonly tls?: RedisTls | undefined;
  readonly commit: CommitPolicy;
}

const SCHEMES: Readonly<Record<string, { readonly kind: RedisKind; readonly tls: boolean }>> = {
  redis: { kind: 'single', tls: false },
  rediss: { kind: 'single', tls: true },
  'redis+sentinel': { kind: 'sentinel', tls: false },
  'rediss+sentinel': { kind: 'sentinel', tls: true },
  'redis+cluster': { kind: 'cluster', tls: false },
  'rediss+cluster': { kind: 'cluster', tls: true },
};
const URL_PARTS = /^([a-z+]+):\/\/(?:([^/@]*)@)?([^/?@]+)(?:\/([^?]*))?(?:\?(.*))?$/i;
const HOST = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/i;
const DEFAULT_PORT: Readonly<Record<RedisKind, number>> = {
  single: 6379,
  sentinel: 26379,
  cluster: 6379,
};

/**
 * Understands, each with an `s` after `redis` for TLS:
 * - redis://user:password@host:6379/0
 * - redis+sentinel://user:password@s1:26379,s2:26379/mymaster?db=0&sentinelPassword=x
 * - redis+cluster://user:password@a:7000,b:7000
 * and `?commit=quorum`, `?servername=…`. Throws 'invalid' with a message that holds no password.
 */
export function parseRedisUrl(url: string): RedisOptions {
  const [, schemeName = '', credentials, hosts = '', path = '', query = ''] =
    URL_PARTS.exec(url.trim()) ?? [];
  const scheme = Object.hasOwn(SCHEMES, schemeName.toLowerCase())
    ? SCHEMES[schemeName.toLowerCase()]
    : undefined;
  if (scheme === undefined) throw invalidUrl('its scheme is not one of redis:, rediss:, …');
  const { kind, tls } = scheme;
  const params = new URLSearchParams(query);
  const [user, ...rest] = (credentials ?? '').split(':');
  const servername = params.get('servername');
  return {
    kind,
    addresses: hosts.split(',').map((host) => parseAddress(host, DEFAULT_PORT[kind])),
    masterName: kind === 'sentinel' ? decode(path) || 'mymaster' : '',
    ...optional('username', decode(user ?? '')),
    ...optional('password', decode(rest.join(':'))),
    ...optional('sentinelUsername', params.get('sentinelUsername') ?? ''),
    ...optional('sentinelPassword', params.get('sentinelPassword') ?? ''),
    db: parseDb(kind === 'single' ? path || params.get('db') : params.get('db')),
    ...(tls ? { tls: servername === null ? {} : { servername } } : {}),
    commit: parseCommit(params.get('commit')),
  };
}

/** The URL's own hosts without user and password: fit for a log line. */
export function describeRedis({ kind, addresses, masterName }: RedisOptions): string {
  const hosts = addresses.map(describeAddress).join(',');
  return kind === 'sentinel' ? `${masterName} of the sentinels ${hosts}` : hosts;
}

export function describeAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

export function sameAddress(a: Address, b: Address): boolean {
  return a.host === b.host && a.port === b.port;
}

function parseAddress(text: string, defaultPort: number): Address {
  const [, v6, name, digits] = HOST.exec(text.trim()) ?? [];
  const host = v6 ?? name;
  const port = digits === undefined ? defaultPort : Number(digits);
  if (host === undefined || port < 1 || port > 65535) throw invalidUrl('a host is not host:port');
  return { host, port };
}

function parseDb(text: string | null): number {
  const db = Number(text ?? 0);
  if (!Number.isInteger(db) || db < 0) throw invalidUrl('its database is not a number');
  return db;
}

function parseCommit(text: string | null): CommitPolicy {
  if (text === null || text === 'redis') return 'redis';
  if (text === 'quorum') return 'quorum';
  throw invalidUrl('commit is neither redis nor quorum');
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A URIError would quote the text, which may be a password.
    throw invalidUrl('a part of it is not percent-encoded correctly');
  }
}

function optional<K extends string>(key: K, value: string): { readonly [P in K]?: string } {
  return (value === '' ? {} : { [key]: value }) as { readonly [P in K]?: string };
}

function invalidUrl(why: string): ProconsulError {
  return new ProconsulError('invalid', `the URL of Redis is not understood: ${why}`);
}
