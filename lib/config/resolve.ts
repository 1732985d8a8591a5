/** From the merged keys to the configuration that the program runs with. */
import { ProconsulError } from '../errors.ts';
import type { Config } from './config.ts';
import type { ConfigHost } from './config-host.ts';
import { refuseBadDefinitions } from './definitions.ts';
import type { RawConfig } from './keys.ts';
import { refuseBadForeign, reportNoEffect } from './no-effect.ts';
import { Problems } from './problems.ts';
import { resolveAddresses, resolveListen, resolvePorts } from './resolve-addresses.ts';
import { resolveNode } from './resolve-node.ts';
import { resolveDocker, resolveRedis } from './resolve-own.ts';
import {
  networks,
  resolveAcl,
  resolveAutopilot,
  resolveCheckPolicy,
  resolveDns,
  resolveHttp,
  resolveJoin,
  resolveLimits,
  resolveLog,
  resolveTelemetry,
  resolveTls,
  resolveUi,
} from './resolve-sections.ts';

export interface ResolveOptions {
  readonly host: ConfigHost;
  readonly devMode: boolean;
  readonly redisUrl: string | undefined;
  /** What flags and files say, without what -dev implies. */
  readonly given: RawConfig;
}

/** What -dev means; files and flags have the last word. */
export const DEV_DEFAULTS: RawConfig = {
  bind_addr: '127.0.0.1',
  log_level: 'DEBUG',
  server: true,
  enable_debug: true,
  ui: true,
  leave_on_terminate: false,
  skip_leave_on_interrupt: true,
  connect: { enabled: true },
  performance: { raft_multiplier: 1 },
  ports: { grpc: 8502 },
};

/** Throws one error that tells everything that is wrong. */
export function resolve(
  raw: RawConfig,
  { host, devMode, redisUrl, given }: ResolveOptions,
): { config: Config; warnings: readonly string[] } {
  const problems = new Problems();
  const reading = { raw, host, problems, devMode };
  const server = raw.server ?? false;
  const node = resolveNode(reading);
  const ports = resolvePorts(reading);
  const address = resolveAddresses(reading);
  networks('serf_lan_allowed_cidrs', raw.serf_lan_allowed_cidrs, problems);
  networks('serf_wan_allowed_cidrs', raw.serf_wan_allowed_cidrs, problems);
  refuseSegments(raw, problems);
  const config: Config = {
    server,
    devMode,
    ...node,
    ...resolveBootstrap(raw, problems),
    ports,
    address,
    listen: resolveListen(reading, ports, address),
    join: resolveJoin(raw, problems),
    leaveOnTerminate: raw.leave_on_terminate ?? !server,
    skipLeaveOnInterrupt: raw.skip_leave_on_interrupt ?? server,
    leaveDrainTimeMs: problems.durationMs(
      'performance.leave_drain_time',
      raw.performance?.leave_drain_time,
      5000,
    ),
    acl: resolveAcl(raw, problems),
    dns: resolveDns(raw, problems),
    http: resolveHttp(raw, problems),
    limits: resolveLimits(raw, problems),
    checkPolicy: resolveCheckPolicy(raw, problems),
    services: raw.services ?? [],
    checks: raw.checks ?? [],
    watches: raw.watches ?? [],
    sessionTtlMinMs: problems.durationMs('session_ttl_min', raw.session_ttl_min, 0),
    disableRemoteExec: raw.disable_remote_exec ?? true,
    disableCoordinates: raw.disable_coordinates ?? false,
    discoveryMaxStaleMs: problems.durationMs('discovery_max_stale', raw.discovery_max_stale, 0),
    enableDebug: raw.enable_debug ?? false,
    translateWanAddrs: raw.translate_wan_addrs ?? false,
    raftMultiplier: resolveRaftMultiplier(raw, problems),
    connectEnabled: raw.connect?.enabled ?? false,
    configEntries: raw.config_entries?.bootstrap ?? [],
    log: resolveLog(raw, problems),
    tls: resolveTls(raw, problems),
    ui: resolveUi(raw, problems),
    autopilot: resolveAutopilot(raw, problems),
    telemetry: resolveTelemetry(raw, problems),
    redis: resolveRedis({ raw, problems, redisUrl }),
    docker: resolveDocker(raw, problems),
    workers: problems.atLeast('workers', raw.workers, { min: 1, fallback: 1 }),
  };
  refuseBadDefinitions(raw, problems);
  refuseBadForeign(raw, problems);
  refuseBadKey(raw.encrypt ?? '', problems);
  const summary = problems.summary();
  if (summary !== undefined) throw new ProconsulError('invalid', summary);
  reportNoEffect(given, problems);
  return { config: deepFreeze(config), warnings: problems.warnings };
}

function resolveBootstrap(raw: RawConfig, problems: Problems) {
  const { bootstrap = false, server = false } = raw;
  const expect = problems.atLeast('bootstrap_expect', raw.bootstrap_expect, {
    min: 0,
    fallback: 0,
  });
  if (bootstrap && !server) problems.refuse("'bootstrap = true' requires 'server = true'");
  if (expect > 0 && !server) problems.refuse("'bootstrap_expect > 0' requires 'server = true'");
  if (bootstrap && expect > 0) {
    problems.refuse("'bootstrap_expect > 0' and 'bootstrap = true' are mutually exclusive");
  }
  if (expect === 2) {
    problems.warn('bootstrap_expect = 2: when one of two servers fails, there is no majority');
  } else if (expect > 2 && expect % 2 === 0) {
    problems.warn('bootstrap_expect is even: one server less stands as many failures');
  }
  return { bootstrap: bootstrap || expect === 1, bootstrapExpect: expect === 1 ? 0 : expect };
}

function refuseBadKey(encrypt: string, problems: Problems): void {
  const good = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(encrypt);
  if (!good) problems.refuse('encrypt has invalid key: illegal base64 data');
}

function resolveRaftMultiplier(raw: RawConfig, problems: Problems): number {
  const multiplier = raw.performance?.raft_multiplier ?? 5;
  if (multiplier < 1 || multiplier > 10) {
    problems.refuse(
      `performance.raft_multiplier cannot be ${multiplier}. Must be between 1 and 10`,
    );
  }
  return multiplier;
}

function refuseSegments(raw: RawConfig, problems: Problems): void {
  if (!raw.segment && !raw.segments?.length) return;
  problems.refuse('Network segments are not supported in this version of Consul');
}

/** Maps cannot be frozen; their type says that nobody may write to them. */
function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const each of Object.values(value)) deepFreeze(each);
  return Object.freeze(value);
}
