/** Reads configuration files, in JSON or HCL, as far as the keys of the table go. */
import { messageOf, ProconsulError } from '../errors.ts';
import { decodeJson } from '../json.ts';
import type { ConfigHost } from './config-host.ts';
import { decode, refusal } from './decode.ts';
import type { Flags } from './flags.ts';
import { parseHcl } from './hcl.ts';
import type { Tree } from './row.ts';
import { CONFIG_KEYS, type RawConfig } from './table.ts';

/** One file's text with what its errors call it. */
export interface ConfigFile {
  readonly name: string;
  readonly format: 'json' | 'hcl';
  readonly text: string;
}

interface FileAccess {
  readonly host: ConfigHost;
  readonly warnings: string[];
}

export function readFiles(flags: Flags, access: FileAccess): readonly ConfigFile[] {
  const { configFormat: format } = flags;
  if (format !== '' && format !== 'json' && format !== 'hcl') {
    throw new ProconsulError('invalid', "config: -config-format must be either 'hcl' or 'json'");
  }
  return flags.configPaths.flatMap((path) => readPath(path, format, access));
}

type Format = '' | 'json' | 'hcl';

function readPath(path: string, format: Format, access: FileAccess): readonly ConfigFile[] {
  const { host } = access;
  if (!attempt(path, () => host.isFolder(path))) return readFile(path, format, access);
  const names = [...attempt(path, () => host.readFolder(path))].sort();
  return (
    names
      .map((name) => `${path.replace(/\/+$/, '')}/${name}`)
      // As Consul, it does not go down into folders.
      .filter((inside) => !attempt(inside, () => host.isFolder(inside)))
      .flatMap((inside) => readFile(inside, format, access))
  );
}

function readFile(
  path: string,
  format: Format,
  { host, warnings }: FileAccess,
): readonly ConfigFile[] {
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
  } catch (error) {
    // All that the error says is in the text, in Consul's words: as a cause it would be said twice.
    throw new ProconsulError('invalid', `config: Open failed on ${path}. ${reason(path, error)}`);
  }
}

function reason(path: string, error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return `open ${path}: no such file or directory`;
  if (code === 'EACCES') return `open ${path}: permission denied`;
  return messageOf(error);
}

export function parseFile(
  { name, format, text }: ConfigFile,
  { host, warnings }: FileAccess,
): Tree {
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
    const reason = messageOf(cause);
    throw refusal(name, cause instanceof SyntaxError ? describeJsonFault(text, reason) : reason);
  }
}

/** One `check` and one `service` join the lists: a later file's would replace them. */
function pluralised({ check, service, ...rest }: RawConfig): Tree {
  return {
    ...rest,
    ...(check === undefined ? {} : { checks: [check, ...(rest.checks ?? [])] }),
    ...(service === undefined ? {} : { services: [service, ...(rest.services ?? [])] }),
  };
}

const TOKEN =
  /\s*(?:"(?:[^"\\\n]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null|[[\]{}:,])\s*/y;

/**
 * The reader's complaint about a JSON text with line and column, which it tells now as a position,
 * now not at all: neither helps in a file of a hundred lines.
 */
function describeJsonFault(text: string, complaint: string): string {
  const [, position] = / at position (\d+)/.exec(complaint) ?? [];
  // Without the piece of the text that may follow, for it may hold a token.
  const reason = complaint.replace(/, (?:\.\.\.)?"[\s\S]*$|(?: in JSON)? at position \d+.*$/, '');
  const at = position === undefined ? firstStranger(text) : Number(position);
  if (at >= text.length) return reason;
  const before = text.slice(0, at);
  const column = before.length - before.lastIndexOf('\n');
  return `At ${before.split('\n').length}:${column}: ${reason}`;
}

/** Where what stands there is no word of JSON. */
function firstStranger(text: string): number {
  TOKEN.lastIndex = 0;
  let at = 0;
  while (TOKEN.test(text)) at = TOKEN.lastIndex;
  return at;
}
