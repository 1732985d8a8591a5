/** A sync between a cluster and the catalog: what users of consul-k8s know, and what harms nobody. */
import assert from 'node:assert/strict';
import { kubeService, kubeSlice } from '../support/kubernetes/cluster.ts';
import { NODE, startSyncWorld } from '../support/kubernetes/syncs.ts';
import { until } from '../support/until.ts';

describe('k8s-sync', () => {
  it('brings each pod of a Service, with its readiness', async () => {
    const { objects, sync, rows, untilShown } = await startSyncWorld();
    objects.create('services', kubeService('web'));
    objects.create(
      'endpointslices',
      kubeSlice('web', [{ ip: '10.1.0.1' }, { ip: '10.1.0.2', ready: false }]),
    );
    sync();
    await untilShown('web 10.1.0.1:8080 passing', 'web 10.1.0.2:8080 critical');
    const row = rows().find(({ Address }) => Address === '10.1.0.1');
    assert.deepEqual(row?.Tags, ['k8s']);
    assert.match(row?.ID ?? '', /^web-[0-9a-f]{12}$/);
    assert.deepEqual(row?.Meta, {
      'external-k8s-ns': 'default',
      'external-k8s-ref-kind': 'Pod',
      'external-k8s-ref-name': 'pod-10-1-0-1',
      'external-k8s-sync': 'k8s-sync',
      'external-source': 'kubernetes',
      'port-http': '80',
    });
    const check = row?.checks[0];
    assert.deepEqual(
      [check?.CheckID, check?.Name, check?.Output],
      [`default/${row?.ID}`, 'Kubernetes Readiness Check', 'Kubernetes health checks passing'],
    );
  });

  it('follows a pod from unready to ready, through its end, until it is gone', async () => {
    const { objects, sync, untilShown } = await startSyncWorld();
    objects.create('services', kubeService('web'));
    sync();
    const pod = (endpoint: object) =>
      objects.set('endpointslices', kubeSlice('web', [{ ip: '10.1.0.1', ...endpoint }]));
    pod({ ready: false });
    await untilShown('web 10.1.0.1:8080 critical');
    pod({ ready: true });
    await untilShown('web 10.1.0.1:8080 passing');
    pod({ terminating: true });
    await untilShown('web 10.1.0.1:8080 maintenance passing');
    pod({ terminating: true, serving: false });
    await untilShown('web 10.1.0.1:8080 critical maintenance');
    objects.set('endpointslices', kubeSlice('web', []));
    await untilShown();
  });

  it('takes slices and Services in any order, and all slices of one', async () => {
    const { objects, sync, untilShown } = await startSyncWorld();
    sync();
    objects.create('endpointslices', kubeSlice('web', [{ ip: '10.1.0.1' }]));
    objects.create('endpointslices', kubeSlice('web', [{ ip: '10.1.0.2' }], { name: 'web-x2' }));
    await until(() => objects.listeners.size > 0);
    objects.create('services', kubeService('web'));
    await untilShown('web 10.1.0.1:8080 passing', 'web 10.1.0.2:8080 passing');
    objects.delete('services', 'default', 'web');
    await untilShown();
  });

  it('writes nothing that changes nothing, however often it is told', async () => {
    const { objects, sync, untilShown, server, cluster, status } = await startSyncWorld();
    objects.create('services', kubeService('web'));
    objects.create('endpointslices', kubeSlice('web', [{ ip: '10.1.0.1' }]));
    const { writes } = sync();
    await untilShown('web 10.1.0.1:8080 passing');
    // Its beat has said that it knows all.
    await until(() => status(NODE, 'service:proconsul-k8s-sync-a') === 'passing');
    const txns = () => writes.filter(({ path }) => path === '/v1/txn').length;
    assert.equal(txns(), 1);
    const { position } = server.state;
    objects.set('services', kubeService('web', { labels: { a: 'b' } }));
    objects.set('services', kubeService('web', { labels: { a: 'c' } }));
    objects.create('services', kubeService('other'));
    objects.create('endpointslices', kubeSlice('other', [{ ip: '10.1.0.9' }]));
    await untilShown('web 10.1.0.1:8080 passing', 'other 10.1.0.9:8080 passing');
    assert.equal(txns(), 2);
    assert.equal(server.state.position, position + 1);
    cluster.endWatches();
  });

  it('waits with a NodePort for machines that it may not read, takes none of it out, and brings all else', async () => {
    const { objects, cluster, sync, untilShown, shown } = await startSyncWorld();
    objects.create('services', kubeService('web'));
    objects.create('endpointslices', kubeSlice('web', [{ ip: '10.1.0.1' }]));
    const ports = [{ name: 'http', port: 80, nodePort: 30080 }];
    objects.create('services', kubeService('np', { spec: { type: 'NodePort', ports } }));
    objects.create('endpointslices', kubeSlice('np', [{ ip: '10.1.0.9', node: 'n1' }]));
    const addresses = [{ type: 'ExternalIP', address: '192.0.2.1' }];
    objects.create('nodes', { metadata: { name: 'n1' }, status: { addresses } });
    const first = sync('a');
    await untilShown('web 10.1.0.1:8080 passing', 'np 192.0.2.1:30080');
    await first.stop();
    cluster.tokens.set('t1', { services: ['list', 'watch'], endpointslices: ['list', 'watch'] });
    objects.set('endpointslices', kubeSlice('web', [{ ip: '10.1.0.2' }]));
    sync('b');
    await untilShown('web 10.1.0.2:8080 passing', 'np 192.0.2.1:30080');
    objects.delete('services', 'default', 'np');
    await until(() => !shown().includes('np 192.0.2.1:30080'));
  });

  it('deregisters nothing before all lists are complete: a restart finds what it left', async () => {
    const { objects, cluster, sync, untilShown, shown, status } = await startSyncWorld();
    objects.create('services', kubeService('web'));
    objects.create('endpointslices', kubeSlice('web', [{ ip: '10.1.0.1' }]));
    const first = sync('a');
    await untilShown('web 10.1.0.1:8080 passing');
    await first.stop();
    cluster.tokens.set('t1', { services: ['list', 'watch'] });
    const second = sync('b');
    await until(() => second.logger.lines.some((line) => line.includes('endpointslices: 403')));
    await until(() => status(NODE, 'service:proconsul-k8s-sync-b') === 'warning');
    assert.equal(second.isActive, false);
    assert.deepEqual(shown(), ['web 10.1.0.1:8080 passing']);
    assert.equal(second.writes.filter(({ path }) => path === '/v1/txn').length, 0);
  });

  it('puts back what somebody else changed, and takes out what is of it and wanted no more', async () => {
    const { objects, sync, rows, untilShown, register, put } = await startSyncWorld();
    objects.create('services', kubeService('web'));
    objects.create('endpointslices', kubeSlice('web', [{ ip: '10.1.0.1' }]));
    sync();
    await untilShown('web 10.1.0.1:8080 passing');
    await put('/v1/catalog/deregister', { Node: NODE, ServiceID: rows()[0]?.ID });
    await untilShown('web 10.1.0.1:8080 passing');
    const Meta = { 'external-source': 'kubernetes', 'external-k8s-sync': 'k8s-sync' };
    await register({ Node: NODE, Address: '127.0.0.1', Service: { Service: 'gone', Meta } });
    await untilShown('web 10.1.0.1:8080 passing');
  });

  it('reads anew what became of a write that was not answered, before it writes again', async () => {
    const { objects, sync, untilShown } = await startSyncWorld();
    const only = sync();
    await until(() => only.isActive);
    only.lostAnswers = 1;
    objects.create('endpointslices', kubeSlice('web', [{ ip: '10.1.0.1' }, { ip: '10.1.0.2' }]));
    objects.create('services', kubeService('web'));
    await untilShown('web 10.1.0.1:8080 passing', 'web 10.1.0.2:8080 passing');
    await until(() => only.logger.lines.some((line) => line.includes('the catalog takes nothing')));
    objects.set('endpointslices', kubeSlice('web', [{ ip: '10.1.0.1' }]));
    await untilShown('web 10.1.0.1:8080 passing');
    assert.deepEqual(
      only.logger.lines.filter((line) => line.includes('is not taken')),
      [],
    );
    assert.equal(only.writes.filter(({ path }) => path === '/v1/txn').length, 2);
  });

  it("leaves what is another's alone, on the same node and of the same name", async () => {
    const { objects, sync, untilShown, register, rows } = await startSyncWorld();
    const Meta = { 'external-source': 'kubernetes', 'external-k8s-sync': 'cluster-b' };
    const place = { Node: NODE, Address: '127.0.0.1' };
    await register({
      ...place,
      Service: { Service: 'web', ID: 'web-b', Address: '10.2.0.1', Port: 1, Meta },
    });
    await register({
      ...place,
      Service: { Service: 'hand', ID: 'hand', Address: '10.2.0.2', Port: 2 },
    });
    objects.create('services', kubeService('web'));
    objects.create('endpointslices', kubeSlice('web', [{ ip: '10.1.0.1' }]));
    const { logger } = sync();
    await untilShown('web 10.1.0.1:8080 passing', 'web 10.2.0.1:1', 'hand 10.2.0.2:2');
    const own = rows().find(({ Address }) => Address === '10.1.0.1')?.ID ?? '';
    objects.delete('services', 'default', 'web');
    await untilShown('web 10.2.0.1:1', 'hand 10.2.0.2:2');
    await register({
      ...place,
      Service: { Service: 'web', ID: own, Address: '10.1.0.1', Port: 9 },
    });
    objects.create('services', kubeService('web'));
    await until(() => logger.lines.some((line) => line.includes(`"${own}" is left alone`)));
    assert.equal(rows().find(({ ID }) => ID === own)?.Port, 9);
  });

  it('takes over what consul-k8s left of the same cluster', async () => {
    const { objects, sync, untilShown, register, rows } = await startSyncWorld();
    const ID = 'web-a2a2cbb1f5d8';
    const Meta = { 'external-source': 'kubernetes', 'external-k8s-ns': 'default' };
    const Service = { Service: 'web', ID, Address: '10.9.0.1', Port: 1, Meta };
    await register({ Node: NODE, Address: '127.0.0.1', Service });
    objects.create('services', kubeService('web'));
    objects.create('endpointslices', kubeSlice('web', [{ ip: '10.1.0.1' }]));
    sync();
    await untilShown('web 10.1.0.1:8080 passing', 'web 10.9.0.1:1');
    assert.equal(rows().length, 2);
  });

  it('tells which instance its token may not write, and writes the others', async () => {
    const rules = `
      node "k8s-sync" { policy = "write" }
      service "web" { policy = "write" }
      service "proconsul-k8s-sync" { policy = "write" }
      session "k8s-sync" { policy = "write" }
      key_prefix "k8s-sync/" { policy = "write" }`;
    const { objects, sync, untilShown } = await startSyncWorld({ rules: { least: rules } });
    for (const name of ['web', 'secret']) {
      objects.create('services', kubeService(name));
      objects.create(
        'endpointslices',
        kubeSlice(name, [{ ip: name === 'web' ? '10.1.0.1' : '10.1.0.2' }]),
      );
    }
    const { logger } = sync('a', {}, 'least');
    await untilShown('web 10.1.0.1:8080 passing');
    await until(
      () => logger.lines.some((line) => /"secret-\w+" is not taken: .*denied/i.test(line)),
      () => logger.lines.join('\n'),
    );
  });
});

