/** deploy/kubernetes: what the API takes, with flags that there are, rights that are needed and no more. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import { HTTP_FLAGS } from '../../cli/api-options.ts';
import { readFlags } from '../../cli/flag-values.ts';
import { K8S_FLAGS, syncOptionsOf } from '../../cli/k8s-flags.ts';
import { discoverArgs } from '../../kubernetes/discover.ts';
import { nodeBytes } from '../../kubernetes/to-catalog/room.ts';
import { loadConfig } from '../../lib/config/load.ts';
import { answerBytes } from '../../lib/limits.ts';
import { fakeConfigHost } from '../support/fakes/fake-config-host.ts';
import type { Rights } from '../support/kubernetes/api-server.ts';
import { kubeService, kubeSlice } from '../support/kubernetes/cluster.ts';
import { faultsOf } from '../support/kubernetes/schema.ts';
import { startSyncWorld } from '../support/kubernetes/syncs.ts';
import { until } from '../support/until.ts';

const FOLDER = new URL('../../deploy/kubernetes/', import.meta.url);

type Json = Readonly<Record<string, unknown>>;

interface Manifest extends Json {
  readonly kind: string;
  readonly apiVersion: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  // biome-ignore lint/suspicious/noExplicitAny: What is where the schema has been looked at.
  readonly spec?: any;
}

const FILES = [
  ...readdirSync(FOLDER).filter((name) => name.endsWith('.yaml')),
  ...readdirSync(new URL('optional/', FOLDER)).map((name) => `optional/${name}`),
];
const IN_FILE = new Map(FILES.map((name) => [name, documentsOf(name)]));
const ALL = [...IN_FILE.values()].flat();

function documentsOf(name: string): readonly Manifest[] {
  const text = readFileSync(new URL(name, FOLDER), 'utf8');
  return parseAllDocuments(text, { strict: true }).map((each) => {
    assert.deepEqual(each.errors, [], name);
    return each.toJS() as Manifest;
  });
}

function ofKind(...kinds: readonly string[]): readonly Manifest[] {
  return ALL.filter(({ kind }) => kinds.includes(kind));
}

interface Port {
  readonly name: string;
  readonly containerPort: number;
}

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}

interface Container {
  readonly livenessProbe?: Probe;
  readonly readinessProbe?: Probe;
  readonly image: string;
  readonly args: readonly string[];
  readonly env?: readonly { readonly name: string }[];
  readonly ports?: readonly Port[];
  readonly securityContext: Json;
  readonly resources: { readonly limits: { readonly memory: string } };
}

const WORKLOADS = ofKind('StatefulSet', 'DaemonSet', 'Deployment');
const podOf = ({ spec }: Manifest) => spec.template;
const containersOf = (each: Manifest): readonly Container[] => podOf(each).spec.containers;
const OWN = WORKLOADS.flatMap(containersOf).filter(({ image }) => image === 'proconsul');

function chosenBy({ spec }: Manifest) {
  const selector = spec.podSelector ?? spec.selector;
  const labels = Object.entries(selector.matchLabels ?? selector);
  return WORKLOADS.map(podOf).filter(({ metadata }) =>
    labels.every(([key, value]) => metadata.labels[key] === value),
  );
}

/** As a kubelet puts the environment in. */
const filled = (args: readonly string[]) =>
  args.map((each) =>
    each.replaceAll(/\$\((\w+)\)/g, (_, name: string) =>
      name === 'POD_IP' ? '10.1.0.1' : name.toLowerCase().replaceAll('_', '-'),
    ),
  );

function argsOf(component: string): readonly string[] {
  const found = WORKLOADS.find(({ metadata }) => metadata.name === `proconsul-${component}`);
  return filled(containersOf(found as Manifest)[0]?.args ?? []);
}

