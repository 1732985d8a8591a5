/** A token that may read less than before: what it sees no more is not gone. */
import assert from 'node:assert/strict';
import { authorizing } from '../support/kubernetes/authorizing.ts';
import { startSyncWorld } from '../support/kubernetes/syncs.ts';
import { until } from '../support/until.ts';

const OWN = `
  node "k8s-sync" { policy = "write" }
  session "k8s-sync" { policy = "write" }
  key_prefix "k8s-sync/" { policy = "write" }
  service "proconsul-k8s-sync" { policy = "write" }`;
const ALL = `${OWN} service_prefix "" { policy = "read" } node_prefix "" { policy = "read" }`;

async function started() {
  const world = await startSyncWorld({ rules: { least: ALL } });
  const { objects, register, access } = world;
  const instance = (node: string, Address: string) =>
    register({ Node: node, Address, Service: { Service: 'db', Address, Port: 5432 } });
  const flags = { 'to-k8s': 'true', 'to-consul': 'false' };
  const begin = (name: string) =>
    world.sync(name, flags, 'least', undefined, authorizing(access, 'least'));
  const first = begin('a');
  let { logger } = first;
  /** Another process, which knows nothing of what the one before has seen. */
  const restart = async () => {
    await first.stop();
    const next = begin('b');
    logger = next.logger;
    return next;
  };
  const service = () => objects.get('services', 'default', 'db');
  const shown = () =>
    objects
      .list('endpointslices')
      .filter(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === 'db')
      .flatMap((slice) => slice['endpoints'] as readonly { addresses: readonly string[] }[])
      .flatMap(({ addresses }) => addresses)
      .sort()
      .join();
  const told = () => logger.lines.join('\n');
  const untilShown = (wanted: string) =>
    until(
      () => shown() === wanted,
      () => `${shown()}\n${told()}`,
    );
  await instance('m1', '10.0.0.1');
  await instance('m2', '10.0.0.2');
  await untilShown('10.0.0.1,10.0.0.2');
  return { ...world, instance, service, shown, untilShown, told, restart };
}

describe('a service that the token of a sync may not read any more', () => {
  it('stays in the cluster, and follows again once it may', async () => {
    const { access, register, instance, service, shown, untilShown, told } = await started();
    access?.grant('least', `${OWN} node_prefix "" { policy = "read" }`);
    await register({ Node: 'm3', Address: '10.0.0.3', Service: { Service: 'other', Port: 1 } });
    await until(() => /the token may not read service "db"/.test(told()), told);
    assert.deepEqual([service() !== undefined, shown()], [true, '10.0.0.1,10.0.0.2']);
    access?.grant('least', ALL);
    await instance('m4', '10.0.0.4');
    await untilShown('10.0.0.1,10.0.0.2,10.0.0.4');
  });

  it('keeps instances whose nodes it may not read', async () => {
    const { access, instance, shown, untilShown, told, put } = await started();
    const nodes = (name: string) =>
      `${OWN} service_prefix "" { policy = "read" } node "${name}" { policy = "read" }`;
    access?.grant('least', nodes('m1'));
    await instance('m3', '10.0.0.3');
    await until(() => /the token may not read node "m2"/.test(told()), told);
    assert.equal(shown(), '10.0.0.1,10.0.0.2');
    access?.grant('least', ALL);
    await untilShown('10.0.0.1,10.0.0.2,10.0.0.3');
    await put(
      '/v1/catalog/deregister',
      { Node: 'm2' },
      { headers: { 'X-Consul-Token': 'master' } },
    );
    await untilShown('10.0.0.1,10.0.0.3');
  });

  const oneNode = `${OWN} service_prefix "" { policy = "read" } node "m1" { policy = "read" }`;

  it('keeps instances whose nodes a sync has never been allowed to read, and brings what it sees', async () => {
    const { access, instance, untilShown, told, restart, put } = await started();
    access?.grant('least', oneNode);
    await restart();
    await until(() => /"db": the token may not read all nodes/.test(told()), told);
    await instance('m1', '10.0.0.9');
    await untilShown('10.0.0.2,10.0.0.9');
    access?.grant('least', ALL);
    const headers = { 'X-Consul-Token': 'master' };
    await put('/v1/catalog/deregister', { Node: 'm2' }, { headers });
    await untilShown('10.0.0.9');
  });

  it('stays where all that a sync may see of it came from the cluster', async () => {
    const { access, register, service, untilShown, told, restart } = await started();
    const Tags = ['k8s'];
    const Service = { Service: 'db', Address: '10.0.0.1', Port: 5432, Tags };
    await register({ Node: 'm1', Address: '10.0.0.1', Service });
    await untilShown('10.0.0.2');
    access?.grant('least', oneNode);
    await restart();
    await until(() => /"db": the token may not read all nodes/.test(told()), told);
    await register({ Node: 'm1', Address: '10.0.0.1', Service: { Service: 'other', Port: 1 } });
    await untilShown('10.0.0.2');
    assert.ok(service() !== undefined);
  });

  it('goes once it is gone', async () => {
    const { put, service } = await started();
    const headers = { 'X-Consul-Token': 'master' };
    for (const Node of ['m1', 'm2']) await put('/v1/catalog/deregister', { Node }, { headers });
    await until(() => service() === undefined);
  });
});

describe('the services of a catalog that answers something else', () => {
  it('stay in the cluster', async () => {
    const { sync, register, objects } = await startSyncWorld();
    await register({ Node: 'm', Address: '10.0.0.1', Service: { Service: 'db', Port: 1 } });
    const flags = { 'to-k8s': 'true', 'to-consul': 'false' };
    const first = sync('a', flags);
    await until(() => objects.get('services', 'default', 'db') !== undefined);
    await first.stop();
    const page = { status: 200, index: '9', text: '', json: { message: 'hello' } };
    const { logger } = sync('b', flags, '', undefined, ({ path }) =>
      path === '/v1/catalog/services' ? page : undefined,
    );
    await until(() => logger.lines.some((line) => line.includes('the answer has no services')));
    assert.ok(objects.get('services', 'default', 'db') !== undefined);
  });
});
