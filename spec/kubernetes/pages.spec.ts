/** What probes and Prometheus ask a sync. */
import assert from 'node:assert/strict';
import { syncPages } from '../../kubernetes/sync-pages.ts';
import { kubeService, kubeSlice } from '../support/kubernetes/cluster.ts';
import { type Sync, startSyncWorld } from '../support/kubernetes/syncs.ts';
import { atEnd, send } from '../support/servers/start-server.ts';
import { until } from '../support/until.ts';

async function pagesOf({ sync }: Sync) {
  const pages = syncPages({ host: '127.0.0.1', port: 0 }, sync);
  await pages.start();
  atEnd(async () => pages.stop());
  return (path: string, method = 'GET') => send(pages.port, method, path, {});
}

describe('the pages of a sync', () => {
  it('say that it lives at once, and that it is ready once it knows both sides', async () => {
    const { cluster, objects, sync, untilShown } = await startSyncWorld();
    cluster.tokens.set('t1', { services: ['list', 'watch'] });
    objects.create('services', kubeService('web'));
    const first = sync();
    const page = await pagesOf(first);
    assert.equal((await page('/live')).text, 'live\n');
    await until(async () => (await page('/ready')).text === 'waits for all of to-catalog\n');
    assert.equal((await page('/ready')).status, 503);
    cluster.tokens.set('t1', 'all');
    await untilShown();
    await until(async () => (await page('/ready')).status === 200);
    await until(() => first.isActive);
    // One that waits for its turn is ready too.
    const other = await pagesOf(sync('b'));
    await until(async () => (await other('/ready')).status === 200);
  });

  it('have metrics of what it read, wrote and was refused', async () => {
    const { objects, sync, untilShown } = await startSyncWorld();
    objects.create('services', kubeService('web'));
    objects.create('endpointslices', kubeSlice('web', [{ ip: '10.1.0.1' }, { ip: '10.1.0.2' }]));
    const page = await pagesOf(sync());
    await untilShown('web 10.1.0.1:8080 passing', 'web 10.1.0.2:8080 passing');
    const { text, headers } = await page('/metrics');
    assert.match(String(headers['content-type']), /^text\/plain; version=0\.0\.4/);
    for (const line of [
      'proconsul_k8s_active 1',
      'proconsul_k8s_turns_total 1',
      'proconsul_k8s_whole{way="to-catalog"} 1',
      'proconsul_k8s_written_total{way="to-catalog"} 2',
      'proconsul_k8s_refused_total{way="to-catalog"} 0',
      'proconsul_k8s_left_out{way="to-catalog"} 0',
    ]) {
      assert.ok(text.split('\n').includes(line), `${line}\n${text}`);
    }
    assert.match(text, /^proconsul_k8s_lists_total\{way="to-catalog"\} [2-4]$/m);
    assert.match(text, /^proconsul_k8s_late_seconds_count 2$/m);
  });

  it('are no others, and can only be read', async () => {
    const { sync } = await startSyncWorld();
    const page = await pagesOf(sync());
    assert.deepEqual(
      [(await page('/')).status, (await page('/metrics', 'PUT')).status],
      [404, 405],
    );
  });
});
