/** The marks by which both sides know what came from the other: none of it goes back, and nothing else is changed. */

/** As consul-k8s labels what it makes. */
const CONSUL_LABEL = 'consul';
const MANAGED_BY = 'app.kubernetes.io/managed-by';
export const MANAGER = 'proconsul';

/** Where nobody names one. */
export const DEFAULT_OWNER = 'k8s-sync';
/** Of which sync it is: another may be at work in the same cluster. */
const OWNER_LABEL = 'app.kubernetes.io/instance';

/** Labels by which `isOurs` tells. */
export function isMark(label: string): boolean {
  return label === CONSUL_LABEL || label === MANAGED_BY;
}

/** Of what this program makes. */
export function ownedLabels(owner: string): Readonly<Record<string, string>> {
  return { [CONSUL_LABEL]: 'true', [MANAGED_BY]: MANAGER, [OWNER_LABEL]: owner };
}

/** By which what a sync made is told from all else. */
export function ownedSelector(owner: string): string {
  return `${MANAGED_BY}=${MANAGER},${OWNER_LABEL}=${owner}`;
}

export function isManagedBy(labels: ReadonlyMap<string, string>, owner: string): boolean {
  return labels.get(MANAGED_BY) === MANAGER && labels.get(OWNER_LABEL) === owner;
}

/** As which service of the catalog a Service was made. */
export const BROUGHT_AS = 'proconsul-service';

/**
 * What came from a catalog, by this program or by consul-k8s. Neither makes a Service with a selector: whoever applies one of
 * his own over it leaves the labels there.
 */
export function isOurs(labels: ReadonlyMap<string, string>, hasSelector: boolean): boolean {
  if (hasSelector) return false;
  return labels.get(CONSUL_LABEL) === 'true' || labels.get(MANAGED_BY) === MANAGER;
}

/** Says in an instance's metadata that it came from Kubernetes, and by whom. */
export const SOURCE_META = 'external-source';
export const SOURCE = 'kubernetes';
export const OWNER_META = 'external-k8s-sync';

/** The service under which all syncs are found in the catalog. */
export const SYNC_SERVICE = 'proconsul-k8s-sync';
