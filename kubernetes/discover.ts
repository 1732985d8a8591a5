/** Addresses of pods, for an agent that joins: as go-discover looks them up for Consul. */
import type { Clock } from '../lib/clock.ts';
import { ProconsulError } from '../lib/errors.ts';
import { hostPort } from '../lib/ip.ts';
import type { Env } from './api/access.ts';
import { ApiServer } from './api/api-server.ts';
import { clusterAccess } from './api/cluster-access.ts';
import { numberIn, objectIn, objectsIn, pairsIn, type Said, textIn } from './api/shapes.ts';

const PORT_ANNOTATION = 'consul.hashicorp.com/auto-join-port';
const PAGE = '500';
/** A server that goes on without end has no such list. */
const MAX_PAGES = 200;
const KEYS = new Set([
  'provider',
  'kubeconfig',
  'namespace',
  'label_selector',
  'field_selector',
  'host_network',
]);

/** `provider=k8s label_selector="app=x,role=y"`: values with spaces are within quotes. Throws ProconsulError 'invalid'. */
export function discoverArgs(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const rest = text.replace(
    /([^\s=]+)=("((?:[^"\\]|\\.)*)"|\S*)/g,
    (_, key: string, plain, quoted) => {
      const value = quoted === undefined ? plain : quoted.replace(/\\(.)/g, '$1');
      if (!KEYS.has(key)) throw refused(`provider=k8s knows no ${key}`);
      found.set(key, value);
      return '';
    },
  );
  if (rest.trim() !== '') throw refused(`provider=k8s: ${rest.trim()} is no key=value`);
  return found;
}

export interface DiscoverDeps {
  readonly env: Env;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Of the pods that run and are ready, as far as they say so. */
export async function podAddresses(text: string, deps: DiscoverDeps): Promise<readonly string[]> {
  const args = discoverArgs(text);
  const { env, clock, signal } = deps;
  const api = new ApiServer(await clusterAccess(env, args.get('kubeconfig') ?? ''), clock);
  const namespace = args.get('namespace') ?? 'default';
  const isHost = args.get('host_network') === 'true';
  const [labels = '', fields = ''] = [args.get('label_selector'), args.get('field_selector')];
  const addresses: string[] = [];
  try {
    let next = '';
    for (let page = 0; page === 0 || next !== ''; page++) {
      if (page >= MAX_PAGES) throw new ProconsulError('unavailable', 'the list of pods has no end');
      const query = {
        limit: PAGE,
        ...(labels !== '' && { labelSelector: labels }),
        ...(fields !== '' && { fieldSelector: fields }),
        ...(next !== '' && { continue: next }),
      };
      const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`;
      const { json } = await api.ask({ method: 'GET', path, query }, signal);
      addresses.push(...objectsIn(json['items']).flatMap((pod) => addressOf(pod, isHost)));
      next = textIn(objectIn(json['metadata'])['continue']);
    }
    return addresses;
  } finally {
    api.close();
  }
}

function addressOf(pod: Said, isHost: boolean): readonly string[] {
  const status = objectIn(pod['status']);
  const ready = objectsIn(status['conditions']).find(({ type }) => type === 'Ready');
  if (status['phase'] !== 'Running' || (ready !== undefined && ready['status'] !== 'True'))
    return [];
  const ip = textIn(status[isHost ? 'hostIP' : 'podIP']);
  if (ip === '') return [];
  const port = portOf(pod, isHost);
  return [port === 0 ? ip : hostPort(ip, port)];
}

/** By number, or the name of a container's port; 0 for the usual one. */
function portOf(pod: Said, isHost: boolean): number {
  const said = pairsIn(objectIn(pod['metadata'])['annotations']).get(PORT_ANNOTATION) ?? '';
  if (/^\d{1,5}$/.test(said)) return Number(said);
  const ports = objectsIn(objectIn(pod['spec'])['containers']).flatMap(({ ports: all }) =>
    objectsIn(all),
  );
  const named = ports.find(({ name }) => name === said && said !== '');
  return named === undefined ? 0 : numberIn(named[isHost ? 'hostPort' : 'containerPort']);
}

function refused(why: string): ProconsulError {
  return new ProconsulError('invalid', why);
}
