/** How much all Services together may come to. */
import assert from 'node:assert/strict';
import { serviceIn, sliceIn } from '../../../kubernetes/objects.ts';
import { Instances } from '../../../kubernetes/to-catalog/instances.ts';
import { nodeBytes, Room, shareOf } from '../../../kubernetes/to-catalog/room.ts';
import { bytesOf } from '../../../kubernetes/to-catalog/rules.ts';
import { Wanted } from '../../../kubernetes/to-catalog/wanted.ts';
import { kubeService, kubeSlice } from '../../support/kubernetes/cluster.ts';
import { SYNC_RULES } from '../../support/kubernetes/sync-rules.ts';
import { startSyncWorld } from '../../support/kubernetes/syncs.ts';
import { until } from '../../support/until.ts';

const RULES = { ...SYNC_RULES, node: 'n', owner: 'o', addsNamespace: true };

describe('how much all Services may come to', () => {
  const GIB = 2 ** 30;

  it('follows from the memory that the sync has, and from its heap where that is less', () => {
    const mib = [GIB / 4, GIB, 4 * GIB].map((memory) => nodeBytes(memory) / 2 ** 20);
    assert.deepEqual(mib, [16, 64, 256]);
    assert.equal(nodeBytes(64 * GIB, 4 * GIB) / 2 ** 20, 512);
  });
});

describe('the share of each namespace', () => {
  it('is what is left once those are served that want less', () => {
    assert.equal(shareOf(90, [10, 20, 100, 200]), 30);
    assert.equal(shareOf(90, [90]), 90);
    assert.equal(shareOf(90, [100]), 90);
    assert.equal(shareOf(90, [50, 50]), 45);
  });

  it('leaves out none while all find room', () => {
    const room = new Room(100);
    room.set('a/x', 60);
    room.set('b/y', 40);
    assert.deepEqual([...room.leftOut()], []);
    room.set('b/y', 41);
    room.set('a/x', 0);
    assert.deepEqual([...room.leftOut()], []);
  });

  it('takes from whoever has most, by names, and from nobody else', () => {
    const room = new Room(100);
    for (const name of ['e', 'd', 'c', 'b', 'a']) room.set(`greedy/${name}`, 30);
    room.set('small/x', 40);
    assert.deepEqual([...room.leftOut()], ['greedy/c', 'greedy/d', 'greedy/e']);
  });
});

describe('what instances come to', () => {
  it('is at least as much as the catalog shows of them, and not much more', async () => {
    const { objects, sync, rows, get } = await startSyncWorld();
    const path = '/v1/internal/ui/node/k8s-sync';
    const ips = Array.from({ length: 20 }, (_, i) => ({ ip: `10.1.0.${10 + i}`, zone: 'z' }));
    const tags = { 'consul.hashicorp.com/service-tags': 'some-tag,'.repeat(30) };
    sync();
    // Of what the catalog writes as six bytes for one, in what each check says once more.
    const escaped = {
      'consul.hashicorp.com/service-tags': '<'.repeat(1000),
      'consul.hashicorp.com/service-meta-m': '&'.repeat(512),
    };
    for (const [name, annotations] of Object.entries({ plain: {}, tagged: tags, escaped })) {
      const before = (await get(path)).text.length;
      const own = rows().length;
      const [service, slice] = [kubeService(name, { annotations }), kubeSlice(name, ips)];
      objects.create('services', service);
      objects.create('endpointslices', slice);
      await until(() => rows().length === own + 20);
      const shown = (await get(path)).text.length - (own === 0 ? 0 : before);
      const cluster = { slices: [sliceIn({ ...slice })], node: () => undefined };
      const bytes = bytesOf(new Instances(RULES).of(serviceIn({ ...service }), cluster));
      assert.ok(bytes >= shown * 0.9 && bytes < shown * 1.3, `${name}: ${bytes} for ${shown}`);
    }
  });
});