describe('deploy/kubernetes', () => {
  for (const [name, manifests] of IN_FILE) {
    it(`${name} is what the API takes`, () => {
      assert.ok(manifests.length > 0);
      assert.deepEqual(manifests.flatMap(faultsOf), []);
    });
  }

  it('has its schema find what is wrong', () => {
    const wrong = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 7 },
      spec: { replica: 1, template: { spec: { containers: [{ image: 'x', ports: {} }] } } },
    };
    assert.deepEqual(
      [...faultsOf(wrong)].sort(),
      [
        'Deployment.metadata.name is no string',
        'Deployment.spec.replica is not there',
        'Deployment.spec.selector is missing',
        'Deployment.spec.template.spec.containers[0].name is missing',
        'Deployment.spec.template.spec.containers[0].ports is no list',
      ].sort(),
    );
  });

  it('has for the Prometheus operator the rules that docs/monitoring has for syncs', () => {
    const page = new URL('../../docs/monitoring/alerts.yml', import.meta.url);
    const [rules] = parseAllDocuments(readFileSync(page, 'utf8')).map((each) => each.toJS());
    const { groups } = rules as { readonly groups: readonly { readonly name: string }[] };
    const ours = groups.filter(({ name }) => name === 'proconsul-k8s-sync');
    const [own] = ofKind('PrometheusRule');
    assert.deepEqual(own?.spec.groups, ours);
  });

  it('gives a sync the memory for a node of 64 MiB, and servers that for one answer about two of them', () => {
    const memoryOf = (component: string) => {
      const found = WORKLOADS.find(({ metadata }) => metadata.name === `proconsul-${component}`);
      const [container] = containersOf(found as Manifest);
      const limit = container?.resources.limits.memory ?? '';
      const [, number = '', unit = ''] = /^(\d+)([MG])i$/.exec(limit) ?? [];
      return Number(number) * (unit === 'G' ? 1024 : 1) * 1024 * 1024;
    };
    const owners = 2;
    const most = nodeBytes(memoryOf('sync'));
    assert.equal(most, 64 * 1024 * 1024);
    assert.ok(answerBytes(memoryOf('server')) >= owners * most);
  });

  it('is all in the kustomization but what is optional, in its namespace', () => {
    const [kustomization] = documentsOf('kustomization.yaml');
    const listed = kustomization?.['resources'] as readonly string[];
    const there = FILES.filter((name) => !name.includes('/') && name !== 'kustomization.yaml');
    assert.deepEqual([...listed].sort(), there.sort());
    const cluster = ['Namespace', 'ClusterRole', 'ClusterRoleBinding', 'Kustomization'];
    for (const file of listed) {
      for (const { kind, metadata } of IN_FILE.get(file) ?? []) {
        if (!cluster.includes(kind))
          assert.equal(metadata.namespace, 'proconsul', `${file} ${metadata.name}`);
      }
    }
  });

  it('has each variable in an argument in the environment of its container', () => {
    assert.equal(OWN.length, 3);
    for (const { args, env = [] } of OWN) {
      const names = env.map(({ name }) => name);
      for (const [, name = ''] of args.join(' ').matchAll(/\$\((\w+)\)/g))
        assert.ok(names.includes(name), name);
    }
  });

  for (const component of ['server', 'agent']) {
    it(`starts the ${component} with flags that are obeyed, without a warning`, () => {
      const [command, ...argv] = argsOf(component);
      assert.equal(command, 'agent');
      const { config, warnings } = loadConfig({
        argv,
        host: fakeConfigHost(),
        redisUrl: undefined,
      });
      assert.deepEqual(warnings, []);
      assert.equal(config.server, component === 'server');
      assert.equal(config.leaveOnTerminate, component === 'agent');
    });
  }

  it('joins servers by labels that servers have', () => {
    const join = argsOf('agent').find((each) => each.startsWith('-retry-join=')) ?? '';
    const args = discoverArgs(join.replace('-retry-join=', ''));
    const servers = WORKLOADS.find(
      ({ metadata }) => metadata.name === 'proconsul-server',
    ) as Manifest;
    const pairs = (args.get('label_selector') ?? '').split(',').map((each) => each.split('='));
    assert.equal(pairs.length, 2);
    for (const [key = '', value] of pairs) assert.equal(podOf(servers).metadata.labels[key], value);
  });

  it('starts the sync with flags that there are', () => {
    const [command, ...argv] = argsOf('sync');
    assert.equal(command, 'k8s-sync');
    const { flags, args } = readFlags(argv, new Map([...HTTP_FLAGS.agent, ...K8S_FLAGS]));
    assert.deepEqual(args, []);
    const { toCatalog, toCluster } = syncOptionsOf(flags);
    assert.deepEqual(toCatalog?.rules.denyNamespaces, ['kube-*', 'proconsul']);
    assert.equal(toCluster, undefined);
  });

  it('runs nothing as root, with no right and no file system that it does not need', () => {
    for (const each of WORKLOADS) {
      const { securityContext, automountServiceAccountToken } = podOf(each).spec;
      assert.equal(securityContext.runAsNonRoot, true);
      assert.equal(securityContext.seccompProfile.type, 'RuntimeDefault');
      const asks = ['proconsul-agent', 'proconsul-sync'].includes(each.metadata.name);
      assert.equal(automountServiceAccountToken, asks, each.metadata.name);
      for (const container of containersOf(each)) {
        const { allowPrivilegeEscalation, readOnlyRootFilesystem, capabilities } =
          container.securityContext as { capabilities: { drop: string[] } } & Json;
        assert.deepEqual([allowPrivilegeEscalation, readOnlyRootFilesystem], [false, true]);
        assert.deepEqual(capabilities.drop, ['ALL']);
      }
    }
  });

  it('has probes and monitors ask at ports that containers have', () => {
    for (const container of OWN) {
      const names = (container.ports ?? []).map(({ name }) => name);
      const { livenessProbe, readinessProbe } = container;
      for (const probe of [livenessProbe, readinessProbe]) {
        assert.ok(names.includes(probe?.httpGet.port ?? ''), container.args[0]);
      }
    }
    for (const { metadata, spec } of ofKind('PodMonitor')) {
      const pod = WORKLOADS.find((each) => each.metadata.name === metadata.name) as Manifest;
      const names = containersOf(pod).flatMap(({ ports = [] }) => ports.map(({ name }) => name));
      for (const { port } of spec.podMetricsEndpoints) assert.ok(names.includes(port), port);
    }
  });

  it('has Services, budgets and policies choose pods that there are', () => {
    for (const each of ofKind('Service', 'PodDisruptionBudget', 'NetworkPolicy')) {
      assert.equal(chosenBy(each).length, 1, each.metadata.name);
    }
    for (const { metadata, spec } of WORKLOADS) {
      assert.deepEqual(spec.selector.matchLabels, spec.template.metadata.labels, metadata.name);
    }
  });

  it('has Services lead to ports that their pods have', () => {
    for (const each of ofKind('Service')) {
      const ports: readonly Port[] = chosenBy(each)[0].spec.containers[0].ports ?? [];
      const names = new Set<unknown>(ports.flatMap((port) => [port.name, port.containerPort]));
      for (const { targetPort, port } of each.spec.ports) {
        assert.ok(names.has(targetPort ?? port), `${each.metadata.name}: ${port}`);
      }
    }
  });

  it('gives accounts that there are the roles that there are', () => {
    const names = (kind: string) => ofKind(kind).map(({ metadata }) => metadata.name);
    for (const each of ofKind('RoleBinding', 'ClusterRoleBinding')) {
      const role = each['roleRef'] as { kind: string; name: string };
      assert.ok(names(role.kind).includes(role.name));
      for (const { name } of each['subjects'] as { name: string }[])
        assert.ok(names('ServiceAccount').includes(name));
    }
    for (const each of WORKLOADS) {
      const { serviceAccountName } = podOf(each).spec;
      if (serviceAccountName !== undefined)
        assert.ok(names('ServiceAccount').includes(serviceAccountName));
    }
  });
});

