/** What /v1/agent/self shows of the keys that are shown as they are: by the names of their rows. */
import { formatDuration, NS_PER_MS } from '../duration.ts';
import { eachRow, type Row, type Tree, valueAt } from './row.ts';
import { CONFIG_KEYS, type SettledConfig } from './table.ts';

/** What stands in the place of every secret, also of one that is not set. */
export const HIDDEN = 'hidden';

export function shownKeys(settled: SettledConfig, others: Tree): Tree {
  const shown: Record<string, unknown> = {};
  eachRow(CONFIG_KEYS, (path, row) => {
    if (row.shown !== undefined) put(shown, row.shown, display(row, valueAt(settled, path)));
  });
  return {
    ...shown,
    ...others,
    ConfigEntryBootstrap: settled.config_entries.bootstrap,
    // As 1.8 shows them: what they are made of holds tokens, headers and passwords.
    Watches: settled.watches.map(() => ({})),
    ...filters(settled.telemetry.prefix_filter, shown['Telemetry'] as Tree),
  };
}

function display(row: Row, value: unknown): unknown {
  if (row.secret) return HIDDEN;
  return row.kind === 'duration' && typeof value === 'number' ? time(value) : value;
}

/** The names are the table's own, never a user's. */
function put(tree: Record<string, unknown>, name: string, value: unknown): void {
  const [head = '', tail] = name.split('.', 2);
  tree[head] = tail === undefined ? value : { ...(tree[head] as Tree), [tail]: value };
}

function filters(rules: readonly string[], telemetry: Tree): Tree {
  const starting = (sign: string) =>
    rules.filter((rule) => rule.startsWith(sign)).map((rule) => rule.slice(1));
  const prefixes = { AllowedPrefixes: starting('+'), BlockedPrefixes: starting('-') };
  return { Telemetry: { ...telemetry, ...prefixes, Disable: false } };
}

export function time(ms: number): string {
  return formatDuration(Math.round(ms * NS_PER_MS));
}
