/** What a sync to the catalog goes by that was told nothing else. */
import type { SyncRules } from '../../../kubernetes/to-catalog/rules.ts';

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
