import type { Config, RedisConfig } from '../../lib/config/config.ts';
import { ProconsulError } from '../../lib/errors.ts';
import { readPems } from '../../lib/tls/pem-files.ts';
import {
  parseRedisUrl,
  type RedisOptions,
  type RedisTls,
} from '../../server/log/redis/link/options.ts';

/** How this server reaches Redis. A reload brings other certificates, for the next connections. */
export class RedisReach {
  readonly options: RedisOptions;
  #tls: RedisTls | undefined;

  /** Throws ProconsulError where the URL or a certificate is of no use. */
  constructor(config: RedisConfig) {
    const plain = redisOptions(config);
    this.#tls = redisTls(config, plain.tls);
    const current = () => this.#tls;
    this.options = {
      ...plain,
      // Asked for by each connection that is opened.
      get tls() {
        return current();
      },
    };
  }

  /** Reads the certificates anew; what it gives uses them. Whether TLS is spoken, only a start says. */
  read({ redis }: Config): () => void {
    if (redis === undefined || this.#tls === undefined) return () => undefined;
    const tls = redisTls(redis, parseRedisUrl(urlOf(redis)).tls ?? {});
    return () => {
      this.#tls = tls;
    };
  }
}

/** What the configuration says of Redis; what it says beside the URL wins over the URL. */
function redisOptions(config: RedisConfig): RedisOptions {
  const options = parseRedisUrl(urlOf(config));
  return {
    ...options,
    ...given('username', config.username),
    ...given('password', config.password),
    ...given('sentinelUsername', config.sentinelUsername),
    ...given('sentinelPassword', config.sentinelPassword),
    db: config.database ?? options.db,
    commit: config.commit === 'quorum' ? 'quorum' : options.commit,
  };
}

function urlOf({ url, sentinels, sentinelName }: RedisConfig): string {
  if (url !== '') return url;
  return `redis+sentinel://${sentinels.join(',')}/${encodeURIComponent(sentinelName)}`;
}

function redisTls({ tls }: RedisConfig, fromUrl: RedisTls | undefined): RedisTls | undefined {
  if (!tls.enabled && fromUrl === undefined) return undefined;
  const { caFile, certFile, keyFile, serverName } = tls;
  if ((certFile === '') !== (keyFile === '')) {
    throw new ProconsulError('invalid', 'redis.tls: cert_file and key_file go together');
  }
  try {
    const { ca, cert, key } = readPems({ caFile, caPath: '', certFile, keyFile });
    return {
      ...fromUrl,
      ...given('ca', ca?.join('\n') ?? ''),
      ...given('cert', cert ?? ''),
      ...given('key', key ?? ''),
      ...given('servername', serverName),
    };
  } catch (cause) {
    if (!(cause instanceof ProconsulError)) throw cause;
    throw new ProconsulError('invalid', `redis.tls: ${cause.message}`);
  }
}

function given<K extends string>(key: K, value: string): { readonly [P in K]?: string } {
  return (value === '' ? {} : { [key]: value }) as { readonly [P in K]?: string };
}
