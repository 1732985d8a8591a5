/** The table of keys is whole: every row says what it does, and what works is read by something. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { configurationTables, TABLES_BEGIN } from '../../../docs/configuration-table.ts';
import { type Config, resolve } from '../../../lib/config/config.ts';
import { loadConfig } from '../../../lib/config/load.ts';
import { Problems } from '../../../lib/config/problems.ts';
import { eachRow, isTree, type Row } from '../../../lib/config/row.ts';
import { settle } from '../../../lib/config/settle.ts';
import { CONFIG_KEYS, KEY_GROUPS, type SettledConfig } from '../../../lib/config/table.ts';
import { fakeConfigHost } from '../../support/fakes/fake-config-host.ts';

const TOP = fileURLToPath(new URL('../../..', import.meta.url));
const ROWS: (readonly [path: string, row: Row])[] = [];
eachRow(CONFIG_KEYS, (path, row) => void ROWS.push([path, row]));

/** Everything that reads a configuration: the product without lib/config. */
function readers(): string {
  const texts: string[] = [];
  const walk = (folder: string) => {
    for (const entry of readdirSync(join(TOP, folder), { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (path === 'lib/config') continue;
      if (entry.isDirectory()) walk(path);
      else if (path.endsWith('.ts')) texts.push(readFileSync(join(TOP, path), 'utf8'));
    }
  };
  for (const folder of ['agent', 'server', 'cli', 'lib', 'xds']) walk(folder);
  return texts.join('\n');
}

/** Paths of all single values, `shown` and definitions aside. */
function leaves(value: unknown, path: string): readonly string[] {
  if (/^(shown|services|checks|nodeMeta|address\.tagged)\b/.test(path)) return [];
  if (!isTree(value) || value instanceof Map) return [path];
  return Object.entries(value).flatMap(([key, inner]) =>
    leaves(inner, path === '' ? key : `${path}.${key}`),
  );
}

/** Read within lib/config alone: others follow from them, and agent/self shows them. */
const INNER = new Set([
  'address.clients',
  'address.advertiseWan',
  'address.serfLanBind',
  'address.serfWanBind',
  'devMode',
  'ports.https',
  'ports.grpc',
]);

/** Notes which values are read. */
function recorder(value: object, under: string, read: (path: string) => void): object {
  return new Proxy(value, {
    get(target, key) {
      const path = under === '' ? String(key) : `${under}.${String(key)}`;
      const inner: unknown = Reflect.get(target, key);
      if (isTree(inner) && !ROWS.some(([each]) => each === path)) {
        return recorder(inner, path, read);
      }
      read(path);
      return inner;
    },
  });
}

describe('the table of configuration keys', () => {
  it('has one row a key, in one group', () => {
    const grouped: string[] = [];
    for (const [, keys] of KEY_GROUPS) eachRow(keys, (path) => void grouped.push(path));
    const all = ROWS.map(([path]) => path);
    assert.equal(new Set(grouped).size, grouped.length);
    // Definitions have a chapter of their own.
    const single = all.filter((path) => !/^(check|service)s?$/.test(path));
    assert.deepEqual([...grouped].sort(), [...single].sort());
  });

  it('says of every key what it does', () => {
    const silent = ROWS.filter(([, { does }]) => does.trim() === '');
    assert.deepEqual(
      silent.map(([path]) => path),
      [],
    );
  });

  it('gives each flag and each name in DebugConfig once', () => {
    for (const name of ['flag', 'shown'] as const) {
      const names = ROWS.flatMap(([, row]) => row[name] ?? []);
      assert.deepEqual(
        names.filter((each, i) => names.indexOf(each) !== i),
        [],
      );
    }
  });

  it('has no key that claims to work and that nothing reads', () => {
    const reads = new Map<string, number>();
    const problems = new Problems();
    const settled = settle({ data_dir: '/d', bind_addr: '127.0.0.1' }, CONFIG_KEYS, problems);
    const recorded = recorder(settled, '', (path) => reads.set(path, (reads.get(path) ?? 0) + 1));
    const source = { raw: {}, host: fakeConfigHost(), problems, devMode: false };
    resolve(recorded as SettledConfig, { ...source, redisUrl: 'redis://r' });
    const unread = ROWS.filter(([path, { effect = 'works', kind, shown }]) => {
      if (effect !== 'works' || kind === 'newer' || /^(check|service)s?\b/.test(path)) return false;
      // To be shown is one reading.
      return (reads.get(path) ?? 0) < (shown === undefined ? 1 : 2);
    });
    assert.deepEqual(
      unread.map(([path]) => path),
      // Of `ui` another key is made where sources are joined.
      ['ui', 'segments'],
    );
  });

  it('gives no value that nothing in the product reads', () => {
    const argv = ['-dev', '-redis=redis://r', '-bind=127.0.0.1'];
    const config: Config = loadConfig({ argv, host: fakeConfigHost() }).config;
    const text = readers();
    const unread = leaves(config, '').filter((path) => {
      const name = path.split('.').at(-1) ?? '';
      return !INNER.has(path) && !new RegExp(`\\b${name}\\b`).test(text);
    });
    assert.deepEqual(unread, []);
  });

  it('is what docs/configuration.md says: run `npm run configuration`', () => {
    const page = readFileSync(join(TOP, 'docs/configuration.md'), 'utf8');
    assert.equal(page.slice(page.indexOf(TABLES_BEGIN)), configurationTables());
  });
});
