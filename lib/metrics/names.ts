/** What a row is called outside: its prefix, the host, and which rows are shown at all. */
import { isOwn, type Metric } from './metric.ts';

export interface Naming {
  /** telemetry.metrics_prefix: of Consul's names, never of our own. */
  readonly prefix: string;
  /** As Consul puts it into the names of gauges; '' for nowhere. */
  readonly host: string;
  readonly filter: PrefixFilter;
}

/** telemetry.prefix_filter: of all prefixes that fit, the longest says whether it is shown. */
export interface PrefixFilter {
  readonly allowed: readonly string[];
  readonly blocked: readonly string[];
  /** Of what no prefix fits. */
  readonly byDefault: boolean;
}

/** With dots, as Consul's JSON has it; undefined where it is not to be shown. */
export function shownName(
  { name, kind }: Metric,
  naming: Naming,
  host = naming.host,
): string | undefined {
  const parts = isOwn(name) ? [name] : [naming.prefix, kind === 'gauge' ? host : '', name];
  const full = parts.filter((part) => part !== '').join('.');
  return isShown(full, naming.filter) ? full : undefined;
}

function isShown(name: string, { allowed, blocked, byDefault }: PrefixFilter): boolean {
  const yes = longest(name, allowed);
  const no = longest(name, blocked);
  if (yes < 0 && no < 0) return byDefault;
  // Of the same rule twice Consul takes the one that blocks.
  return yes > no;
}

function longest(name: string, prefixes: readonly string[]): number {
  const lengths = prefixes.filter((prefix) => name.startsWith(prefix)).map(({ length }) => length);
  return Math.max(-1, ...lengths);
}
