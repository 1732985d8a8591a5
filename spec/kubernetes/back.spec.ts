/** The way back: services of the catalog in the cluster, with their readiness, over nothing of others. */
import assert from 'node:assert/strict';
import { kubeService, kubeSlice } from '../support/kubernetes/cluster.ts';
import type { KubeObject } from '../support/kubernetes/objects.ts';
import { startSyncWorld } from '../support/kubernetes/syncs.ts';
import { until } from '../support/until.ts';

async function started(flags: Readonly<Record<string, string>> = {}) {
  const world = await startSyncWorld();
  const { objects, register, sync } = world;
  const instance = (id: string, address: string, over: object = {}) =>
    register({
      Node: `m-${id}`,
      Address: '172.16.0.1',
      Service: { ID: id, Service: 'db', Address: address, Port: 5432, ...over },
      Check: { CheckID: `c-${id}`, Name: 'c', ServiceID: id, Status: 'passing' },
    });
  const check = (id: string, Status: string, CheckID = `c-${id}`) =>
    register({
      Node: `m-${id}`,
      Address: '172.16.0.1',
      Check: { CheckID, Name: 'c', ServiceID: id, Status },
    });
  const service = (name: string) => objects.get('services', 'default', name);
  const slices = (of: string) =>
    objects
      .list('endpointslices')
      .filter(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === of);
  /** Each endpoint as `10.0.0.1:80 ready`. */
  const shown = (of: string) => slices(of).flatMap(endpointsOf).sort();
  const untilShown = (of: string, ...wanted: readonly string[]) =>
    until(
      () => shown(of).join() === [...wanted].sort().join() && service(of) !== undefined,
      () => JSON.stringify([shown(of), service(of)]),
    );
  const begin = () => sync('a', { 'to-k8s': 'true', ...flags });
  return { ...world, instance, check, service, slices, shown, untilShown, begin };
}

function endpointsOf(slice: KubeObject): readonly string[] {
  const ports = slice['ports'] as readonly { port: number }[];
  const endpoints = slice['endpoints'] as readonly {
    addresses: readonly string[];
    conditions: Readonly<Record<string, boolean>>;
  }[];
  return endpoints.map(({ addresses, conditions }) => {
    const states = Object.keys(conditions).filter((each) => conditions[each]);
    return [`${addresses[0]}:${ports[0]?.port ?? '-'}`, ...states].join(' ');
  });
}

