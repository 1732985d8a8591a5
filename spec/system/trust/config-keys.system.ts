/**
 * Gives every configuration key a right value, and values of other kinds, and says what becomes of them:
 * obeyed, refused by name, or reported as without effect; and whether a real Consul says the same of the
 * file, where one is named. One line a key, and one for each value that only one of both takes. What Consul takes
 * and this refuses with a reason is meant (docs/compat.md); what this takes and Consul refuses, or a
 * key without effect that is not reported, makes the exit code 1.
 *
 *   node --import tsx spec/system/trust/config-keys.system.ts [path of a consul 1.8] [KEY]
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { configHost } from '../../../cli/process/config-host.ts';
import { validateConfigFiles } from '../../../lib/config/load.ts';
import { eachRow, type Kind, type Row } from '../../../lib/config/row.ts';
import { CONFIG_KEYS } from '../../../lib/config/table.ts';
import { messageOf } from '../../../lib/errors.ts';
import { report, SHORT_MS } from '../report.ts';

const run = promisify(execFile);
const CONSUL = process.argv[2] ?? '';
const ONLY = process.argv[3] ?? '';
const AT_ONCE = 3;

const folder = mkdtempSync(join(tmpdir(), 'config-keys-'));
const BASE = { data_dir: join(folder, 'data'), bind_addr: '127.0.0.1' };

/** The first is right for the kind; the others are of other kinds, or at the edges. */
const VALUES: Readonly<Record<Kind, readonly unknown[]>> = {
  bool: [true, 'true', 'perhaps', 5, [true]],
  string: ['x', '', 5, true, ['x'], {}],
  int: [7, '7', 'x', 1.5, -1, true],
  float: [0.5, '0.5', 'x', -1],
  duration: ['11s', '10', 'x', 5, '-1s', true],
  strings: [['x'], 'x', [5], [], { a: 'x' }],
  map: [{ a: 'x' }, { a: 5 }, 'x', []],
  lists: [{ a: ['x'] }, { a: 'x' }, 'x'],
  addresses: [{ a: { address: '127.0.0.1', port: 1 } }, { a: 5 }, 'x'],
  tree: [{ a: 'x' }, {}, 'x', []],
  trees: [[{ a: 'x' }], [], 'x', {}],
  newer: ['x'],
};

interface Verdict {
  readonly isValid: boolean;
  readonly said: string;
}

/** Without effect here, so that nobody looks at what else they need, or at what is in them; or free. */
const FREE = new Set([
  'audit.sink',
  'connect.enable_mesh_gateway_wan_federation',
  'config_entries.bootstrap',
  'primary_gateways',
]);

/** Of a key that is set by itself the right value is the other one: what changes nothing is not reported. */
function valuesOf({ kind, default: fallback }: Row): readonly unknown[] {
  return fallback === true ? [false, ...VALUES[kind]] : VALUES[kind];
}

/** A dot before a digit is a part of a name. */
function nested(path: string, value: unknown): object {
  return path
    .split(/\.(?!\d)/)
    .reverse()
    .reduce<unknown>((inner, key) => ({ [key]: inner }), value) as object;
}

function ours(file: string): Verdict {
  try {
    const { warnings } = validateConfigFiles([file], { host: configHost });
    return { isValid: true, said: warnings.join('; ') };
  } catch (error) {
    return { isValid: false, said: messageOf(error) };
  }
}

async function theirs(file: string): Promise<Verdict> {
  try {
    const { stdout } = await run(CONSUL, ['validate', file]);
    return { isValid: true, said: stdout };
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    return { isValid: false, said: `${stdout}${stderr}` };
  }
}

const oneLine = (text: string) => text.replaceAll(/\s+/g, ' ').slice(0, 160);

/** What a key that is given is worth: by the word of its row, and by what is said of it. */
function worth(path: string, row: Row, { isValid, said }: Verdict): string {
  const named = said.includes(path.split(/\.(?!\d)/).at(-1) ?? path);
  switch (row.effect ?? (row.kind === 'newer' ? 'none' : 'works')) {
    case 'refused':
      return !isValid && named ? 'refused by name' : 'NOT REFUSED BY NAME';
    case 'none':
      // A value that is none of those that there are.
      if (!isValid) return 'refused';
      return named ? 'reported' : 'NOT REPORTED';
    case 'deprecated':
      return said.includes('deprecated') ? 'reported' : 'NOT REPORTED';
    case 'moot':
      return 'so anyway';
    default:
      return 'obeyed';
  }
}

const rows: (readonly [path: string, row: Row])[] = [];
eachRow(CONFIG_KEYS, (path, row) => {
  if (path.includes(ONLY)) rows.push([path, row]);
});

let count = 0;

function fileWith(path: string, value: unknown): string {
  const file = join(folder, `${++count}.json`);
  writeFileSync(file, JSON.stringify({ ...BASE, ...nested(path, value) }));
  return file;
}

/** How both judge a value that only one of them takes; undefined where they agree. */
async function difference(path: string, value: unknown) {
  const file = fileWith(path, value);
  const [own, consul] = [ours(file), await theirs(file)];
  if (/invalid config key/.test(consul.said)) return 'unknown';
  if (own.isValid === consul.isValid) return undefined;
  const word = ({ isValid, said }: Verdict) => (isValid ? 'valid' : oneLine(said));
  const line = `${JSON.stringify(value)}: here ${word(own)}; Consul ${word(consul)}`;
  return { line, isLaxer: own.isValid && !FREE.has(path) };
}

async function look(path: string, row: Row, say: (line: string) => void): Promise<number> {
  const values = valuesOf(row);
  let what = worth(path, row, ours(fileWith(path, values[0])));
  let failed = what.startsWith('NOT') ? 1 : 0;
  const lines: string[] = [];
  for (const value of CONSUL === '' ? [] : values) {
    const found = await difference(path, value);
    if (found === 'unknown') {
      what += ', unknown to Consul';
      break;
    }
    if (found === undefined) continue;
    lines.push(`\n    ${found.line}`);
    if (found.isLaxer) failed++;
  }
  say(`${path} (${row.kind}): ${what}${lines.join('')}`);
  return failed;
}

await report(async (say) => {
  let failed = 0;
  const left = [...rows];
  const worker = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const more = await look(next[0], next[1], say);
      failed += more;
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  } finally {
    rmSync(folder, { recursive: true });
  }
  say(`${rows.length} keys`);
  return failed;
}, SHORT_MS);
