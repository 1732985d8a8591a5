/**
 * What the catalog says of nodes that no agent sees to: how long a report of a check counts, and which
 * checks are to be looked at. An agent keeps all that to itself, and registers no definition.
 */
import { saysOf } from '../../lib/check-types.ts';
import { NS_PER_MS, parseDuration } from '../../lib/duration.ts';
import { sameJson } from '../../lib/equal.ts';
import { type Check, type CheckDefinition, lookUp, type Node } from '../../lib/model.ts';

/** The check of a node itself, kept by whoever looks at external nodes; named by consul-esm. */
export const NODE_HEALTH = 'externalNodeHealth';

type Defined = Pick<CheckDefinition, 'Definition' | 'Type'>;

/** Whether its definition says how it is seen to. */
export function isDeclared({ Definition }: Defined): boolean {
  return ['TTL', 'HTTP', 'TCP', 'Interval'].some(saysOf(Definition));
}

/**
 * For how long a report of it counts; 0 for one that nobody reports. Go's client has no field for it
 * in a definition: whoever says that the type is ttl has said how long by the interval.
 */
export function ttlMs(check: Defined): number {
  return durationMs(check, 'TTL') || (check.Type === 'ttl' ? durationMs(check, 'Interval') : 0);
}

/** How long it may be critical before its service goes; 0 for ever. */
export function deregisterAfterMs(check: Defined): number {
  return durationMs(check, 'DeregisterCriticalServiceAfter');
}

/** Text, or nanoseconds where it came with a Consul's archive. */
function durationMs({ Definition }: Defined, field: string): number {
  const said = Object.hasOwn(Definition, field) ? Definition[field] : undefined;
  const ns = typeof said === 'string' ? parseDuration(said) : said;
  return typeof ns === 'number' && ns > 0 ? ns / NS_PER_MS : 0;
}

/** Whether it is looked at by whoever looks at external nodes. */
export function isLookedAt(check: Check): boolean {
  if (check.CheckID === NODE_HEALTH || ttlMs(check) > 0) return false;
  return ['HTTP', 'TCP'].some(saysOf(check.Definition));
}

/** Whether the same is to be looked at as before; how it stands changes with every look. */
export function isSameToSee(before: Check, now: Check | undefined): boolean {
  if (now === undefined || before.CreateIndex !== now.CreateIndex) return false;
  return sameJson(before.Definition, now.Definition);
}

export function isExternal({ Meta }: Pick<Node, 'Meta'>): boolean {
  return lookUp(Meta, 'external-node') === 'true';
}

/** Whether it is to be seen whether the node itself lives. */
export function isProbed({ Meta }: Pick<Node, 'Meta'>): boolean {
  return lookUp(Meta, 'external-probe') === 'true';
}

/** What somebody could register to have this very row. */
export function definitionOf(check: Check): CheckDefinition {
  const { CheckID, Name, Status, Notes, Output, ServiceID, Type, Definition } = check;
  return { CheckID, Name, Status, Notes, Output, ServiceID, Type, Definition };
}
