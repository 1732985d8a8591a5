/** Reads flags and files and makes the configuration of them. */
import { ProconsulError } from '../errors.ts';
import { decodeJson } from '../json.ts';
import { AGENT_FLAGS } from './agent-flags.ts';
import { type Config, resolve, type Surroundings } from './config.ts';
import type { ConfigHost } from './config-host.ts';
import { decode, refusal } from './decode.ts';
import { type Flags, parseFlags } from './flags.ts';
import { parseHcl } from './hcl.ts';
import { describeJsonFault } from './json-fault.ts';
import { merge } from './merge.ts';
import { Problems } from './problems.ts';
import type { Tree } from './row.ts';
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

/** One file's text with what its errors call it. */
interface Source {
  readonly name: string;
  readonly format: 'json' | 'hcl';
  readonly text: string;
}

/** What -dev means; files and flags have the last word. */
const DEV_DEFAULTS: RawConfig = {
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
  const sources = readSources(flags, { host, warnings });
  return merge(sources.map((source) => parseSource(source, { host, warnings })));
}

function load(flags: Flags, host: ConfigHost, around: Surroundings): LoadedConfig {
  const warnings: string[] = [];
  const given = merge([
    flags.lists,
    ...readSources(flags, { host, warnings }).map((source) =>
      parseSource(source, { host, warnings }),
    ),
    flags.values,
    ...flags.fragments.map((text, i) =>
      parseSource({ name: `flags-${i}.hcl`, format: 'hcl', text }, { host, warnings }),
    ),
  ]);
  const raw = flags.dev ? merge([DEV_DEFAULTS, given]) : given;
  const problems = new Problems();
  const settled = settle(raw, CONFIG_KEYS, problems);
  judgeEffects(given, CONFIG_KEYS, problems);
  const config = resolve(settled, { ...around, raw, host, problems, devMode: flags.dev });
  return { config, settled, warnings: [...warnings, ...problems.warnings] };
}

interface Reading {
  readonly host: ConfigHost;
  readonly warnings: string[];
}

function readSources(flags: Flags, reading: Reading): readonly Source[] {
  const { configFormat: format } = flags;
  if (format !== '' && format !== 'json' && format !== 'hcl') {
    throw new ProconsulError('invalid', "config: -config-format must be either 'hcl' or 'json'");
  }
  return flags.configPaths.flatMap((path) => readPath(path, format, reading));
}

type Format = '' | 'json' | 'hcl';

function readPath(path: string, format: Format, reading: Reading): readonly Source[] {
  const { host } = reading;
  if (!attempt(path, () => host.isFolder(path))) return readFile(path, format, reading);
  const names = [...attempt(path, () => host.readFolder(path))].sort();
  return (
    names
      .map((name) => `${path.replace(/\/+$/, '')}/${name}`)
      // As Consul, it does not go down into folders.
      .filter((inside) => !attempt(inside, () => host.isFolder(inside)))
      .flatMap((inside) => readFile(inside, format, reading))
  );
}

function readFile(path: string, format: Format, { host, warnings }: Reading): readonly Source[] {
  const known = format === '' ? formatOf(path) : format;
  if (known === undefined) {
    warnings.push(
      `skipping file ${path}, extension must be .hcl or .json, or config format must be set`,
    );
    return [];
  }
  return [{ name: path, format: known, text: attempt(path, () => host.readFile(path)) }];
}

function formatOf(path: string): 'json' | 'hcl' | undefined {
  if (path.endsWith('.json')) return 'json';
  return path.endsWith('.hcl') ? 'hcl' : undefined;
}

function attempt<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new ProconsulError('invalid', `config: Open failed on ${path}. ${reason(path, cause)}`, {
      cause,
    });
  }
}

function reason(path: string, error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return `open ${path}: no such file or directory`;
  if (code === 'EACCES') return `open ${path}: permission denied`;
  return error instanceof Error ? error.message : String(error);
}

function parseSource({ name, format, text }: Source, { host, warnings }: Reading): Tree {
  // As Consul, it takes an empty file for one that says nothing: whoever makes it writes it later.
  const input = text === '' ? {} : (readText(name, format, text.replace(/^\uFEFF/, '')) ?? {});
  const { value, newerKeys } = decode(input, { ...CONFIG_KEYS, ...host.definitions }, name);
  for (const key of newerKeys) {
    warnings.push(`${name}: the key ${key} is of a later Consul and has no effect`);
  }
  return pluralised(value);
}

function readText(name: string, format: 'json' | 'hcl', text: string): unknown {
  try {
    return format === 'json' ? decodeJson(text) : parseHcl(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw refusal(name, cause instanceof SyntaxError ? describeJsonFault(text, reason) : reason);
  }
}

/** One `check` and one `service` join the lists, lest a later file's replace them. */
function pluralised({ check, service, ...rest }: RawConfig): Tree {
  return {
    ...rest,
    ...(check === undefined ? {} : { checks: [check, ...(rest.checks ?? [])] }),
    ...(service === undefined ? {} : { services: [service, ...(rest.services ?? [])] }),
  };
}
