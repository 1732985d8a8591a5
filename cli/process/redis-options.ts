import { readFileSync } from 'node:fs';
import type { RedisConfig } from '../../lib/config/config.ts';
import { ProconsulError } from '../../lib/errors.ts';
import { parseRedisUrl, type RedisOptions } from '../../server/log/redis/link/options.ts';

/** What the configuration says of Redis; what it says beside the URL wins over the URL. */
export function redisOptions(config: RedisConfig): RedisOptions {
  const options = parseRedisUrl(config.url === '' ? sentinelUrl(config) : config.url);
  return {
    ...options,
    ...given('username', config.username),
    ...given('password', config.password),
    ...given('sentinelUsername', config.sentinelUsername),
    ...given('sentinelPassword', config.sentinelPassword),
    db: config.database ?? options.db,
    commit: config.commit === 'quorum' ? 'quorum' : options.commit,
    ...tls(config, options),
  };
}

function sentinelUrl({ sentinels, sentinelName }: RedisConfig): string {
  return `redis+sentinel://${sentinels.join(',')}/${encodeURIComponent(sentinelName)}`;
}

function tls({ tls: config }: RedisConfig, options: RedisOptions): Pick<RedisOptions, 'tls'> {
  if (!config.enabled && options.tls === undefined) return {};
  return {
    tls: {
      ...options.tls,
      ...given('ca', read(config.caFile)),
      ...given('cert', read(config.certFile)),
      ...given('key', read(config.keyFile)),
      ...given('servername', config.serverName),
    },
  };
}

function read(file: string): string {
  if (file === '') return '';
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new ProconsulError('invalid', `redis.tls: ${file} cannot be read`, { cause });
  }
}

function given<K extends string>(key: K, value: string): { readonly [P in K]?: string } {
  return (value === '' ? {} : { [key]: value }) as { readonly [P in K]?: string };
}
