/** What a Service comes to in the catalog, kind by kind, as consul-k8s has it. */
import assert from 'node:assert/strict';
import {
  type KubeService,
  nodeIn,
  type Slice,
  serviceIn,
  sliceIn,
} from '../../../kubernetes/objects.ts';
import { Instances } from '../../../kubernetes/to-catalog/instances.ts';
import { isSynced, type SyncRules } from '../../../kubernetes/to-catalog/rules.ts';
import { type Endpoint, kubeService, kubeSlice } from '../../support/kubernetes/cluster.ts';
import type { KubeObject } from '../../support/kubernetes/objects.ts';
import { SYNC_RULES } from '../../support/kubernetes/sync-rules.ts';

interface World {
  readonly rules?: Partial<SyncRules>;
  readonly slices?: readonly KubeObject[];
  readonly nodes?: Readonly<Record<string, readonly (readonly [type: string, address: string])[]>>;
}

const PODS: readonly Endpoint[] = [
  { ip: '10.1.0.1', node: 'm1' },
  { ip: '10.1.0.2', node: 'm2' },
];

function come(service: KubeObject, world: World = {}) {
  const { rules = {}, slices = [kubeSlice('web', PODS)], nodes = {} } = world;
  const node = (name: string) =>
    nodeIn({
      status: { addresses: nodes[name]?.map(([type, address]) => ({ type, address })) ?? [] },
    });
  const kept = slices.map((each) => sliceIn(each));
  return new Instances({ ...SYNC_RULES, ...rules }).of(serviceIn(service), { slices: kept, node });
}

const places = (...given: Parameters<typeof come>) =>
  come(...given).map(({ service }) => `${service.Service} ${service.Address}:${service.Port}`);

