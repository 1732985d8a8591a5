/** The tables of docs/configuration.md, made of the rows that the configuration is read by. */
import { FILE_KEYS } from '../agent/definitions/file-keys.ts';
import { eachRow, isRow, type Keys, type Row } from '../lib/config/row.ts';
import { CONFIG_KEYS, KEY_GROUPS } from '../lib/config/table.ts';
import { formatDuration, NS_PER_MS } from '../lib/duration.ts';

export const TABLES_BEGIN = '<!-- The rest is made by `npm run configuration`. -->';

export function configurationTables(): string {
  const groups = KEY_GROUPS.flatMap(([title, keys]) => [
    `## ${title}`,
    '| key | kind | default | flag | here |',
    '| --- | --- | --- | --- | --- |',
    ...lines(keys),
    '',
  ]);
  const definitions = ['service', 'check'].flatMap((key) => [
    `- \`${key}\` and \`${key}s\`: ${names(FILE_KEYS[key as 'service' | 'check'])}`,
  ]);
  return [
    TABLES_BEGIN,
    '',
    ...groups,
    '## Services and checks in files',
    'One, or a list of them; a reload takes them over.',
    '',
    ...definitions,
    '',
    '## Keys of a later Consul',
    'They are accepted, whatever they say, and reported at start.',
    '',
    `${newerKeys().join(', ')}`,
    '',
  ].join('\n');
}

function lines(keys: Keys): readonly string[] {
  const rows: string[] = [];
  eachRow(keys, (path, row) => {
    if (row.kind !== 'newer') rows.push(line(path, row));
  });
  return rows;
}

function line(path: string, row: Row): string {
  const flag = row.flag === undefined ? '' : `\`-${row.flag}\``;
  return `| \`${path}\` | ${row.kind} | ${shown(row)} | ${flag} | ${here(row)} |`;
}

/** The defaults of most kinds say nothing. */
function shown({ kind, default: value }: Row): string {
  if (kind === 'duration') return value === 0 ? '' : formatDuration(Number(value) * NS_PER_MS);
  const plain = typeof value === 'string' || typeof value === 'number' || value === true;
  return plain && value !== '' && value !== 0 ? String(value) : '';
}

function here({ effect, does, reloads }: Row): string {
  if (effect === 'refused') return `**refused**: asks for ${does}`;
  if (effect === 'deprecated') return 'nothing: deprecated in Consul, and warned of';
  return reloads ? `${does} A reload takes it over.` : does;
}

function names(keys: Keys): string {
  return Object.entries(keys)
    .filter(([, key]) => !isRow(key) || key.kind !== 'newer')
    .map(([key]) => `\`${key}\``)
    .join(', ');
}

function newerKeys(): readonly string[] {
  const found: string[] = [];
  eachRow(CONFIG_KEYS, (path, { kind }) => {
    if (kind === 'newer') found.push(`\`${path}\``);
  });
  return found;
}