describe('a service of the catalog in the cluster', () => {
  it('is a headless Service, with slices whose readiness follows the checks', async () => {
    const { instance, check, begin, untilShown, service, slices } = await started();
    await instance('db1', '10.0.0.1');
    await instance('db2', '10.0.0.2');
    await check('db2', 'critical');
    begin();
    await untilShown('db', '10.0.0.1:5432 ready serving', '10.0.0.2:5432');
    assert.equal(service('db')?.spec?.['clusterIP'], 'None');
    const [slice] = slices('db');
    assert.equal(slice?.metadata.ownerReferences?.[0]?.uid, service('db')?.metadata.uid);
    assert.equal(slice?.metadata.labels?.['endpointslice.kubernetes.io/managed-by'], 'proconsul');
    await check('db2', 'warning');
    await untilShown('db', '10.0.0.1:5432 ready serving', '10.0.0.2:5432 ready serving');
    await check('db1', 'critical', '_service_maintenance:db1');
    await untilShown('db', '10.0.0.1:5432 serving terminating', '10.0.0.2:5432 ready serving');
  });

  it('goes when the catalog has it no more, and its slices with it', async () => {
    const { instance, begin, untilShown, put, service, slices } = await started();
    await instance('db1', '10.0.0.1');
    begin();
    await untilShown('db', '10.0.0.1:5432 ready serving');
    await put('/v1/catalog/deregister', { Node: 'm-db1' });
    await until(() => service('db') === undefined);
    assert.deepEqual(slices('db'), []);
  });

  it('is a name that DNS looks up, where that is asked for', async () => {
    const { instance, begin, service, slices } = await started({
      'k8s-service-type': 'external-name',
      'k8s-service-prefix': 'c-',
    });
    await instance('db1', '10.0.0.1');
    begin();
    await until(() => service('c-db') !== undefined);
    assert.equal(service('c-db')?.spec?.['externalName'], 'db.service.consul');
    assert.deepEqual(slices('c-db'), []);
  });

  it('has a slice for each port and family, and leaves out what no slice takes', async () => {
    const { instance, begin, untilShown, slices } = await started();
    await instance('db1', '10.0.0.1');
    await instance('db2', 'fd00::2');
    await instance('db3', '10.0.0.3', { Port: 5433 });
    await instance('db4', 'db.example');
    await instance('db5', '127.0.0.1');
    begin();
    const up = 'ready serving';
    await untilShown('db', `10.0.0.1:5432 ${up}`, `fd00::2:5432 ${up}`, `10.0.0.3:5433 ${up}`);
    assert.equal(slices('db').length, 3);
  });

  it('writes one slice for one change, though there are several', async () => {
    const { instance, check, begin, shown, slices, cluster } = await started();
    for (let i = 0; i < 120; i++) await instance(`db${i}`, `10.0.1.${i}`);
    begin();
    await until(() => shown('db').length === 120);
    assert.equal(slices('db').length, 2);
    const { writes } = cluster;
    await check('db5', 'critical');
    await until(() => shown('db').filter((each) => each.endsWith('ready serving')).length === 119);
    assert.equal(cluster.writes, writes + 1);
  });

  it('is left alone where somebody else made it, before or meanwhile', async () => {
    const { instance, begin, objects, service, slices } = await started();
    objects.create('services', kubeService('db', { labels: { consul: 'true' } }));
    await instance('db1', '10.0.0.1');
    const { logger } = begin();
    await until(() =>
      logger.lines.some((line) => /"db" of namespace "default" is left alone/.test(line)),
    );
    assert.equal(service('db')?.spec?.['clusterIP'], '10.96.0.1');
    assert.deepEqual(slices('db'), []);
  });

  it('goes once another has let go of it, and comes again after that', async () => {
    const { instance, begin, untilShown, objects, service, put, cluster } = await started();
    await instance('db1', '10.0.0.1');
    begin();
    await untilShown('db', '10.0.0.1:5432 ready serving');
    const there = service('db') as KubeObject;
    const held = { ...there.metadata, finalizers: ['example.com/held'] };
    objects.set('services', { ...there, metadata: held });
    await put('/v1/catalog/deregister', { Node: 'm-db1' });
    await until(() => service('db')?.metadata.deletionTimestamp !== undefined);
    const deletions = () => cluster.requests.filter((each) => each.startsWith('DELETE'));
    const before = deletions().length;
    await instance('db2', '10.0.0.2');
    const now = service('db') as KubeObject;
    objects.set('services', { ...now, metadata: { ...now.metadata, finalizers: [] } });
    await untilShown('db', '10.0.0.2:5432 ready serving');
    assert.ok(deletions().length <= before + 2, deletions().join('\n'));
    assert.notEqual(service('db')?.metadata.uid, there.metadata.uid);
  });

  it('is put back where somebody changes or deletes it, with what others wrote on it', async () => {
    const { instance, begin, untilShown, objects, service } = await started();
    await instance('db1', '10.0.0.1');
    begin();
    await untilShown('db', '10.0.0.1:5432 ready serving');
    objects.delete('services', 'default', 'db');
    await untilShown('db', '10.0.0.1:5432 ready serving');
    const there = service('db') as KubeObject;
    const annotations = { team: 'blue' };
    objects.set('services', { ...there, metadata: { ...there.metadata, annotations } });
    await until(
      () => service('db')?.metadata.annotations?.['consul.hashicorp.com/service-sync'] === 'false',
    );
    assert.equal(service('db')?.metadata.annotations?.['team'], 'blue');
  });

  it('does not go round: nothing of Kubernetes goes back, and nothing of the catalog comes again', async () => {
    const { instance, begin, untilShown, objects, rows, cluster } = await started();
    objects.create('services', kubeService('shop', { spec: { externalIPs: ['192.0.2.7'] } }));
    await instance('db1', '10.0.0.1');
    begin();
    await untilShown('db', '10.0.0.1:5432 ready serving');
    await until(() => rows().length === 1);
    const { writes } = cluster;
    await instance('db2', '10.0.0.2');
    await untilShown('db', '10.0.0.1:5432 ready serving', '10.0.0.2:5432 ready serving');
    assert.equal(cluster.writes, writes + 1);
    assert.deepEqual(
      objects
        .list('services')
        .map(({ metadata }) => metadata.name)
        .sort(),
      ['db', 'shop'],
    );
    assert.deepEqual(
      rows().map(({ Service }) => Service),
      ['shop'],
    );
  });

  it('is narrowed by what is allowed and denied, and refused by name where Kubernetes has no such name', async () => {
    const { register, begin, objects } = await started({ 'deny-consul-service': 'secret*' });
    for (const name of ['ok', 'secret-a', 'under_score']) {
      await register({ Node: 'm', Address: '10.0.0.9', Service: { Service: name, Port: 1 } });
    }
    const { logger } = begin();
    await until(() => objects.list('services').length === 1);
    assert.equal(objects.list('services')[0]?.metadata.name, 'ok');
    await until(() => logger.lines.some((line) => line.includes('"under_score" is not brought')));
  });
});

