/** Objects of a made-up cluster as its users and controllers write them, and the way to them. */
import type { ApiAccess } from '../../../kubernetes/api/access.ts';
import { ApiServer as Client } from '../../../kubernetes/api/api-server.ts';
import { Mirror, type MirrorDeps } from '../../../kubernetes/api/mirror.ts';
import { silentLogger } from '../../../lib/logger.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { seededRandom } from '../fakes/seeded-random.ts';
import type { ApiServer } from './api-server.ts';
import type { KubeObject } from './objects.ts';

interface ServiceOver {
  readonly namespace?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly spec?: object;
  readonly status?: object;
}

export function kubeService(name: string, over: ServiceOver = {}): KubeObject {
  const { namespace = 'default', annotations = {}, labels = {}, spec = {}, status } = over;
  const ports = [{ name: 'http', port: 80, targetPort: 8080 }];
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace, annotations, labels },
    spec: { type: 'ClusterIP', clusterIP: '10.96.0.1', ports, ...spec },
    ...(status !== undefined && { status }),
  };
}

export interface Endpoint {
  readonly ip: string;
  readonly ready?: boolean;
  readonly serving?: boolean;
  readonly terminating?: boolean;
  readonly node?: string;
  readonly zone?: string;
}

interface SliceOver {
  readonly namespace?: string;
  readonly name?: string;
  readonly family?: string;
  readonly ports?: readonly object[] | null;
}

export function kubeSlice(
  service: string,
  endpoints: readonly Endpoint[],
  over: SliceOver = {},
): KubeObject {
  const { namespace = 'default', name = `${service}-x1`, family = 'IPv4' } = over;
  const { ports = [{ name: 'http', port: 8080, protocol: 'TCP' }] } = over;
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name, namespace, labels: { 'kubernetes.io/service-name': service } },
    addressType: family,
    ports,
    endpoints: endpoints.length === 0 ? null : endpoints.map(endpoint),
  };
}

function endpoint({ ip, node, zone, terminating = false, ...said }: Endpoint) {
  const { ready = !terminating } = said;
  const { serving = ready || terminating } = said;
  return {
    addresses: [ip],
    conditions: { ready, serving, terminating },
    ...(node !== undefined && { nodeName: node }),
    ...(zone !== undefined && { zone }),
    targetRef: { kind: 'Pod', name: `pod-${ip.replaceAll(/[.:]/g, '-')}`, namespace: 'default' },
  };
}

/** By a token that the spec may change. */
export function accessTo(server: ApiServer, token: { value: string } = { value: 't1' }): ApiAccess {
  const ca = Buffer.from(server.authority.pair.cert);
  return {
    // Asked for each time: a server that was away may be elsewhere.
    get url() {
      return new URL(server.url);
    },
    namespace: 'default',
    credentials: () => ({ token: token.value, tls: { ca } }),
  };
}

const clients: Client[] = [];
const ends: AbortController[] = [];

if (typeof afterEach === 'function') {
  afterEach(() => {
    for (const end of ends.splice(0)) end.abort();
    for (const client of clients.splice(0)) client.close();
  });
}

/** A mirror of a list, with all that it was told. */
export function mirrorOf(server: ApiServer, path: string, over: Partial<MirrorDeps> = {}) {
  const clock = new FakeClock();
  const token = { value: 't1' };
  const api = new Client(accessTo(server, token), clock);
  const told: string[] = [];
  const ending = new AbortController();
  clients.push(api);
  ends.push(ending);
  const mirror = new Mirror<KubeObject>(
    { api, clock, random: seededRandom(1), logger: silentLogger, ...over },
    {
      path,
      keep: (object) => object as unknown as KubeObject,
      changed: (key, now, before) => {
        const was = now === undefined ? '-' : '~';
        told.push(`${before === undefined ? '+' : was}${key}`);
      },
      whole: () => void told.push('whole'),
    },
  );
  const names = () => [...mirror.entries()].map(([key]) => key).sort();
  const run = () => void mirror.run(ending.signal);
  return { mirror, clock, api, token, told, names, run, stop: () => ending.abort() };
}