describe('an instance', () => {
  it('is no larger for what a slice says of it without bound', () => {
    const endpoints = [{ ip: '10.1.0.1', ready: false, terminating: true }];
    const slice = kubeSlice('web', endpoints);
    const [first] = slice['endpoints'] as Record<string, unknown>[];
    const said = { ...first, targetRef: { kind: 'Pod', name: 'p'.repeat(100_000) } };
    const cluster = {
      slices: [sliceIn({ ...slice, endpoints: [said] })],
      node: () => undefined,
    };
    const service = serviceIn({ ...kubeService('web') });
    const instances = new Instances(RULES).of(service, cluster);
    assert.equal(instances.length, 1);
    assert.ok(bytesOf(instances) < 3000, `${bytesOf(instances)}`);
  });
});

describe('a Service that is too large', () => {
  it('is refused by the number of its pods, before anything is made of them', () => {
    const told: (string | undefined)[] = [];
    const wanted = new Wanted(RULES, {
      now: () => 0,
      changed: () => undefined,
      nodesWanted: () => undefined,
      areNodesKnown: () => true,
      judged: (_, fault) => told.push(fault),
    });
    const { services, slices } = wanted;
    services.changed('default/web', services.keep({ ...kubeService('web') }), undefined);
    for (let i = 0; i < 50; i++) {
      const ips = Array.from({ length: 1000 }, (_, j) => ({ ip: `10.${i}.${j >> 8}.${j & 255}` }));
      slices.changed(`default/web-${i}`, slices.keep({ ...kubeSlice('web', ips) }), undefined);
    }
    wanted.drain();
    assert.match(told.at(-1) ?? '', /^50000 instances have at least 17500000 bytes/);
  });

  it('has nothing kept of what was made of its pods', () => {
    const service = serviceIn({ ...kubeService('web') });
    const slices = [sliceIn({ ...kubeSlice('web', [{ ip: '10.1.0.1' }]) })];
    const cluster = { slices, node: () => undefined };
    const instances = new Instances(RULES);
    const [first] = instances.of(service, cluster);
    assert.equal(instances.of(service, cluster)[0], first);
    instances.forget(slices);
    assert.notEqual(instances.of(service, cluster)[0], first);
  });
});

describe('Services that are more together than can be read', () => {
  function started() {
    const told = new Map<string, string>();
    const wanted = new Wanted(
      RULES,
      {
        now: () => 0,
        changed: () => undefined,
        nodesWanted: () => undefined,
        areNodesKnown: () => true,
        judged: (service, fault) => {
          if (fault === undefined) told.delete(service);
          else told.set(service, fault);
        },
      },
      new Room(20_000),
    );
    const { services, slices } = wanted;
    const service = (namespace: string, name: string, pods: number) => {
      const ips = Array.from({ length: pods }, (_, i) => ({ ip: `10.0.0.${i}` }));
      const object = kubeService(name, { namespace });
      services.changed(`${namespace}/${name}`, services.keep({ ...object }), undefined);
      const slice = slices.keep({ ...kubeSlice(name, ips, { namespace }) });
      slices.changed(`${namespace}/${name}-x1`, slice, undefined);
    };
    const shown = () => {
      wanted.drain();
      const names = [...wanted.ids()].map((id) => wanted.get(id)?.service.Service ?? '');
      return [...new Set(names)].sort().join();
    };
    return { wanted, service, shown, told };
  }

  it('come but for those of the namespace that has most, which are named and counted, until there is room', () => {
    const { wanted, service, shown, told } = started();
    service('shop', 'web', 2);
    service('greedy', 'a', 2);
    service('greedy', 'b', 30);
    assert.equal(shown(), 'a-greedy,web-shop');
    assert.deepEqual([[...told.keys()], wanted.refused], [['greedy/b'], 1]);
    assert.match(told.get('greedy/b') ?? '', /all Services together/);
    service('greedy', 'b', 3);
    assert.equal(shown(), 'a-greedy,b-greedy,web-shop');
    assert.deepEqual([told.size, wanted.refused], [0, 0]);
  });
});
