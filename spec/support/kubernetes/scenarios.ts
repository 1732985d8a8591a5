/**
 * What happens between a cluster and the catalog, by the cluster's API alone: specs have it happen in a made-up one,
 * spec/system/kubernetes-real.system.ts in whichever one KUBECONFIG names. No pod runs: slices are written by hand.
 */
import assert from 'node:assert/strict';
import type { ApiAccess } from '../../../kubernetes/api/access.ts';
import { ApiServer as Client } from '../../../kubernetes/api/api-server.ts';
import { systemClock } from '../../../lib/clock.ts';
import { startAgentless } from '../servers/agentless.ts';
import { atEnd } from '../servers/start-server.ts';
import { until } from '../until.ts';
import { type Endpoint, kubeService, kubeSlice } from './cluster.ts';
import { type KubeObject, RESOURCES } from './objects.ts';
import { type FlagTexts, syncsOf } from './syncs.ts';

/** Whoever writes to a cluster by kubectl. */
export class ClusterUser {
  readonly namespace: string;
  readonly #api: Client;

  constructor(access: ApiAccess, namespace: string) {
    this.namespace = namespace;
    this.#api = new Client(access, systemClock);
  }

  close(): void {
    this.#api.close();
  }

  async get(resource: string, name: string): Promise<KubeObject | undefined> {
    const path = this.#path(resource, name);
    const { status, json } = await this.#ask({ method: 'GET', path, accept: [404] });
    return status === 404 ? undefined : (json as unknown as KubeObject);
  }

  async list(resource: string, labelSelector = ''): Promise<readonly KubeObject[]> {
    const query = labelSelector === '' ? {} : { labelSelector };
    const { json } = await this.#ask({ method: 'GET', path: this.#path(resource), query });
    return json['items'] as readonly KubeObject[];
  }

  /** Makes it, or changes what is there into it. */
  async put(resource: string, object: KubeObject): Promise<void> {
    const { group, kind } = RESOURCES[resource] ?? { group: '', kind: '' };
    const { name } = object.metadata;
    const there = await this.get(resource, name);
    const { uid, resourceVersion } = there?.metadata ?? {};
    const metadata = { ...object.metadata, namespace: this.namespace };
    const body = { ...object, apiVersion: group, kind };
    if (there === undefined) {
      const path = this.#path(resource);
      await this.#ask({ method: 'POST', path, body: { ...body, metadata } });
      return;
    }
    const { deletionTimestamp } = there.metadata;
    const going = deletionTimestamp !== undefined && { deletionTimestamp };
    const seen = { ...metadata, uid, resourceVersion, ...going };
    const path = this.#path(resource, name);
    await this.#ask({ method: 'PUT', path, body: { ...body, metadata: seen } });
  }

  async delete(resource: string, name: string): Promise<void> {
    await this.#ask({ method: 'DELETE', path: this.#path(resource, name), accept: [404] });
  }

  /** Without a selector: no controller makes slices of it. */
  service(name: string, spec: object = {}): Promise<void> {
    const ports = [{ name: 'http', port: 80 }];
    return this.put('services', kubeService(name, { spec: { clusterIP: 'None', ports, ...spec } }));
  }

  pods(service: string, ...pods: readonly Endpoint[]): Promise<void> {
    return this.put('endpointslices', kubeSlice(service, pods));
  }

  #ask(request: Parameters<Client['ask']>[0]) {
    return this.#api.ask(request, new AbortController().signal);
  }

  #path(resource: string, name = ''): string {
    const { group } = RESOURCES[resource] ?? { group: '' };
    const root = group === 'v1' ? '/api/v1' : `/apis/${group}`;
    const all = `${root}/namespaces/${this.namespace}/${resource}`;
    return name === '' ? all : `${all}/${name}`;
  }
}

export async function startScenarioWorld(access: ApiAccess, namespace: string) {
  const server = await startAgentless();
  const user = new ClusterUser(access, namespace);
  atEnd(async () => user.close());
  const within = (flags: FlagTexts) => ({
    ...(flags['to-consul'] !== 'false' && { 'k8s-source-namespace': namespace }),
    ...(flags['to-k8s'] === 'true' && { 'k8s-write-namespace': namespace }),
  });
  return { ...server, user, ...syncsOf(server, access, within) };
}

type World = Awaited<ReturnType<typeof startScenarioWorld>>;

export interface Scenario {
  readonly does: string;
  readonly run: (world: World) => Promise<void>;
}

