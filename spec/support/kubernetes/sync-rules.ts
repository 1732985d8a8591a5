/** What a sync goes by that was told nothing else. */
import type { SyncRules } from '../../../kubernetes/to-catalog/rules.ts';
import type { BackRules } from '../../../kubernetes/to-cluster/rules.ts';

export const SYNC_RULES: SyncRules = {
  node: 'k8s-sync',
  owner: 'k8s-sync',
  byDefault: true,
  namePrefix: '',
  addsNamespace: false,
  tag: 'k8s',
  allowNamespaces: ['*'],
  denyNamespaces: [],
  clusterIps: true,
  nodePorts: 'ExternalOnly',
  bothFamilies: false,
};

export function backRules(kind: BackRules['kind']): BackRules {
  const [allow, deny] = [['*'], []];
  const of = { namespace: 'default', namePrefix: '', domain: 'consul', tag: 'k8s' };
  return { ...of, kind, owner: 'k8s-sync', allow, deny };
}
