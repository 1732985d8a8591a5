/** How a sync begins its turn: with what it saw while another had it, and over nothing that it did not see. */
import assert from 'node:assert/strict';
import type { CatalogRequest } from '../../kubernetes/catalog.ts';
import { accessTo, type Endpoint, kubeService, kubeSlice } from '../support/kubernetes/cluster.ts';
import { type Instead, NODE, startSyncWorld } from '../support/kubernetes/syncs.ts';
import { until } from '../support/until.ts';

const isOfNode = ({ path }: CatalogRequest) => path === `/v1/internal/ui/node/${NODE}`;
const AWAY = { status: 500, index: '', text: 'away', json: undefined };

/** The second has read the node once, and reads it no more until it is let. */
async function started() {
  const world = await startSyncWorld();
  const { objects, sync, clock, untilShown, say } = world;
  const web = (...pods: readonly Endpoint[]) =>
    objects.set('endpointslices', kubeSlice('web', pods));
  objects.create('services', kubeService('web'));
  web({ ip: '10.1.0.1' });
  const first = sync('a');
  await untilShown('web 10.1.0.1:8080 passing');
  let reads = 0;
  const once: Instead = (request) => (isOfNode(request) && reads++ > 0 ? AWAY : undefined);
  world.cluster.tokens.set('t2', 'all');
  const second = sync('b', {}, '', accessTo(world.cluster, { value: 't2' }), once);
  await until(() => second.sync.isWhole);
  /** Time passes at the server, faster than the second beats by itself. */
  const untilActive = () =>
    until(async () => {
      await say(`check/pass/service:proconsul-k8s-sync-b?node=${NODE}`);
      await clock.advance(50);
      return second.isActive;
    });
  return { ...world, web, first, second, untilActive };
}

describe('a sync that nothing of the cluster has reached for a while', () => {
  it('takes nothing for gone before it has read the cluster anew', async () => {
    const { cluster, web, first, second, untilActive, untilShown } = await started();
    cluster.mutedToken = 't2';
    web({ ip: '10.1.0.1' }, { ip: '10.1.0.2' });
    await untilShown('web 10.1.0.1:8080 passing', 'web 10.1.0.2:8080 passing');
    second.instead = () => undefined;
    first.kill();
    web({ ip: '10.1.0.1' }, { ip: '10.1.0.2' }, { ip: '10.1.0.3' });
    await untilActive();
    await untilShown(...[1, 2, 3].map((i) => `web 10.1.0.${i}:8080 passing`));
    const text = JSON.stringify(second.writes.map(({ body }) => body));
    assert.doesNotMatch(text, /delete-cas/);
  });

  it('moves nothing to where a machine was before it has read the machines anew', async () => {
    const { cluster, objects, web, first, second, untilActive, untilShown } = await started();
    const machine = (address: string) =>
      objects.set('nodes', {
        metadata: { name: 'n1' },
        status: { addresses: [{ type: 'ExternalIP', address }] },
      });
    const ports = [{ name: 'http', port: 80, nodePort: 30080 }];
    machine('192.0.2.1');
    objects.create('services', kubeService('np', { spec: { type: 'NodePort', ports } }));
    objects.create('endpointslices', kubeSlice('np', [{ ip: '10.1.0.9', node: 'n1' }]));
    await untilShown('web 10.1.0.1:8080 passing', 'np 192.0.2.1:30080');
    const isWatching = () => cluster.requests.filter((each) => /nodes.*watch=true/.test(each));
    await until(() => isWatching().length === 2);
    cluster.mutedToken = 't2';
    machine('192.0.2.2');
    await untilShown('web 10.1.0.1:8080 passing', 'np 192.0.2.2:30080');
    second.instead = () => undefined;
    first.kill();
    web({ ip: '10.1.0.2' });
    await untilActive();
    await untilShown('web 10.1.0.2:8080 passing', 'np 192.0.2.2:30080');
    assert.doesNotMatch(JSON.stringify(second.writes), /192\.0\.2\./);
  });
});

describe('a sync that takes over', () => {
  it('writes what changed lately before it has read the node anew', async () => {
    const { web, first, second, untilActive, untilShown } = await started();
    first.kill();
    web({ ip: '10.1.0.2' }, { ip: '10.1.0.3', ready: false });
    await untilActive();
    await untilShown('web 10.1.0.2:8080 passing', 'web 10.1.0.3:8080 critical');
    const txns = second.writes.filter(({ path }) => path === '/v1/txn');
    // What goes waits for the lists of the cluster, and for nothing else.
    assert.ok(txns.length <= 2, `${txns.length}`);
  });

  it('sees to all else once it has read it: what the other wrote that it did not see', async () => {
    const { web, first, second, untilActive, untilShown, shown } = await started();
    web({ ip: '10.1.0.1' }, { ip: '10.1.0.2' }, { ip: '10.1.0.4' });
    await untilShown(...[1, 2, 4].map((i) => `web 10.1.0.${i}:8080 passing`));
    first.kill();
    // One goes that it never saw, one changes, and it has to think that another is still to be made.
    web({ ip: '10.1.0.1' }, { ip: '10.1.0.2', ready: false }, { ip: '10.1.0.3' });
    await untilActive();
    await until(() => shown().includes('web 10.1.0.3:8080 passing'));
    assert.ok(shown().includes('web 10.1.0.4:8080 passing'));
    second.instead = () => undefined;
    const right = ['1:8080 passing', '2:8080 critical', '3:8080 passing'];
    await untilShown(...right.map((each) => `web 10.1.0.${each}`));
  });

  it('writes no check of an instance that is another by now', async () => {
    const { web, first, second, untilActive, register, rows } = await started();
    first.kill();
    const [{ ID = '', checks = [] } = {}] = rows();
    const Meta = { 'external-source': 'kubernetes', 'external-k8s-sync': 'another' };
    const Service = { ID, Service: 'web', Address: '10.9.9.9', Port: 1, Meta };
    await register({ Node: NODE, Address: '127.0.0.1', SkipNodeUpdate: true, Service });
    web({ ip: '10.1.0.1', ready: false }, { ip: '10.1.0.2' });
    await untilActive();
    await until(() => rows().length === 2);
    second.instead = () => undefined;
    const told = () => second.logger.lines.join('\n');
    await until(() => /is left alone: it is of another/.test(told()), told);
    const row = rows().find((each) => each.ID === ID);
    assert.deepEqual([row?.Address, row?.checks[0]?.Status], ['10.9.9.9', 'passing']);
    assert.equal(checks.length, 1);
  });
});