const TEAM_PORTS = [{ name: 'http', port: 80, protocol: 'TCP', targetPort: 8080 }];

describe('a Service that a team applies over one that came from the catalog', () => {
  /** As `kubectl apply` leaves it: with our labels and annotations, its cluster address, and what the team says. */
  const applied = (there: KubeObject): KubeObject => {
    return { ...there, spec: { ...there.spec, ports: TEAM_PORTS, selector: { app: 'db' } } };
  };

  it("is the team's: it stays as it is to the end, no slice of ours beside it, and comes to the catalog", async () => {
    const { instance, begin, untilShown, objects, service, put, ...world } = await started();
    await instance('db1', '10.0.0.1');
    const { logger } = begin();
    await untilShown('db', '10.0.0.1:5432 ready serving');
    objects.set('services', applied(service('db') as KubeObject));
    const pods = kubeSlice('db', [{ ip: '10.1.0.1' }]);
    objects.create('endpointslices', pods);
    const names = () => world.slices('db').map(({ metadata }) => metadata.name);
    await until(
      () => names().join() === pods.metadata.name,
      () => names().join(),
    );
    await until(() => logger.lines.some((line) => /"db" .* is left alone/.test(line)));
    await until(() => world.rows().some(({ Address }) => Address === '10.1.0.1'));
    await put('/v1/catalog/deregister', { Node: 'm-db1' });
    await instance('other', '10.0.0.9', { Service: 'other' });
    await until(() => service('other') !== undefined);
    assert.deepEqual(service('db')?.spec?.['selector'], { app: 'db' });
    assert.deepEqual(service('db')?.spec?.['ports'], TEAM_PORTS);
  });

  it('loses the slices of ours where its service is gone from the catalog meanwhile', async () => {
    const { instance, begin, untilShown, objects, service, put, slices } = await started();
    await instance('db1', '10.0.0.1');
    const first = begin();
    await untilShown('db', '10.0.0.1:5432 ready serving');
    await first.stop();
    objects.set('services', applied(service('db') as KubeObject));
    await put('/v1/catalog/deregister', { Node: 'm-db1' });
    begin();
    await until(() => slices('db').length === 0);
    assert.ok(service('db') !== undefined);
  });
});

describe('a service of the catalog that has pods too', () => {
  async function mixed(begun: 'before' | 'meanwhile') {
    const world = await started();
    const { instance, begin, untilShown } = world;
    await instance('db1', '10.0.0.1');
    const first = begin();
    await untilShown('db', '10.0.0.1:5432 ready serving');
    if (begun === 'before') await first.stop();
    await instance('db2', '10.1.0.2', { Tags: ['k8s'] });
    if (begun === 'before') begin();
    return world;
  }

  for (const begun of ['before', 'meanwhile'] as const) {
    it(`stays while a machine has it, and goes with the last of them; pods came ${begun}`, async () => {
      const { instance, untilShown, service, put } = await mixed(begun);
      await instance('db3', '10.0.0.3');
      await untilShown('db', '10.0.0.1:5432 ready serving', '10.0.0.3:5432 ready serving');
      for (const id of ['db1', 'db3']) await put('/v1/catalog/deregister', { Node: `m-${id}` });
      await until(() => service('db') === undefined);
    });
  }
});

