/** Reads flags and files and makes the configuration of them. */
import { AGENT_FLAGS } from './agent-flags.ts';
import { type Config, resolve, type Surroundings } from './config.ts';
import type { ConfigHost } from './config-host.ts';
import { type Flags, parseFlags } from './flags.ts';
import { Problems } from './problems.ts';
import { parseFile, readFiles } from './read-files.ts';
import { isTree, type Tree } from './row.ts';
import { judgeEffects, settle } from './settle.ts';
import { CONFIG_KEYS, type RawConfig, type SettledConfig } from './table.ts';

export interface LoadOptions {
  /** What follows `agent` on the command line. */
  readonly argv: readonly string[];
  readonly host: ConfigHost;
  /** PROCONSUL_REDIS_URL: stands in where neither flag nor file names a Redis. */
  readonly redisUrl?: string | undefined;
}

export interface LoadedConfig {
  readonly config: Config;
  /** What each key came to. */
  readonly settled: SettledConfig;
  /** Lines for the log: what is accepted and has no effect, and what is dangerous. */
  readonly warnings: readonly string[];
}

/** What -dev means; files and flags have the last word. */
const DEV_DEFAULTS: RawConfig = {
  bind_addr: '127.0.0.1',
  log_level: 'DEBUG',
  server: true,
  enable_debug: true,
  ui_config: { enabled: true },
  leave_on_terminate: false,
  skip_leave_on_interrupt: true,
  connect: { enabled: true },
  performance: { raft_multiplier: 1 },
  ports: { grpc: 8502 },
};

/**
 * Joins, in this order: defaults, -dev, the flags' lists, the files as they are given, the flags.
 * Throws ProconsulError 'invalid' with what Consul prints; the caller prints it and exits with 1.
 */
export function loadConfig({ argv, host, redisUrl }: LoadOptions): LoadedConfig {
  return load(parseFlags(argv, AGENT_FLAGS), host, { redisUrl });
}

/** What `validate` does: as loadConfig, of nothing but these files and folders. */
export function validateConfigFiles(
  paths: readonly string[],
  { host, format = '' }: { readonly host: ConfigHost; readonly format?: string },
): LoadedConfig {
  const flags = { ...parseFlags([], AGENT_FLAGS), configPaths: paths, configFormat: format };
  return load(flags, host, { filesAlone: true });
}

/** What the files and folders say, joined and not resolved: definitions to register are read so. */
export function readConfigFiles(paths: readonly string[], host: ConfigHost): RawConfig {
  const warnings: string[] = [];
  const flags = { ...parseFlags([], AGENT_FLAGS), configPaths: paths };
  const found = readFiles(flags, { host, warnings });
  return merge(found.map((file) => parseFile(file, { host, warnings })));
}

function load(flags: Flags, host: ConfigHost, around: Surroundings): LoadedConfig {
  const warnings: string[] = [];
  const given = merge([
    flags.lists,
    ...readFiles(flags, { host, warnings }).map((source) => parseFile(source, { host, warnings })),
    flags.values,
    ...flags.fragments.map((text, i) =>
      parseFile({ name: `flags-${i}.hcl`, format: 'hcl', text }, { host, warnings }),
    ),
  ]);
  const raw = flags.dev ? merge([DEV_DEFAULTS, given]) : given;
  const problems = new Problems();
  const settled = settle(raw, CONFIG_KEYS, problems);
  judgeEffects(given, CONFIG_KEYS, problems);
  const config = resolve(settled, { ...around, raw, host, problems, devMode: flags.dev });
  return { config, settled, warnings: [...warnings, ...problems.warnings] };
}

/**
 * Joins what several sources say, the later ones last: of single values the last one stands, lists
 * are strung together, objects are joined key by key. As Consul does it.
 */
function merge(sources: readonly Tree[]): Tree {
  return sources.map(withUi).reduce(mergeTwo, {});
}

/** `ui` is an earlier name of another key: what a source says last stands, by whichever name it says it. */
function withUi(source: Tree): Tree {
  const { ui, ui_config: section = {} } = source;
  if (ui === undefined || !isTree(section) || section['enabled'] !== undefined) return source;
  return { ...source, ui_config: { ...section, enabled: ui } };
}

function mergeTwo(earlier: Tree, later: Tree): Tree {
  const merged = new Map(Object.entries(earlier));
  for (const [key, value] of Object.entries(later)) {
    merged.set(key, mergeValues(merged.get(key), value));
  }
  return Object.fromEntries(merged);
}

function mergeValues(earlier: unknown, later: unknown): unknown {
  if (Array.isArray(earlier) && Array.isArray(later)) return [...earlier, ...later];
  if (isTree(earlier) && isTree(later)) return mergeTwo(earlier, later);
  return later;
}