describe('the rights of deploy/kubernetes', () => {
  const rightsOf = (...kinds: readonly string[]): Rights => {
    const rules = ofKind(...kinds)
      .filter(({ metadata }) => metadata.name === 'proconsul-sync')
      .flatMap((each) => each['rules'] as { resources: string[]; verbs: string[] }[]);
    const rights: Record<string, string[]> = {};
    for (const { resources, verbs } of rules) {
      for (const each of resources) rights[each] = [...(rights[each] ?? []), ...verbs];
    }
    return rights;
  };

  it('are enough for the sync, and each of them is used', async () => {
    const rights = rightsOf('ClusterRole');
    const { cluster, objects, sync, untilShown } = await startSyncWorld();
    cluster.tokens.set('t1', rights);
    objects.create('services', kubeService('web'));
    objects.create('endpointslices', kubeSlice('web', [{ ip: '10.1.0.1', node: 'm1' }]));
    const ports = [{ name: 'http', port: 80, nodePort: 30080 }];
    objects.create('services', kubeService('node', { spec: { type: 'NodePort', ports } }));
    objects.create('endpointslices', kubeSlice('node', [{ ip: '10.1.0.2', node: 'm1' }]));
    const addresses = [{ type: 'ExternalIP', address: '192.0.2.1' }];
    objects.create('nodes', { metadata: { name: 'm1' }, status: { addresses } });
    sync();
    await untilShown('web 10.1.0.1:8080 passing', 'node 192.0.2.1:30080');
    for (const resource of Object.keys(rights)) {
      const asked = cluster.requests.filter((each) => each.includes(`/${resource}?`));
      assert.ok(
        asked.some((each) => each.includes('watch=true')),
        resource,
      );
      assert.ok(
        asked.some((each) => !each.includes('watch=true')),
        resource,
      );
    }
  });

  it('are enough for the way back', async () => {
    const { cluster, objects, sync, register, put } = await startSyncWorld();
    cluster.tokens.set('t1', rightsOf('ClusterRole', 'Role'));
    const Service = { Service: 'db', Address: '10.0.0.1', Port: 1 };
    await register({ Node: 'm', Address: '10.0.0.9', Service });
    const { logger } = sync('a', { 'to-k8s': 'true' });
    const count = () =>
      [objects.list('services').length, objects.list('endpointslices').length].join();
    await until(
      () => count() === '1,1',
      () => logger.lines.join('\n'),
    );
    await register({
      Node: 'm',
      Address: '10.0.0.9',
      Service: { ...Service, Address: '10.0.0.2' },
    });
    await until(
      () => JSON.stringify(objects.list('endpointslices')).includes('10.0.0.2'),
      () => logger.lines.join('\n'),
    );
    await put('/v1/catalog/deregister', { Node: 'm' });
    await until(
      () => count() === '0,0',
      () => logger.lines.join('\n'),
    );
    assert.deepEqual(
      logger.lines.filter((line) => line.startsWith('warn')),
      [],
    );
  });
});