describe('several syncs', () => {
  it('write one at a time; the next takes over when the first is killed, and its death is seen', async () => {
    const { objects, sync, untilShown, clock, status, server } = await startSyncWorld();
    objects.create('services', kubeService('web'));
    objects.create('endpointslices', kubeSlice('web', [{ ip: '10.1.0.1' }]));
    const first = sync('a');
    await until(() => first.isActive);
    const second = sync('b');
    await untilShown('web 10.1.0.1:8080 passing');
    await until(() => status(NODE, 'service:proconsul-k8s-sync-b') === 'passing');
    await until(() => second.sync.isWhole);
    assert.equal(second.isActive, false);
    first.kill();
    objects.set('endpointslices', kubeSlice('web', [{ ip: '10.1.0.2' }]));
    const { position } = server.state;
    // The second beats by real time: the server's runs on beside it.
    await until(async () => {
      await clock.advance(50);
      return second.isActive;
    });
    assert.ok(server.state.position > position);
    await untilShown('web 10.1.0.2:8080 passing');
    await until(() => status(NODE, 'service:proconsul-k8s-sync-a') === undefined);
  });

  it('show a dead one as critical for as long as there is no other', async () => {
    const { objects, sync, untilShown, clock, status, shown } = await startSyncWorld();
    objects.create('services', kubeService('web'));
    objects.create('endpointslices', kubeSlice('web', [{ ip: '10.1.0.1' }]));
    const only = sync('a');
    await untilShown('web 10.1.0.1:8080 passing');
    only.kill();
    await clock.advance(3600_000);
    assert.equal(status(NODE, 'service:proconsul-k8s-sync-a'), 'critical');
    assert.deepEqual(shown(), ['web 10.1.0.1:8080 passing']);
  });

  it('hand over at once where one is told to end, and leave no trace of it', async () => {
    const { sync, status } = await startSyncWorld();
    const first = sync('a');
    await until(() => first.isActive);
    const second = sync('b');
    await until(() => status(NODE, 'service:proconsul-k8s-sync-b') === 'passing');
    await first.stop();
    await until(() => second.isActive);
    assert.equal(status(NODE, 'service:proconsul-k8s-sync-a'), undefined);
  });

  it('cannot write once the lock is lost, whatever they believe', async () => {
    const { objects, sync, untilShown, put, server, get } = await startSyncWorld();
    objects.create('services', kubeService('web'));
    const first = sync('a');
    await until(() => first.isActive);
    const key = '/v1/kv/k8s-sync/k8s-sync/k8s-sync/lock';
    await until(async () => (await get(key)).status === 200);
    const [pair] = (await get(key)).json as { readonly Session: string }[];
    const { json } = await put('/v1/session/create', {
      Node: NODE,
      NodeChecks: [],
      LockDelay: '0s',
    });
    const { ID } = json as { readonly ID: string };
    await put(`/v1/session/destroy/${pair?.Session}`);
    await put(`${key}?acquire=${ID}&flags=3304740253564472344`, '');
    const { position } = server.state;
    objects.create('endpointslices', kubeSlice('web', [{ ip: '10.1.0.1' }]));
    await until(() =>
      first.logger.lines.some((line) => /lock is another's|lost the lock/.test(line)),
    );
    assert.equal(server.state.position >= position, true);
    await put(`/v1/session/destroy/${ID}`);
    await untilShown('web 10.1.0.1:8080 passing');
  });
});