describe('a Service in the catalog', () => {
  it('has nothing made anew but of the pod that changed, and all where it says itself something else', () => {
    const instances = new Instances(SYNC_RULES);
    const at = (service: KubeService, slice: Slice) =>
      instances.of(service, { slices: [slice], node: () => undefined });
    const service = serviceIn(kubeService('web'));
    const slice = sliceIn(kubeSlice('web', PODS));
    const before = at(service, slice);
    const pods = PODS.map((pod, i) => ({ ...pod, ready: i !== 0 }));
    const now = at(service, sliceIn(kubeSlice('web', pods), slice));
    assert.deepEqual([now[0]?.checks[0]?.Status, now[1] === before[1]], ['critical', true]);
    const annotations = { 'consul.hashicorp.com/service-port': '99' };
    const moved = at(serviceIn(kubeService('web', { annotations })), slice);
    assert.deepEqual(
      moved.map((each) => each.service.Port),
      [99, 99],
    );
    const ported = at(service, { ...slice, ports: [{ name: '', port: 7 }] });
    assert.deepEqual(
      ported.map((each) => each.service.Port),
      [7, 7],
    );
  });

  it('has the id that consul-k8s gives it', () => {
    const [instance] = come(kubeService('web'));
    assert.equal(instance?.service.ID, 'web-b5f12cb3f615');
  });

  it('is named by its annotation, or else with the prefix and its namespace', () => {
    const annotations = { 'consul.hashicorp.com/service-name': ' shop ' };
    const rules = { namePrefix: 'a-', addsNamespace: true };
    assert.equal(places(kubeService('web'), { rules })[0], 'a-web-default 10.1.0.1:8080');
    assert.equal(places(kubeService('web', { annotations }), { rules })[0], 'shop 10.1.0.1:8080');
  });

  it('has the tags and the metadata of its annotations, as far as a catalog takes them', () => {
    const annotations = {
      'consul.hashicorp.com/service-tags': 'a, b\\,c ,,',
      'consul.hashicorp.com/service-meta-team': 'blue',
      'consul.hashicorp.com/service-meta-bad.key': 'x',
      'consul.hashicorp.com/service-meta-long': 'x'.repeat(600),
      'consul.hashicorp.com/service-meta-external-source': 'mine',
    };
    const [instance] = come(kubeService('web', { annotations }));
    assert.deepEqual(instance?.service.Tags, ['k8s', 'a', 'b,c']);
    assert.equal(instance?.service.Meta['team'], 'blue');
    assert.equal(instance?.service.Meta['external-source'], 'kubernetes');
    assert.deepEqual(
      Object.keys(instance?.service.Meta ?? {}).filter((key) => /bad|long/.test(key)),
      [],
    );
  });

  it('has no more metadata than a catalog takes, its own before that of annotations', () => {
    const pairs = Array.from({ length: 200 }, (_, i) => [
      `consul.hashicorp.com/service-meta-m${i}`,
      '1',
    ]);
    const ports = Array.from({ length: 200 }, (_, i) => ({ name: `p${i}`, port: i + 1 }));
    const [instance] = come(
      kubeService('web', { annotations: Object.fromEntries(pairs), spec: { ports } }),
    );
    assert.ok(Object.keys(instance?.service.Meta ?? {}).length <= 64);
    assert.equal(instance?.service.Meta['external-k8s-ref-name'], 'pod-10-1-0-1');
  });

  it('has the port of its pods: the first, the one that is named, or the number that is said', () => {
    const ports = [
      { name: 'http', port: 8080 },
      { name: 'admin', port: 9090 },
    ];
    const slices = [kubeSlice('web', PODS.slice(0, 1), { ports })];
    const by = (said: string) =>
      places(kubeService('web', { annotations: { 'consul.hashicorp.com/service-port': said } }), {
        slices,
      });
    assert.deepEqual(places(kubeService('web'), { slices }), ['web 10.1.0.1:8080']);
    assert.deepEqual(by('admin'), ['web 10.1.0.1:9090']);
    assert.deepEqual(by('7000'), ['web 10.1.0.1:7000']);
    assert.deepEqual(by('99999'), ['web 10.1.0.1:0']);
  });

  it('is at its external addresses before all, whatever its type', () => {
    const spec = { externalIPs: ['192.0.2.1'], type: 'NodePort' };
    const annotations = { 'consul.hashicorp.com/service-weight': '7' };
    const [instance] = come(kubeService('web', { spec, annotations }));
    assert.equal(instance?.service.Address, '192.0.2.1');
    assert.deepEqual(instance?.service.Weights, { Passing: 7, Warning: 1 });
    assert.deepEqual(instance?.checks, []);
  });

  it('of type LoadBalancer is at each address or name of the balancer, once there is one', () => {
    const spec = { type: 'LoadBalancer' };
    assert.deepEqual(places(kubeService('web', { spec })), []);
    const status = {
      loadBalancer: { ingress: [{ ip: '203.0.113.1' }, { hostname: 'lb.example' }] },
    };
    assert.deepEqual(places(kubeService('web', { spec, status })), [
      'web 203.0.113.1:80',
      'web lb.example:80',
    ]);
  });

  it('of type NodePort is at each machine that has a pod, at the address that is asked for', () => {
    const spec = { type: 'NodePort', ports: [{ name: 'http', port: 80, nodePort: 30080 }] };
    const nodes = {
      m1: [
        ['InternalIP', '172.16.0.1'],
        ['ExternalIP', '198.51.100.1'],
      ],
      m2: [['InternalIP', '172.16.0.2']],
      m3: [['ExternalIP', '198.51.100.3']],
    } as const;
    const at = (nodePorts: SyncRules['nodePorts']) =>
      places(kubeService('web', { spec }), { nodes, rules: { nodePorts } });
    assert.deepEqual(at('ExternalOnly'), ['web 198.51.100.1:30080']);
    assert.deepEqual(at('InternalOnly'), ['web 172.16.0.1:30080', 'web 172.16.0.2:30080']);
    assert.deepEqual(at('ExternalFirst'), ['web 198.51.100.1:30080', 'web 172.16.0.2:30080']);
  });

  it('of two families has each pod once, unless both are asked for', () => {
    const slices = [
      kubeSlice('web', [{ ip: '10.1.0.1' }]),
      kubeSlice('web', [{ ip: 'fd00::1' }], { name: 'web-x2', family: 'IPv6' }),
    ];
    const spec = { ipFamilies: ['IPv6', 'IPv4'] };
    assert.deepEqual(places(kubeService('web', { spec }), { slices }), ['web fd00::1:8080']);
    assert.equal(
      come(kubeService('web', { spec }), { slices, rules: { bothFamilies: true } }).length,
      2,
    );
  });

  it('counts a pod once that is in two slices, and as ready where one of them says so', () => {
    const slices = [
      kubeSlice('web', [{ ip: '10.1.0.1', ready: false }]),
      kubeSlice('web', [{ ip: '10.1.0.1' }], { name: 'web-x2' }),
    ];
    const instances = come(kubeService('web'), { slices });
    assert.deepEqual(
      instances.map(({ checks }) => checks[0]?.Status),
      ['passing'],
    );
  });

  it('takes a slice that says nothing, or nonsense, for what it is', () => {
    const empty = { ...kubeSlice('web', []), ports: null };
    const odd = {
      ...kubeSlice('web', []),
      endpoints: [7, { addresses: 'x' }, { addresses: ['nonsense'] }],
      ports: 'x',
    };
    assert.deepEqual(come(kubeService('web'), { slices: [empty, odd] }), []);
    const bare = { ...kubeSlice('web', []), endpoints: [{ addresses: ['10.1.0.1'] }], ports: null };
    const [instance] = come(kubeService('web'), { slices: [bare] });
    assert.deepEqual([instance?.service.Port, instance?.checks[0]?.Status], [0, 'passing']);
  });
});

