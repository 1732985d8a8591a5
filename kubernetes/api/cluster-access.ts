/** Which cluster is meant, where nobody says more than kubectl needs. */
import { join } from 'node:path';
import { ProconsulError } from '../../lib/errors.ts';
import { type ApiAccess, accessOfPod, type Env } from './access.ts';
import { accessByKubeconfig } from './kubeconfig.ts';

/** By the file that is named, or in kubectl's order; and in a pod without a file, by its own account. */
export async function clusterAccess(env: Env, kubeconfig: string): Promise<ApiAccess> {
  if (kubeconfig !== '') return await accessByKubeconfig([kubeconfig]);
  const named = (env['KUBECONFIG'] ?? '').split(':').filter((path) => path !== '');
  if (named.length > 0) return await accessByKubeconfig(named);
  const pod = accessOfPod(env);
  if (pod !== undefined) return pod;
  const home = env['HOME'] ?? '';
  if (home !== '') return await accessByKubeconfig([join(home, '.kube', 'config')]);
  throw new ProconsulError('invalid', 'nothing says where the cluster is: name a kubeconfig');
}
