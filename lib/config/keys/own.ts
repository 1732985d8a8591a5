/** Proconsul's own keys: Redis and Docker. */
import type { Problems } from '../problems.ts';
import {
  bool,
  choice,
  duration,
  int,
  noEffect,
  optional,
  reloaded,
  type Settled,
  strings,
  text,
} from '../row.ts';

const SECOND = 1000;
/** The rest of it is the event log's to understand. */
const REDIS_URL = /^rediss?(?:\+sentinel|\+cluster)?:\/\/[^/]/i;

const certificate = () => ({
  ca_file: text('A file with the authorities to trust.'),
  cert_file: text('The certificate to show.'),
  key_file: text('Its key.'),
});

export const OWN_KEYS = {
  redis: {
    url: text('The Redis that orders the writes of several servers (docs/operations.md).', {
      flag: 'redis',
      rule: url,
    }),
    commit: choice('When a write is acknowledged: in Redis, or applied by a majority.', [
      'redis',
      'quorum',
    ]),
    sentinels: strings('host:port of Sentinels, in place of a URL.', { rule: sentinels }),
    sentinel_name: text('What they call the master.', { default: 'mymaster' }),
    sentinel_username: text("The Sentinels' user."),
    sentinel_password: text('Their password.'),
    username: text('The user, where the URL has none.'),
    password: text('The password, where the URL has none.'),
    database: optional(int('The number of the database, where the URL has none.')),
    tls: {
      enabled: optional(bool('Speak TLS; so is it with rediss:// or any key of `tls`.')),
      ...reloaded({
        ...certificate(),
        server_name: text('The name that the certificate must have.'),
      }),
    },
  },
  docker: {
    enabled: bool('Register the containers of this machine (docs/containers.md).', {
      flag: 'docker',
    }),
    endpoint: text('The socket; else DOCKER_HOST, else the usual one.'),
    explicit: bool('Only containers that name a service.'),
    internal: bool("The container's own address and port, not the published ones."),
    ip: text("The address to register published ports at; else the agent's."),
    tags: strings('Given to every instance.'),
    // Events tell of every change at once; comparing finds only what none told of.
    resync: duration('How often everything is compared.', {
      default: 60 * SECOND,
      // Registrator's 0 is never. Here comparing costs little, and equal writes move nothing.
      rule: (value) => value || 60 * SECOND,
    }),
    cleanup: bool('Remove what registrator left behind for containers that are gone.'),
    hostname: text("The first part of the ids of instances; else the machine's name."),
    opt_in: bool('Only containers that ask for it.'),
    // Docker restarts a container in some 300 ms when its process ends at once.
    deregister_delay: duration('How long a container that ended is waited for.', {
      default: SECOND,
    }),
    deregister: choice('When a container that ended is taken out.', [
      'always',
      'on-success',
      'never',
    ]),
    cgroups: text(
      'Where cgroup v2 is mounted, or a folder below it that has those of containers (docs/scaling.md).',
      {
        default: '/sys/fs/cgroup',
      },
    ),
    use_ip_from_label: text('The label that holds the address to register.'),
    tls: certificate(),
    ...noEffect("the agent's lease does what registrator's TTL does", {
      ttl: duration(),
      ttl_refresh: duration(),
    }),
  },
};

type Values = Settled<typeof OWN_KEYS>;

/** Undefined when nothing speaks of Redis: then the log is a file, or in dev mode memory. */
export function redisConfig({ redis }: Values, fromEnvironment: string | undefined) {
  const address = redis.url || (redis.sentinels.length > 0 ? '' : (fromEnvironment ?? ''));
  if (address === '' && redis.sentinels.length === 0) return undefined;
  const { tls } = redis;
  const anyTls = [tls.ca_file, tls.cert_file, tls.key_file, tls.server_name].some(Boolean);
  return {
    /** As -redis takes it, with `s` after `redis` for TLS; '' with sentinels. */
    url: address,
    commit: redis.commit,
    sentinels: redis.sentinels,
    sentinelName: redis.sentinel_name,
    sentinelUsername: redis.sentinel_username,
    sentinelPassword: redis.sentinel_password,
    username: redis.username,
    password: redis.password,
    database: redis.database,
    tls: {
      enabled: tls.enabled ?? (/^rediss/i.test(address) || anyTls),
      ...files(tls),
      serverName: tls.server_name,
    },
  };
}

/** The words of registrator's flags, for those who come from it. */
export function dockerConfig({ docker }: Values, problems: Problems) {
  if (docker.ttl_refresh > 0 && docker.ttl <= docker.ttl_refresh) {
    problems.refuse('docker.ttl must be greater than docker.ttl_refresh');
  }
  return {
    enabled: docker.enabled,
    endpoint: docker.endpoint,
    explicit: docker.explicit,
    internal: docker.internal,
    ip: docker.ip,
    tags: docker.tags,
    resyncMs: docker.resync,
    cleanup: docker.cleanup,
    hostname: docker.hostname,
    optIn: docker.opt_in,
    deregisterDelayMs: docker.deregister_delay,
    tls: files(docker.tls),
    ttlMs: docker.ttl,
    ttlRefreshMs: docker.ttl_refresh,
    deregister: docker.deregister,
    cgroups: docker.cgroups,
    useIpFromLabel: docker.use_ip_from_label,
  };
}

interface Certificate {
  readonly ca_file: string;
  readonly cert_file: string;
  readonly key_file: string;
}

function files({ ca_file, cert_file, key_file }: Certificate) {
  return { caFile: ca_file, certFile: cert_file, keyFile: key_file };
}

function url(value: string, path: string, problems: Problems): string {
  if (value !== '' && !REDIS_URL.test(value)) {
    // The URL itself is not repeated: it may hold a password.
    problems.refuse(
      `${path}: must begin with redis://, rediss://, redis+sentinel:// or redis+cluster://`,
    );
  }
  return value;
}

function sentinels(value: readonly string[], path: string, problems: Problems): readonly string[] {
  for (const each of value) {
    if (!/^(\[[^\]]+\]|[^:]+)(:\d{1,5})?$/.test(each)) {
      problems.refuse(`${path}: invalid address: ${each}`);
    }
  }
  return value;
}