describe('a service of a stranger in the cluster', () => {
  it('does not take the place of one whose name differs in its letters alone, nor its end', async () => {
    const { register, put, begin, untilShown, service } = await started();
    const named = (Service: string, node: string, Address: string) =>
      register({ Node: node, Address: '172.16.0.1', Service: { Service, Address, Port: 80 } });
    await named('web', 'm1', '10.0.0.1');
    const { logger } = begin();
    await untilShown('web', '10.0.0.1:80 ready serving');
    await named('WEB', 'm2', '10.66.6.6');
    await until(() => logger.lines.some((line) => line.includes('"WEB" is not brought')));
    await put('/v1/catalog/deregister', { Node: 'm2' });
    await named('web', 'm3', '10.0.0.3');
    await untilShown('web', '10.0.0.1:80 ready serving', '10.0.0.3:80 ready serving');
    assert.ok(service('web') !== undefined);
  });

  it('has whatever no slice takes left out, and the others come', async () => {
    const { instance, begin, untilShown } = await started();
    await instance('db1', '10.0.0.1');
    for (const [i, address] of STRANGE.entries()) await instance(`s${i}`, address);
    await instance('s-port', '10.0.0.7', { Port: 70_000 });
    await instance('s-none', '10.0.0.8', { Port: -1 });
    begin();
    await untilShown('db', '10.0.0.1:5432 ready serving');
  });

  it('is where it is once, though it is registered twice, and ready where one of them is', async () => {
    const { instance, check, begin, untilShown } = await started();
    for (const id of ['db1', 'db2', 'db3']) await instance(id, '10.0.0.1');
    await check('db1', 'critical');
    await check('db3', 'critical');
    begin();
    await untilShown('db', '10.0.0.1:5432 ready serving');
  });
});

const STRANGE = [
  ...['::ffff:169.254.169.254', '::FFFF:7f00:1', '0:0:0:0:0:ffff:a00:1', 'fd00::1%eth0'],
  ...['::1', '0::1', '::01', '0:0:0:0:0:0:0:1', '::', '::0', '0::', 'FE80::1', 'ff02::1'],
];

describe('slices', () => {
  it('are put back where somebody says that they are of another Service', async () => {
    const { instance, begin, untilShown, slices, objects } = await started();
    await instance('db1', '10.0.0.1');
    begin();
    await untilShown('db', '10.0.0.1:5432 ready serving');
    const [slice] = slices('db') as [KubeObject];
    const labels = { ...slice.metadata.labels, 'kubernetes.io/service-name': 'other' };
    objects.set('endpointslices', { ...slice, metadata: { ...slice.metadata, labels } });
    await untilShown('db', '10.0.0.1:5432 ready serving');
    assert.equal(objects.list('endpointslices').length, 1);
  });

  it('are put back where somebody takes the labels by which they are seen', async () => {
    const { instance, begin, untilShown, slices, objects } = await started();
    await instance('db1', '10.0.0.1');
    begin();
    await untilShown('db', '10.0.0.1:5432 ready serving');
    const [slice] = slices('db') as [KubeObject];
    objects.set('endpointslices', { ...slice, metadata: { ...slice.metadata, labels: {} } });
    await untilShown('db', '10.0.0.1:5432 ready serving');
    await instance('db2', '10.0.0.2');
    await untilShown('db', '10.0.0.1:5432 ready serving', '10.0.0.2:5432 ready serving');
    assert.equal(objects.list('endpointslices').length, 1);
  });

  it('do not stay with a Service that somebody has made his own', async () => {
    const { instance, begin, untilShown, service, slices, objects } = await started();
    await instance('db1', '10.0.0.1');
    begin();
    await untilShown('db', '10.0.0.1:5432 ready serving');
    const there = service('db') as KubeObject;
    objects.set('services', { ...there, metadata: { ...there.metadata, labels: { app: 'x' } } });
    await until(() => slices('db').length === 0);
    assert.ok(service('db') !== undefined);
  });

  it('are compared anew before they go over what another sync wrote of them meanwhile', async () => {
    const { instance, begin, untilShown, slices, objects, cluster } = await started();
    await instance('db1', '10.0.0.1');
    const { logger } = begin();
    await untilShown('db', '10.0.0.1:5432 ready serving');
    cluster.isMute = true;
    const [slice] = slices('db') as [KubeObject];
    const [endpoint] = slice['endpoints'] as [object];
    objects.set('endpointslices', {
      ...slice,
      endpoints: [endpoint, { ...endpoint, addresses: ['10.0.0.2'] }],
    });
    const { version } = objects;
    await instance('db2', '10.0.0.2');
    await until(() => cluster.requests.some((each) => each.includes('fieldSelector')));
    await instance('db3', '10.0.0.3');
    await untilShown('db', ...[1, 2, 3].map((i) => `10.0.0.${i}:5432 ready serving`));
    assert.equal(objects.version, version + 1);
    assert.deepEqual(
      logger.lines.filter((line) => line.includes('meanwhile')),
      [],
    );
  });
});
