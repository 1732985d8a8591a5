/**
 * What an agent or server runs with: flags, files and defaults joined, checked and worked out. It is
 * frozen through and through, and made by loadConfig alone.
 */
import { ProconsulError } from '../errors.ts';
import type { Source } from './config-host.ts';
import { aclConfig } from './keys/acl.ts';
import { addressConfig, listenConfig, portConfig } from './keys/addresses.ts';
import { auditConfig } from './keys/audit.ts';
import { checkPolicy, warnOfScripts } from './keys/checks.ts';
import { connectConfig } from './keys/connect.ts';
import { definitions } from './keys/definitions.ts';
import { dnsConfig } from './keys/dns.ts';
import { encryptConfig } from './keys/encrypt.ts';
import { eurekaConfig } from './keys/eureka.ts';
import { historyConfig } from './keys/history.ts';
import { httpConfig, limitConfig, uiConfig } from './keys/http.ts';
import { joinConfig } from './keys/joining.ts';
import { logConfig, telemetryConfig } from './keys/log.ts';
import { meshConfig } from './keys/mesh.ts';
import { nodeConfig } from './keys/node.ts';
import { notifyConfig } from './keys/notify.ts';
import { dockerConfig, redisConfig } from './keys/own.ts';
import { sidecarConfig } from './keys/sidecar.ts';
import { tlsConfig } from './keys/tls.ts';
import { watchConfig } from './keys/watches.ts';
import { shownKeys } from './shown-keys.ts';
import type { SettledConfig } from './table.ts';

export type { ListenAddress } from './keys/addresses.ts';

export type Config = Frozen<ReturnType<typeof workOut>>;
export type DnsConfig = Config['dns'];
export type TlsConfig = Config['tls'];
export type HttpConfig = Config['http'];
export type DockerConfig = Config['docker'];
export type RedisConfig = NonNullable<Config['redis']>;

/** Throws one error that tells everything that is wrong. */
export function resolve(settled: SettledConfig, source: Source & Surroundings): Config {
  const config = workOut(settled, source);
  warnOfScripts(settled, config.http.allowWriteFrom, source.problems);
  refuseSeveralWithoutRedis(config, source);
  const summary = source.problems.summary();
  if (summary !== undefined) throw new ProconsulError('invalid', summary);
  return deepFreeze(config);
}

export interface Surroundings {
  /** PROCONSUL_REDIS_URL: stands in where neither flag nor file names a Redis. */
  readonly redisUrl?: string | undefined;
  /** Only files are looked at: flags and the environment may say more at the start. */
  readonly filesAlone?: boolean;
}

function workOut(settled: SettledConfig, source: Source & Surroundings) {
  const { problems } = source;
  const ports = portConfig(settled, source);
  if (settled.server && ports.server < 1) {
    problems.refuse('ports.server cannot be -1 on a server: it answers agents there');
  }
  const address = addressConfig(settled, source);
  const listen = listenConfig(settled, { ports, addresses: address }, source);
  const ui = uiConfig(settled, problems);
  return {
    ...nodeConfig(settled, source),
    ports,
    address,
    listen,
    join: joinConfig(settled),
    acl: aclConfig(settled, problems),
    tls: tlsConfig(settled, problems),
    encrypt: encryptConfig(settled),
    connect: connectConfig(settled),
    audit: auditConfig(settled, problems),
    history: historyConfig(settled),
    eureka: eurekaConfig(settled, address, { isServer: settled.server, problems }),
    dns: dnsConfig(settled, problems),
    http: { ...httpConfig(settled), prettyJson: source.devMode },
    limits: limitConfig(settled, settled.server, problems),
    checkPolicy: checkPolicy(settled),
    watches: watchConfig(settled, problems),
    sidecars: sidecarConfig(settled, listen.http, problems),
    notify: notifyConfig(settled, settled.server, problems),
    ...definitions(settled, problems),
    mesh: meshConfig(settled),
    log: logConfig(settled),
    telemetry: telemetryConfig(settled),
    /** Undefined: the file log, or in dev mode the memory log. */
    redis: redisConfig(settled, source.redisUrl),
    docker: dockerConfig(settled, problems),
    ui,
    /** What /v1/agent/self shows of keys that are shown as they are. */
    shown: shownKeys(settled, {
      EnableUI: ui.enabled,
      UIDir: ui.dir,
      UIContentPath: ui.contentPath,
    }),
  };
}

/**
 * Each server without a Redis is a registry of its own: where a configuration speaks of several, it
 * means one registry, and would get as many as there are servers, each taking writes.
 */
function refuseSeveralWithoutRedis(
  config: Config,
  { problems, filesAlone = false }: Source & Surroundings,
): void {
  const { server, devMode, redis, bootstrap, bootstrapExpect, join } = config;
  if (!server || redis !== undefined) return;
  const joins = join.start.length > 0 || join.retry.length > 0;
  const asked =
    (bootstrapExpect > 0 && `bootstrap_expect = ${bootstrapExpect}`) ||
    (joins && !bootstrap && 'a server that joins others');
  const how =
    'several servers need a Redis, which orders their writes: give each the same -redis URL';
  if (asked && !devMode && !filesAlone) {
    problems.refuse(`${asked} without a Redis: ${how}; one alone is run with -bootstrap`);
  } else if (joins || asked) {
    problems.warn(`this server is a registry of its own, whomever it joins: ${how}`);
  }
}

type Plain =
  | string
  | number
  | boolean
  | undefined
  | readonly unknown[]
  | ReadonlyMap<string, number>;
type Frozen<T> = T extends Plain
  ? T
  : { readonly [K in keyof T]: unknown extends T[K] ? T[K] : Frozen<T[K]> };

/** Maps cannot be frozen; their type says that nobody may write to them. */
function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const each of Object.values(value)) deepFreeze(each);
  return Object.freeze(value);
}
