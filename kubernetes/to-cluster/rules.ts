/** Which services of the catalog come to the cluster, and as what. */
import { objectIn, pairsIn, type Said, textIn } from '../api/shapes.ts';
import { matchesAny } from '../names.ts';
import { BROUGHT_AS, SYNC_SERVICE } from '../ours.ts';

export interface BackRules {
  /** Where everything is made. */
  readonly namespace: string;
  /** With addresses, ports and readiness; or as a name that DNS looks up, as consul-k8s has it. */
  readonly kind: 'headless' | 'external-name';
  readonly owner: string;
  readonly namePrefix: string;
  /** Of the catalog's names, as `consul`. */
  readonly domain: string;
  /** Whatever has it came from this cluster. */
  readonly tag: string;
  readonly allow: readonly string[];
  readonly deny: readonly string[];
}

/** Neither the servers nor the syncs themselves. */
export function mayBeBrought(name: string, rules: BackRules): boolean {
  if (name === 'consul' || name === SYNC_SERVICE) return false;
  return matchesAny(name, rules.allow) && !matchesAny(name, rules.deny);
}

const LABEL = /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** The name of its Service; undefined where Kubernetes knows no such name. */
export function serviceName(name: string, { namePrefix }: BackRules): string | undefined {
  const lower = `${namePrefix}${name}`.toLowerCase();
  return LABEL.test(lower) ? lower : undefined;
}

/** Of a Service that does not say so it is by its name, which has no capitals. */
export function catalogNameOf(service: Said, { namePrefix }: BackRules): string {
  const { name, annotations } = objectIn(service['metadata']);
  const said = pairsIn(annotations).get(BROUGHT_AS) ?? '';
  return said === '' ? textIn(name).slice(namePrefix.length) : said;
}
