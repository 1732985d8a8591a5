/**
 * Requests that are meant for a namespace, a partition or a peer. Here there is one of each: what is
 * meant for another would end up in it, where two tenants overwrite each other.
 */
import { ProconsulError } from '../errors.ts';
import type { HttpRequest } from './route.ts';

/** Beneath these, nothing belongs to a namespace in Consul either, and it passes over the name. */
const SHARED =
  /^\/v1\/(?:(?:acl|coordinate|event|operator|query|status)\/|query$|catalog\/(?:nodes|datacenters)$|agent\/(?:self|members|metrics|host|monitor|maintenance|reload|leave|ring|(?:join|force-leave|token)\/))/;

export function refuseElsewhere(
  path: string,
  { headers, params }: Pick<HttpRequest, 'headers' | 'params'>,
): void {
  const namespace = headers['x-consul-namespace'] ?? '';
  const partition = headers['x-consul-partition'] ?? '';
  if (params.get('peer') !== '') throw notPeered();
  if (namespace !== '') refuse(path, 'header: "X-Consul-Namespace" - Namespaces');
  if (params.get('ns') !== '') refuse(path, 'query parameter: "ns" - Namespaces');
  if (isOther(partition)) refuse(path, 'header: "X-Consul-Partition" - Partitions');
  if (isOther(params.get('partition'))) refuse(path, 'query parameter: "partition" - Partitions');
}

/** There is one partition, which has a name, as in a Consul that knows of them. */
function isOther(partition: string | string[]): boolean {
  return partition !== '' && partition !== 'default';
}

/** What another cluster has is not ours to answer with, whatever path it is asked at. */
function notPeered(): ProconsulError {
  const why = 'Bad request: Invalid query parameter: "peer" - clusters are not peered here';
  return new ProconsulError('invalid', why);
}

function refuse(path: string, what: string): void {
  if (SHARED.test(path)) return;
  const why = `Bad request: Invalid ${what} are a Consul Enterprise feature`;
  throw new ProconsulError('invalid', why);
}
