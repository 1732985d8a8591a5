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
import type { KubeObject } from '../../support/kubernetes/objects.ts';
import { SYNC_RULES } from '../../support/kubernetes/sync-rules.ts';

const RULES = { ...SYNC_RULES, node: 'n', owner: 'o' };
const ANNOTATION = 'consul.hashicorp.com/';
const FENCE = { key: 'lock', session: 's' };

type Answer = (body: string) => { readonly status: number; readonly text: string };

const NOTHING = { Services: [] as object[], Checks: [] as object[] };

/** A catalog that answers a transaction as it is told to, and whose node has this, or by now what is newer, by which it is asked for by id. */
function started(
  answer: Answer,
  services: readonly KubeObject[] = [],
  slices: KubeObject[] = [],
  node = NOTHING,
  newer = NOTHING,
) {
  const [clock, random, logger] = [new FakeClock(), seededRandom(1), new RecordingLogger()];
  const sent: string[] = [];
  const answered = (json: object) => ({
    ...{ status: 200, index: '1', text: JSON.stringify(json) },
    json,
  });
  const catalog: Catalog = {
    ask: async ({ path, body }) => {
      if (path === '/v1/health/node/n') return answered(newer.Checks);
      if (path === '/v1/catalog/node/n')
        return answered({
          Node: { Node: 'n' },
          Services: Object.fromEntries(newer.Services.entries()),
        });
      if (path !== '/v1/txn') {
        return answered({ Node: 'n', ...node });
      }
      const text = encodeJson(body);
      sent.push(text);
      return { ...answer(text), index: '', json: undefined };
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
  const registered = new Registered({ catalog, clock, random }, RULES, on);
  const writer = new Writer({ wanted, registered, catalog, clock, random, logger }, RULES);
  const set = (service: KubeObject) =>
    wanted.services.changed(
      `default/${service.metadata.name}`,
      wanted.services.keep({ ...service }),
      undefined,
    );
  const setSlice = (slice: KubeObject) =>
    wanted.slices.changed(
      `default/${slice.metadata.name}`,
      wanted.slices.keep({ ...slice }),
      undefined,
    );
  for (const each of services) set(each);
  for (const each of slices) setSlice(each);
  wanted.whole();
  const run = async (
    seconds: number,
    each: (second: number) => void = () => undefined,
    listed: Promise<unknown> = Promise.resolve(),
  ) => {
    const end = new AbortController();
    const running = writer.run(FENCE, listed, end.signal);
    for (let i = 0; i < seconds; i++) {
      each(i);
      await clock.advance(1000);
    }
    end.abort();
    await running.catch(() => undefined);
  };
  return { sent, run, set, setSlice, wanted, registered };
}

/** A Service whose instances are large, and its pods. */
function large(pods: number): [KubeObject[], KubeObject[]] {
  const annotations = { [`${ANNOTATION}service-tags`]: `${'<'.repeat(1000)},`.repeat(7) };
  const ips = Array.from({ length: pods }, (_, i) => ({ ip: `10.1.0.${i}` }));
  return [[kubeService('web', { annotations })], [kubeSlice('web', ips)]];
}

const TAKEN = { status: 200, text: '{"Results":[]}' };

/** As the catalog has what is wanted of these. */
function rowsOf(services: readonly KubeObject[], slices: KubeObject[]) {
  const { wanted } = started(() => TAKEN, services, slices);
  do wanted.drain();
  while (wanted.isBehind);
  const all = [...wanted.ids()].flatMap((id) => wanted.get(id) ?? []);
  return {
    Services: all.map(({ service }) => ({ ...service, ModifyIndex: 7 })),
    Checks: all.flatMap(({ service: { ID }, checks }) =>
      checks.map((check) => ({ ...check, ServiceID: ID })),
    ),
  };
}

describe('the writer to the catalog', () => {
  it('sends no more bytes in one transaction than a server takes', async () => {
    const { sent, run } = started(() => TAKEN, ...large(40));
    await run(20);
    const ids = new Set(sent.flatMap((body) => body.match(/"ID":"web-\w+"/g) ?? []));
    assert.equal(ids.size, 40);
    assert.ok(sent.every((body) => body.length < 512 * 1024));
  });

  for (const [what, answer] of [
    [
      'nothing that it sends has an answer',
      () => {
        throw new ProconsulError('unavailable', 'Unexpected response code: 503');
      },
    ],
    ['a refusal does not say what is refused', () => ({ status: 409, text: '{"Errors":null}' })],
    ['somebody between answers', () => ({ status: 200, text: 'hello' })],
  ] as const) {
    it(`asks less and less often where ${what}`, async () => {
      const { sent, run } = started(answer, ...large(1));
      await run(120);
      assert.ok(sent.length > 4 && sent.length < 40, `${sent.length}`);
    });
  }
});

describe('what the catalog has already', () => {
  it('is not taken out by a turn that has not looked at all Services yet', async () => {
    const names = Array.from({ length: 4 }, (_, i) => `web-${i}`);
    const services = names.map((name) => kubeService(name));
    const slices = names.map((name, of) =>
      kubeSlice(
        name,
        Array.from({ length: 400 }, (_, i) => ({ ip: `10.${of}.${i >> 8}.${i & 255}` })),
      ),
    );
    const node = rowsOf(services, slices);
    const { sent, run, registered, set, setSlice } = started(() => TAKEN, [], [], node);
    await registered.readAnew(new AbortController().signal);
    let whole = () => {};
    const listed = new Promise<void>((resolve) => {
      whole = resolve;
    });
    const list = (second: number) => {
      if (second !== 2) return;
      for (const each of services) set(each);
      for (const each of slices) setSlice(each);
      whole();
    };
    await run(5, list, listed);
    const removed = sent.filter((body) => body.includes('delete-cas'));
    assert.deepEqual([node.Services.length, removed.length], [1600, 0]);
  });
});

describe('what the cluster has no more', () => {
  it('goes in seconds, though other Services change faster than they can be looked at', async () => {
    const ips = Array.from({ length: 1000 }, (_, i) => ({ ip: `10.2.${i >> 8}.${i & 255}` }));
    const large = ['a', 'b', 'c'];
    const services = ['web', ...large].map((name) => kubeService(name));
    const web = kubeSlice('web', [{ ip: '10.1.0.1' }]);
    const slices = [web, ...large.map((name) => kubeSlice(name, ips))];
    const node = rowsOf(services, slices);
    const { sent, run, setSlice, wanted } = started(() => TAKEN, services, slices, node);
    const kept = large.map((name) => wanted.slices.keep(kubeSlice(name, ips)));
    let isChurning = true;
    // Two are looked at in each turn of the event loop.
    const churn = () => {
      for (const [i, name] of large.entries())
        wanted.slices.changed(`default/${name}`, kept[i], undefined);
      if (isChurning) setImmediate(churn);
    };
    churn();
    let went = 0;
    await run(7, (second) => {
      if (second === 2) setSlice(kubeSlice('web', []));
      if (second === 6) went = sent.filter((body) => body.includes('delete-cas')).length;
    });
    isChurning = false;
    assert.equal(went, 1);
  });
});

describe('what the catalog refuses', () => {
  /** The token may not write one name, which somebody gave to so many addresses. */
  function denied(addresses: number) {
    const externalIPs = Array.from({ length: addresses }, (_, i) => `10.2.${i >> 8}.${i & 255}`);
    const annotations = { [`${ANNOTATION}service-name`]: 'theirs' };
    const service = kubeService('theirs', { annotations, spec: { externalIPs } });
    const answer: Answer = (body) => {
      const operations = JSON.parse(body) as { Service?: { Service: { Service: string } } }[];
      const Errors = operations.flatMap(({ Service }, OpIndex) =>
        Service?.Service.Service === 'theirs' ? [{ OpIndex, What: 'Permission denied' }] : [],
      );
      return Errors.length === 0 ? TAKEN : { status: 409, text: JSON.stringify({ Errors }) };
    };
    return started(answer, [service, kubeService('web')], [kubeSlice('web', [{ ip: '10.1.0.1' }])]);
  }
  const isOf = (name: string) => (body: string) => body.includes(`"Service":"${name}"`);

  it('is read anew by itself where somebody else has written it meanwhile, and tried again over that', async () => {
    const [services, slices] = [[kubeService('web')], [kubeSlice('web', [{ ip: '10.1.0.1' }])]];
    const { Services, Checks } = rowsOf(services, slices);
    const at = (ModifyIndex: number) => ({
      Services: Services.map((each) => ({ ...each, Port: 1, ModifyIndex })),
      Checks,
    });
    const stale = JSON.stringify({ Errors: [{ OpIndex: 1, What: 'x, index is stale' }] });
    const answer: Answer = (body) =>
      body.includes('"ModifyIndex":9') ? TAKEN : { status: 409, text: stale };
    const { sent, run } = started(answer, services, slices, at(7), at(9));
    await run(10);
    const indexes = sent.map((body) => /"ModifyIndex":(\d+)/.exec(body)?.[1]);
    // Before the node was read none was known.
    assert.deepEqual(indexes, ['0', '7', '9']);
  });

  it('is tried again in transactions of its own, in which nobody else is refused with it', async () => {
    const { sent, run, setSlice } = denied(300);
    let known = 0;
    await run(60, (second) => {
      if (second === 20) known = sent.length;
      if (second >= 20) setSlice(kubeSlice('web', [{ ip: `10.1.0.${second}` }]));
    });
    const later = sent.slice(known);
    assert.equal(later.filter(isOf('web')).length, 40);
    assert.ok(later.filter(isOf('theirs')).length > 40);
    assert.deepEqual(later.filter(isOf('web')).filter(isOf('theirs')), []);
  });
});
