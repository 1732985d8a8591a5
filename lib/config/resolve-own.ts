/** Proconsul's own sections: Redis and Docker. */
import type { DockerConfig, RedisConfig } from './config.ts';
import type { RawConfig } from './keys.ts';
import type { Problems } from './problems.ts';

/** The rest of it is the event log's to understand. */
const REDIS_URL = /^rediss?(?:\+sentinel|\+cluster)?:\/\/[^/]/i;

interface RedisReading {
  readonly raw: RawConfig;
  readonly problems: Problems;
  /** From the environment; what a flag or a file says goes before it. */
  readonly redisUrl: string | undefined;
}

/** Undefined when nothing speaks of Redis: then the log is a file, or in dev mode memory. */
export function resolveRedis(reading: RedisReading): RedisConfig | undefined {
  const { raw, problems, redisUrl } = reading;
  const { redis = {} } = raw;
  const sentinels = redis.sentinels ?? [];
  const url = redis.url ?? (sentinels.length > 0 ? '' : (redisUrl ?? ''));
  if (url === '' && sentinels.length === 0) {
    if (raw.redis !== undefined)
      problems.refuse('redis.url or redis.sentinels is needed with redis');
    return undefined;
  }
  refuseBadUrl(url, problems);
  refuseBadSentinels(sentinels, problems);
  return {
    url,
    commit: problems.oneOf('redis.commit', redis.commit, ['redis', 'quorum']),
    sentinels,
    sentinelName: redis.sentinel_name ?? 'mymaster',
    sentinelUsername: redis.sentinel_username ?? '',
    sentinelPassword: redis.sentinel_password ?? '',
    username: redis.username ?? '',
    password: redis.password ?? '',
    database: redis.database,
    tls: resolveRedisTls(redis.tls, url),
  };
}

function resolveRedisTls(
  tls: NonNullable<RawConfig['redis']>['tls'],
  url: string,
): RedisConfig['tls'] {
  return {
    enabled: tls?.enabled ?? (/^rediss/i.test(url) || tls !== undefined),
    caFile: tls?.ca_file ?? '',
    certFile: tls?.cert_file ?? '',
    keyFile: tls?.key_file ?? '',
    serverName: tls?.server_name ?? '',
  };
}

function refuseBadSentinels(sentinels: readonly string[], problems: Problems): void {
  for (const sentinel of sentinels) {
    if (/^(\[[^\]]+\]|[^:]+)(:\d{1,5})?$/.test(sentinel)) continue;
    problems.refuse(`redis.sentinels: invalid address: ${sentinel}`);
  }
}

function refuseBadUrl(url: string, problems: Problems): void {
  if (url === '' || REDIS_URL.test(url)) return;
  // The URL itself is not repeated: it may hold a password.
  problems.refuse(
    'redis.url: must begin with redis://, rediss://, redis+sentinel:// or redis+cluster://',
  );
}

/** Events tell of every change at once; comparing finds only what none told of. */
const DEFAULT_RESYNC_MS = 60_000;
/** Docker restarts a container in some 300 ms when its process ends at once. */
const DEFAULT_DEREGISTER_DELAY_MS = 1000;

export function resolveDocker(raw: RawConfig, problems: Problems): DockerConfig {
  const { docker = {} } = raw;
  const ms = (key: 'resync' | 'deregister_delay' | 'ttl' | 'ttl_refresh', defaultMs = 0) =>
    problems.durationMs(`docker.${key}`, docker[key], defaultMs);
  const ttlMs = ms('ttl');
  const ttlRefreshMs = ms('ttl_refresh');
  if (ttlRefreshMs > 0 && ttlMs <= ttlRefreshMs) {
    problems.refuse('docker.ttl must be greater than docker.ttl_refresh');
  }
  return {
    enabled: docker.enabled ?? false,
    endpoint: docker.endpoint ?? '',
    explicit: docker.explicit ?? false,
    internal: docker.internal ?? false,
    ip: docker.ip ?? '',
    tags: docker.tags ?? [],
    // Registrator's 0 is never. Here comparing costs little, and equal writes move nothing.
    resyncMs: ms('resync') || DEFAULT_RESYNC_MS,
    cleanup: docker.cleanup ?? false,
    hostname: docker.hostname ?? '',
    optIn: docker.opt_in ?? false,
    deregisterDelayMs: ms('deregister_delay', DEFAULT_DEREGISTER_DELAY_MS),
    tls: resolveDockerTls(docker.tls ?? {}),
    ttlMs,
    ttlRefreshMs,
    deregister: problems.oneOf('docker.deregister', docker.deregister, [
      'always',
      'on-success',
      'never',
    ]),
    useIpFromLabel: docker.use_ip_from_label ?? '',
  };
}

function resolveDockerTls(tls: RawDockerTls): DockerConfig['tls'] {
  return {
    caFile: tls.ca_file ?? '',
    certFile: tls.cert_file ?? '',
    keyFile: tls.key_file ?? '',
  };
}

type RawDockerTls = NonNullable<NonNullable<RawConfig['docker']>['tls']>;
