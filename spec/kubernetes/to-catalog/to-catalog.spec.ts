/** The way to the catalog, while its cluster is away. */
import assert from 'node:assert/strict';
import { ApiServer as Client } from '../../../kubernetes/api/api-server.ts';
import type { Catalog } from '../../../kubernetes/catalog.ts';
import { ToCatalog } from '../../../kubernetes/to-catalog/to-catalog.ts';
import { silentLogger } from '../../../lib/logger.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { seededRandom } from '../../support/fakes/seeded-random.ts';
import { startApiServer } from '../../support/kubernetes/api-server.ts';
import { accessTo, kubeService } from '../../support/kubernetes/cluster.ts';
import { SYNC_RULES } from '../../support/kubernetes/sync-rules.ts';
import { atEnd } from '../../support/servers/start-server.ts';
import { until } from '../../support/until.ts';

/** A catalog whose node never changes; each question that waits for it, until it is ended. */
function quietCatalog() {
  const waiting = new Set<AbortSignal>();
  const catalog: Catalog = {
    ask: async ({ query = [] }, signal) => {
      if (query.some(([name]) => name === 'index')) {
        waiting.add(signal);
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
        waiting.delete(signal);
      }
      const json = { Node: 'n', Services: [], Checks: [] };
      return { status: 200, index: '5', text: JSON.stringify(json), json };
    },
  };
  return { catalog, waiting };
}

async function started() {
  const [cluster, clock, ending] = [await startApiServer(), new FakeClock(), new AbortController()];
  cluster.objects.create('services', kubeService('web'));
  const api = new Client(accessTo(cluster), clock);
  const { catalog, waiting } = quietCatalog();
  const way = new ToCatalog(
    { api, catalog, clock, random: seededRandom(1), logger: silentLogger, onRead: () => undefined },
    { rules: { ...SYNC_RULES, node: 'n' }, sourceNamespace: '', labelSelector: '' },
  );
  const ran = way.read(ending.signal);
  atEnd(async () => {
    ending.abort();
    await ran;
    api.close();
  });
  const on = (ms: number) => async () => {
    await clock.advance(ms);
    return way.lostAt === undefined;
  };
  await until(async () => (await on(100)()) && way.isWhole && waiting.size === 1);
  const away = async (ms: number) => {
    await cluster.away();
    await until(async () => !(await on(10)()));
    await clock.advance(ms);
    await cluster.back();
    await until(on(100));
  };
  return { away, waiting };
}

describe('a sync whose cluster is back', () => {
  it('waits with the catalog: that it is of use again would have it read whole just then', async () => {
    const { away, waiting } = await started();
    const [question] = waiting;
    await away(20_000);
    assert.equal(question?.aborted, true);
  });
});
