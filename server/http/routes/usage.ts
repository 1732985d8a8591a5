/** How much is in the catalog, as /v1/operator/usage counts it. */
import type { Catalog } from '../../state/catalog.ts';

/** What is counted apart from all else: the kinds of the mesh. */
const KINDS = [
  'api-gateway',
  'connect-proxy',
  'ingress-gateway',
  'mesh-gateway',
  'terminating-gateway',
];
const NATIVE = 'connect-native';
/** The servers themselves. */
const CONSUL = 'consul';

export function usageOf({
  nodes,
  instances,
  serviceNames,
}: Pick<Catalog, 'nodes' | 'instances' | 'serviceNames'>) {
  const connect = new Map([NATIVE, ...KINDS].map((kind) => [kind, 0]));
  const count = (kind: string) => connect.set(kind, (connect.get(kind) ?? 0) + 1);
  let billable = 0;
  for (const { Kind, Service, Connect } of instances.values()) {
    if (Kind !== '') count(Kind);
    else if (Service !== CONSUL) billable++;
    if (Connect['Native'] === true) count(NATIVE);
  }
  return {
    Nodes: nodes.size,
    Services: serviceNames.size,
    ServiceInstances: instances.size,
    ConnectServiceInstances: Object.fromEntries([...connect].sort()),
    BillableServiceInstances: billable,
  };
}
