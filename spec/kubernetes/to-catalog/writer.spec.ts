/** What goes out in one transaction, and when again where the catalog does not take it. */
import assert from 'node:assert/strict';
import type { Catalog } from '../../../kubernetes/catalog.ts';
import { Registered } from '../../../kubernetes/to-catalog/registered.ts';
import { Wanted } from '../../../kubernetes/to-catalog/wanted.ts';
import { Writer } from '../../../kubernetes/to-catalog/writer.ts';
import { ProconsulError } from '../../../lib/errors.ts';
import { encodeJson } from '../../../lib/json.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { RecordingLogger } from '../../support/fakes/recording-logger.ts';
import { seededRandom } from '../../support/fakes/seeded-random.ts';
import { kubeService, kubeSlice } from '../../support/kubernetes/cluster.ts';
import { SYNC_RULES } from '../../support/kubernetes/sync-rules.ts';

const RULES = { ...SYNC_RULES, node: 'n', owner: 'o' };
const ANNOTATION = 'consul.hashicorp.com/service-tags';

/** A catalog that has nothing, and answers a transaction as it is told to. */
function started(pods: number, answer: () => { readonly status: number; readonly text: string }) {
  const [clock, random, logger] = [new FakeClock(), seededRandom(1), new RecordingLogger()];
  const sent: string[] = [];
  const catalog: Catalog = {
    ask: async ({ path, body }) => {
      if (path !== '/v1/txn') {
        const json = { Node: 'n', Services: [], Checks: [] };
        return { status: 200, index: '1', text: JSON.stringify(json), json };
      }
      sent.push(encodeJson(body));
      const { status, text } = answer();
      return { status, index: '', text, json: undefined };
    },
  };
  const wanted = new Wanted(RULES, {
    now: () => clock.monotonic(),
    changed: () => writer.look(),
    nodesWanted: () => undefined,
    areNodesKnown: () => true,
    judged: () => undefined,
  });
  const on = { read: () => writer.heard(), lost: () => undefined };
  const registered = new Registered({ catalog, clock, random }, 'n', on);
  const writer = new Writer({ wanted, registered, catalog, clock, random, logger }, RULES);
  const annotations = { [ANNOTATION]: `${'<'.repeat(1000)},`.repeat(7) };
  const service = { ...kubeService('web', { annotations }) };
  const ips = Array.from({ length: pods }, (_, i) => ({ ip: `10.1.0.${i}` }));
  const { services, slices } = wanted;
  services.changed('default/web', services.keep(service), undefined);
  slices.changed('default/web-x1', slices.keep({ ...kubeSlice('web', ips) }), undefined);
  const run = async (seconds: number) => {
    const end = new AbortController();
    const running = writer.run(FENCE, Promise.resolve(), end.signal);
    for (let i = 0; i < seconds; i++) await clock.advance(1000);
    end.abort();
    await running.catch(() => undefined);
  };
  return { sent, run };
}

const FENCE = { key: 'lock', session: 's' };

describe('the writer to the catalog', () => {
  it('sends no more bytes in one transaction than a server takes', async () => {
    const { sent, run } = started(40, () => ({ status: 200, text: '{"Results":[]}' }));
    await run(20);
    const ids = new Set(sent.flatMap((body) => body.match(/"ID":"web-\w+"/g) ?? []));
    assert.equal(ids.size, 40);
    assert.ok(sent.every((body) => body.length < 512 * 1024));
  });

  it('asks less and less often where nothing that it sends has an answer', async () => {
    const { sent, run } = started(1, () => {
      throw new ProconsulError('unavailable', 'Unexpected response code: 503');
    });
    await run(120);
    assert.ok(sent.length > 4 && sent.length < 40, `${sent.length}`);
  });
});
