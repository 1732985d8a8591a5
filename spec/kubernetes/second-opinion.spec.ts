/** @kubernetes/client-node reads the API server of these specs as it reads a real one: what they show is no invention. */
import assert from 'node:assert/strict';
import {
  ApiException,
  CoreV1Api,
  DiscoveryV1Api,
  KubeConfig,
  makeInformer,
  type V1Service,
} from '@kubernetes/client-node';
import { type ApiServer, startApiServer } from '../support/kubernetes/api-server.ts';
import { kubeService, kubeSlice } from '../support/kubernetes/cluster.ts';
import { startSyncWorld } from '../support/kubernetes/syncs.ts';
import { until } from '../support/until.ts';

function configOf(server: ApiServer, token = 't1'): KubeConfig {
  const config = new KubeConfig();
  const caData = Buffer.from(server.authority.pair.cert).toString('base64');
  config.loadFromOptions({
    clusters: [{ name: 'c', server: server.url, caData }],
    users: [{ name: 'u', token }],
    contexts: [{ name: 'x', cluster: 'c', user: 'u' }],
    currentContext: 'x',
  });
  return config;
}

async function started() {
  const server = await startApiServer();
  for (const name of ['a', 'b', 'c']) server.objects.create('services', kubeService(name));
  const core = configOf(server).makeApiClient(CoreV1Api);
  const discovery = configOf(server).makeApiClient(DiscoveryV1Api);
  return { server, core, discovery };
}

const codeOf = (code: number) => (error: unknown) =>
  error instanceof ApiException && error.code === code;

describe("the specs' API server, for @kubernetes/client-node", () => {
  it('lists by pages, by labels and by namespace', async () => {
    const { server, core } = await started();
    const first = await core.listServiceForAllNamespaces({ limit: 2 });
    assert.deepEqual(
      first.items.map(({ metadata }) => metadata?.name),
      ['a', 'b'],
    );
    const rest = await core.listServiceForAllNamespaces({
      limit: 2,
      _continue: first.metadata?._continue ?? '',
    });
    assert.deepEqual(
      rest.items.map(({ metadata }) => metadata?.name),
      ['c'],
    );
    server.objects.set('services', kubeService('b', { labels: { app: 'x' } }));
    const some = await core.listNamespacedService({
      namespace: 'default',
      labelSelector: 'app in (x,y)',
    });
    assert.equal(some.items.length, 1);
    assert.equal((await core.listNamespacedService({ namespace: 'kube-system' })).items.length, 0);
  });

  it('reads slices as it knows them', async () => {
    const { server, discovery } = await started();
    server.objects.create(
      'endpointslices',
      kubeSlice('a', [{ ip: '10.1.0.1', terminating: true }]),
    );
    const { items } = await discovery.listEndpointSliceForAllNamespaces();
    assert.deepEqual(
      { ...items[0]?.endpoints[0]?.conditions },
      {
        ready: false,
        serving: true,
        terminating: true,
      },
    );
    assert.equal(items[0]?.ports?.[0]?.port, 8080);
  });

  it('keeps ConfigMaps as it writes them, bytes too, finds one by its name, and refuses what is none', async () => {
    const { core } = await started();
    const namespace = 'default';
    const create = (name: string, over: object) =>
      core.createNamespacedConfigMap({
        namespace,
        body: { kind: 'ConfigMap', metadata: { name }, ...over },
      });
    const bytes = Buffer.from([0xff, 0xfe]).toString('base64');
    await create('web', { data: { color: 'grün' }, binaryData: { bytes } });
    await create('other', {});
    const fieldSelector = 'metadata.name=web';
    const { items } = await core.listNamespacedConfigMap({ namespace, fieldSelector });
    assert.equal(items.length, 1);
    assert.deepEqual({ ...items[0]?.data }, { color: 'grün' });
    assert.deepEqual({ ...items[0]?.binaryData }, { bytes });
    for (const name of ['a b', '..x', 'a/b']) {
      await assert.rejects(create('bad', { data: { [name]: '1' } }), codeOf(422));
    }
    await assert.rejects(
      create('bad', { data: { a: 'x' }, binaryData: { a: bytes } }),
      codeOf(422),
    );
    const large = 'x'.repeat(1024 * 1024);
    await create('full', { data: { large } });
    await assert.rejects(create('bad', { data: { large, more: 'x' } }), codeOf(422));
  });

  it('shows it the ConfigMap that a sync has made of keys', async () => {
    const { cluster, sync, put } = await startSyncWorld();
    await put('/v1/kv/app/color', 'blue');
    await put('/v1/kv/app/bytes', Buffer.from([0xff, 0x00]));
    sync('a', { 'to-consul': 'false', 'config-map-from-kv': 'app=default/app' });
    const core = configOf(cluster).makeApiClient(CoreV1Api);
    const read = () => core.readNamespacedConfigMap({ namespace: 'default', name: 'app' });
    await until(async () => (await read().catch(() => undefined)) !== undefined);
    const { data, binaryData } = await read();
    assert.deepEqual([{ ...data }, { ...binaryData }], [{ color: 'blue' }, { bytes: '/wA=' }]);
  });

  it('refuses a token that it does not know, one that may not, and none', async () => {
    const { server } = await started();
    server.tokens.set('few', { services: ['list'] });
    const asking = (token: string) => configOf(server, token).makeApiClient(CoreV1Api).listNode();
    await assert.rejects(asking('wrong'), codeOf(401));
    await assert.rejects(asking('few'), codeOf(403));
    await assert.rejects(asking(''), codeOf(403));
  });

  it('refuses what another has written since, what is there already, and what cannot be', async () => {
    const { server, core } = await started();
    const namespace = 'default';
    const old = await core.readNamespacedService({ namespace, name: 'a' });
    server.objects.set('services', kubeService('a', { labels: { x: '1' } }));
    await assert.rejects(
      core.replaceNamespacedService({ namespace, name: 'a', body: old }),
      codeOf(409),
    );
    const body = kubeService('b') as unknown as V1Service;
    await assert.rejects(core.createNamespacedService({ namespace, body }), codeOf(409));
    const bad = kubeService('Not_A_Label') as unknown as V1Service;
    await assert.rejects(core.createNamespacedService({ namespace, body: bad }), codeOf(422));
    await core.deleteNamespacedService({ namespace, name: 'a' });
    await assert.rejects(core.readNamespacedService({ namespace, name: 'a' }), codeOf(404));
  });

  it('is followed by an informer: changes, a watch that ends, and a version that is too old', async () => {
    const { server, core } = await started();
    const list = () => core.listServiceForAllNamespaces();
    const informer = makeInformer(configOf(server), '/api/v1/services', list);
    const known = new Set<string>();
    informer.on('add', ({ metadata }) => void known.add(metadata?.name ?? ''));
    informer.on('delete', ({ metadata }) => void known.delete(metadata?.name ?? ''));
    const told = (names: string) =>
      until(
        () => [...known].sort().join('') === names,
        () => [...known],
      );
    await informer.start();
    try {
      await until(() => server.watches === 1);
      await told('abc');
      server.objects.delete('services', 'default', 'a');
      await told('bc');
      server.endWatches();
      server.objects.create('services', kubeService('d'));
      await told('bcd');
      await until(() => server.watches === 1);
      server.objects.delete('services', 'default', 'b');
      await told('cd');
      server.objects.compact();
      server.objects.set('pods', { metadata: { name: 'p' } });
      server.objects.compact();
      server.endWatches();
      await until(() => server.requests.filter((each) => !each.includes('watch')).length >= 2);
      await told('cd');
    } finally {
      await informer.stop();
    }
  });
});