describe('whether a Service comes', () => {
  const comes = (service: KubeObject, rules: Partial<SyncRules> = {}) =>
    isSynced(serviceIn(service), { ...SYNC_RULES, ...rules });
  const says = (said: string) =>
    kubeService('web', { annotations: { 'consul.hashicorp.com/service-sync': said } });

  it('is said by its annotation, or else by the rule', () => {
    assert.equal(comes(kubeService('web')), true);
    assert.equal(comes(kubeService('web'), { byDefault: false }), false);
    assert.equal(comes(says('true'), { byDefault: false }), true);
    assert.equal(comes(says('false')), false);
    assert.equal(comes(says('perhaps')), false);
  });

  it('is denied by its namespace, whatever else is allowed', () => {
    const service = kubeService('web', { namespace: 'kube-system' });
    assert.equal(comes(service), true);
    assert.equal(comes(service, { denyNamespaces: ['kube-*'] }), false);
    assert.equal(
      comes(service, { allowNamespaces: ['kube-system'], denyNamespaces: ['kube-system'] }),
      false,
    );
    assert.equal(comes(service, { allowNamespaces: ['default'] }), false);
  });

  it('is no for what came from a catalog, and for names of other services', () => {
    assert.equal(comes(kubeService('web', { labels: { consul: 'true' } })), false);
    const labels = { 'app.kubernetes.io/managed-by': 'proconsul' };
    assert.equal(comes(kubeService('web', { labels })), false);
    const annotations = {
      'consul.hashicorp.com/service-sync': 'false',
      'proconsul-service': 'web',
    };
    assert.equal(comes(kubeService('web', { labels, annotations })), false);
    const spec = { selector: { app: 'web' } };
    assert.equal(comes(kubeService('web', { labels, annotations, spec })), true);
    assert.equal(comes(kubeService('web', { spec: { type: 'ExternalName' } })), false);
    assert.equal(comes(kubeService('web'), { clusterIps: false }), false);
  });
});