export const SCENARIOS: readonly Scenario[] = [
  {
    does: 'follows a pod from unready to ready, through its end, until it is gone',
    async run({ user, sync, untilShown }) {
      await user.service('web');
      sync();
      await user.pods('web', { ip: '10.1.0.1', ready: false });
      await untilShown('web 10.1.0.1:8080 critical');
      await user.pods('web', { ip: '10.1.0.1' });
      await untilShown('web 10.1.0.1:8080 passing');
      await user.pods('web', { ip: '10.1.0.1', terminating: true }, { ip: '10.1.0.2' });
      await untilShown('web 10.1.0.1:8080 maintenance passing', 'web 10.1.0.2:8080 passing');
      await user.pods('web');
      await untilShown();
    },
  },
  {
    does: 'takes a Service out that is deleted, and finds what it left when it begins anew',
    async run({ user, sync, untilShown }) {
      for (const name of ['web', 'db']) await user.service(name);
      await user.pods('web', { ip: '10.1.0.1' });
      await user.pods('db', { ip: '10.1.0.2' });
      const first = sync('a');
      await untilShown('web 10.1.0.1:8080 passing', 'db 10.1.0.2:8080 passing');
      await first.stop();
      await user.delete('services', 'web');
      sync('b');
      await untilShown('db 10.1.0.2:8080 passing');
    },
  },
  {
    does: 'rolls a hundred pods without losing one or writing one twice',
    async run({ user, sync, untilShown }) {
      const pods = (network: number, over: object = {}) =>
        Array.from({ length: 100 }, (_, i) => ({ ip: `10.${network}.0.${i}`, ...over }));
      const shown = (network: number, state = 'passing') =>
        pods(network).map(({ ip }) => `web ${ip}:8080 ${state}`);
      await user.service('web');
      await user.pods('web', ...pods(1));
      const { writes } = sync();
      await untilShown(...shown(1));
      const before = operationsIn(writes);
      await user.pods('web', ...pods(1, { terminating: true }), ...pods(2));
      await untilShown(...shown(1, 'maintenance passing'), ...shown(2));
      await user.pods('web', ...pods(2));
      await untilShown(...shown(2));
      // A check for each old one, an instance and its check for each new one, and an end for each old one.
      assert.equal(operationsIn(writes) - before, 400);
    },
  },
  {
    does: 'goes on by another when the one that writes is killed',
    async run({ user, sync, untilShown, clock }) {
      await user.service('web');
      await user.pods('web', { ip: '10.1.0.1' });
      const first = sync('a');
      await untilShown('web 10.1.0.1:8080 passing');
      const second = sync('b');
      await until(() => second.sync.isWhole);
      first.kill();
      await user.pods('web', { ip: '10.1.0.2' });
      await until(async () => {
        await clock.advance(50);
        return second.isActive;
      });
      await untilShown('web 10.1.0.2:8080 passing');
    },
  },
  {
    does: 'brings a service of the catalog back, with its readiness, and takes it out again',
    async run({ user, sync, register, put }) {
      const place = { Node: 'm', Address: '172.16.0.1' };
      const Service = { Service: 'db', Address: '10.0.0.1', Port: 5432 };
      await register({ ...place, Service });
      const { logger } = sync('a', { 'to-k8s': 'true' });
      const ready = async (wanted: boolean | undefined) =>
        until(
          async () => {
            const slices = await user.list('endpointslices', 'kubernetes.io/service-name=db');
            return (await user.get('services', 'db')) !== undefined && readyIn(slices) === wanted;
          },
          () => logger.lines.join('\n'),
        );
      await ready(true);
      await register({
        ...place,
        Check: { CheckID: 'c', Name: 'c', ServiceID: 'db', Status: 'critical' },
      });
      await ready(false);
      await put('/v1/catalog/deregister', { Node: 'm' });
      await until(async () => (await user.get('services', 'db')) === undefined);
    },
  },
  {
    does: 'takes a slice back whose labels somebody took, and waits for who holds on to a Service',
    async run({ user, sync, register, put }) {
      const Service = { Service: 'db', Address: '10.0.0.1', Port: 5432 };
      await register({ Node: 'm', Address: '172.16.0.1', Service });
      const { logger } = sync('a', { 'to-k8s': 'true' });
      const told = () => logger.lines.join('\n');
      const slices = () => user.list('endpointslices', 'kubernetes.io/service-name=db');
      await until(async () => (await slices()).length === 1, told);
      const [slice] = (await slices()) as [KubeObject];
      await user.put('endpointslices', { ...slice, metadata: { ...slice.metadata, labels: {} } });
      await until(async () => (await slices()).length === 1, told);
      const there = (await user.get('services', 'db')) as KubeObject;
      const held = (finalizers: readonly string[]) =>
        user.put('services', { ...there, metadata: { ...there.metadata, finalizers } });
      await held(['example.com/held']);
      await put('/v1/catalog/deregister', { Node: 'm' });
      const isGoing = async () => {
        const now = await user.get('services', 'db');
        return now?.metadata.deletionTimestamp !== undefined;
      };
      await until(isGoing, told);
      await register({ Node: 'm', Address: '172.16.0.1', Service });
      await held([]);
      await until(async () => {
        const uid = (await user.get('services', 'db'))?.metadata.uid;
        return uid !== undefined && uid !== there.metadata.uid;
      }, told);
    },
  },
  {
    does: 'leaves alone what somebody else made under a name that the catalog has too',
    async run({ user, sync, register }) {
      await user.service('db');
      const Service = { Service: 'db', Address: '10.0.0.1', Port: 5432 };
      await register({ Node: 'm', Address: '172.16.0.1', Service });
      const { logger } = sync('a', { 'to-k8s': 'true' });
      await until(() => logger.lines.some((line) => line.includes('"db" of namespace')));
      assert.deepEqual((await user.get('services', 'db'))?.metadata.labels ?? {}, {});
    },
  },
  {
    does: 'keeps keys and a ConfigMap in step, whichever is changed, bytes as they are',
    async run({ user, sync, put, get }) {
      const { logger } = sync('a', { 'config-map-both': `app/web/=${user.namespace}/web` });
      const shown = async (field: string) => (await user.get('configmaps', 'web'))?.[field];
      const untilMap = (field: string, wanted: object) =>
        until(
          async () => JSON.stringify(await shown(field)) === JSON.stringify(wanted),
          () => logger.lines.join('\n'),
        );
      await put('/v1/kv/app/web/color', 'blue');
      await put('/v1/kv/app/web/bytes', Buffer.from([0xff, 0xfe]));
      await untilMap('data', { color: 'blue' });
      await untilMap('binaryData', { bytes: '//4=' });
      const there = (await user.get('configmaps', 'web')) as KubeObject;
      await user.put('configmaps', { ...there, data: { color: 'red', size: '7' } });
      const value = async (name: string) => (await get(`/v1/kv/app/web/${name}?raw`)).text;
      await until(async () => (await value('color')) === 'red' && (await value('size')) === '7');
    },
  },
  {
    does: 'writes no ConfigMap that is too large, nor one that somebody else made',
    async run({ user, sync, put }) {
      const metadata = { name: 'theirs', namespace: user.namespace };
      await user.put('configmaps', { metadata, data: { a: '0' } });
      const from = (name: string) => ({
        'config-map-from-kv': `${name}/=${user.namespace}/${name}`,
      });
      for (const name of ['x', 'y', 'z']) await put(`/v1/kv/large/${name}`, 'v'.repeat(400_000));
      await put('/v1/kv/theirs/a', '1');
      const first = sync('a', { ...from('large'), owner: 'one', 'to-consul': 'false' });
      const second = sync('b', { ...from('theirs'), owner: 'two', 'to-consul': 'false' });
      await until(() => first.logger.lines.some((line) => line.includes('stays as it is')));
      await until(() => second.logger.lines.some((line) => line.includes('is left alone')));
      assert.equal(await user.get('configmaps', 'large'), undefined);
      assert.deepEqual((await user.get('configmaps', 'theirs'))?.['data'], { a: '0' });
    },
  },
];

function operationsIn(writes: readonly { readonly path: string; readonly body?: unknown }[]) {
  const txns = writes.filter(({ path }) => path === '/v1/txn');
  const operations = txns.flatMap(({ body }) => body as readonly object[]);
  return operations.filter((each) => !('KV' in each)).length;
}

/** Of the first endpoint there is. */
function readyIn(slices: readonly KubeObject[]): boolean | undefined {
  const [slice] = slices;
  const endpoints = slice?.['endpoints'] as readonly { conditions: { ready?: boolean } }[] | null;
  return endpoints?.[0]?.conditions.ready;
}
