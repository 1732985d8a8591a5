/**
 * The scenarios of spec/kubernetes/scenarios.spec.ts at the API server that KUBECONFIG names (or -kubeconfig), in a
 * namespace for each, which is deleted at the end; nothing else is read or written there. Without one it says so, and shows nothing.
 *
 *   KUBECONFIG=~/.kube/config node --import tsx spec/system/kubernetes-real.system.ts [WORDS of a scenario]
 */
import { randomBytes } from 'node:crypto';
import type { ApiAccess } from '../../kubernetes/api/access.ts';
import { ApiServer } from '../../kubernetes/api/api-server.ts';
import { clusterAccess } from '../../kubernetes/api/cluster-access.ts';
import { systemClock } from '../../lib/clock.ts';
import { SCENARIOS, startScenarioWorld } from '../support/kubernetes/scenarios.ts';
import { stopAgents } from '../support/servers/agents.ts';
import { stopServers } from '../support/servers/start-server.ts';
import { report, SHORT_MS } from './report.ts';

const [words = ''] = process.argv.slice(2);

await report(async (say) => {
  if ((process.env['KUBECONFIG'] ?? '') === '') {
    say('SKIPPED: KUBECONFIG names no cluster, and nothing was shown');
    return 0;
  }
  const access = await clusterAccess(process.env, '');
  const api = new ApiServer(access, systemClock);
  const { signal } = new AbortController();
  const { json } = await api.ask({ method: 'GET', path: '/version' }, signal);
  say(`Kubernetes ${json['gitVersion']} at ${access.url.host}`);
  let failed = 0;
  for (const scenario of SCENARIOS.filter(({ does }) => does.includes(words))) {
    const namespace = `proconsul-try-${randomBytes(4).toString('hex')}`;
    const metadata = { name: namespace };
    const body = { apiVersion: 'v1', kind: 'Namespace', metadata };
    await api.ask({ method: 'POST', path: '/api/v1/namespaces', body }, signal);
    try {
      await run(access, namespace, scenario);
      say(`${scenario.does}: shown`);
    } catch (error) {
      failed++;
      say(`${scenario.does}: FAILED: ${error instanceof Error ? error.stack : error}`);
    } finally {
      const path = `/api/v1/namespaces/${namespace}`;
      await api.ask({ method: 'DELETE', path, accept: [404] }, signal);
    }
  }
  api.close();
  return failed;
}, SHORT_MS);

async function run(
  access: ApiAccess,
  namespace: string,
  { run: scenario }: (typeof SCENARIOS)[number],
): Promise<void> {
  try {
    await scenario(await startScenarioWorld(access, namespace));
  } finally {
    await stopServers();
    await stopAgents();
  }
}
