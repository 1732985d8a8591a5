/** How the hosts of a service are chosen, as its resolver says. */
import type { Know } from '../derived.ts';
import { faultIn } from '../refusable.ts';
import type { Message } from '../resource.ts';
import { inPath } from '../well-formed.ts';
import { isFieldName } from './acceptable.ts';
import { durationOf } from './chain.ts';
import { asked } from './endpoints.ts';

interface LoadBalancer {
  readonly Policy?: string;
  readonly RingHashConfig?: {
    readonly MinimumRingSize?: number;
    readonly MaximumRingSize?: number;
  };
  readonly LeastRequestConfig?: { readonly ChoiceCount?: number };
  readonly HashPolicies?: readonly HashPolicy[] | null;
}

interface HashPolicy {
  readonly Field?: string;
  readonly FieldValue?: string;
  readonly CookieConfig?: { readonly TTL?: string; readonly Path?: string };
  readonly SourceIP?: boolean;
  readonly Terminal?: boolean;
}

export interface Balancing {
  /** Of a cluster. */
  readonly cluster: Message;
  /** Of a route to it: what the hash is of. */
  readonly hashPolicy: readonly Message[];
}

const POLICIES = new Map([
  ['least_request', 'LEAST_REQUEST'],
  ['random', 'RANDOM'],
  ['ring_hash', 'RING_HASH'],
  ['maglev', 'MAGLEV'],
]);
/** Clients of gRPC refuse a cluster with a policy that they have not: the nearest that each has. */
const FOR_GRPC: ReadonlyMap<string, string> = new Map([
  ['RANDOM', 'ROUND_ROBIN'],
  ['MAGLEV', 'RING_HASH'],
]);
const FOR_OTHER_GRPC: ReadonlyMap<string, string> = new Map([
  ...FOR_GRPC,
  ['LEAST_REQUEST', 'ROUND_ROBIN'],
]);

/** What a client takes instead of a policy, by which program it says that it is. */
export function policiesOf(program: string): ReadonlyMap<string, string> {
  if (!program.startsWith('gRPC')) return new Map();
  return /Go|Java/.test(program) ? FOR_GRPC : FOR_OTHER_GRPC;
}

const HASH_POLICY = 'envoy.config.route.v3.RouteAction.HashPolicy';
/** Envoy takes no more. */
const MAX_RING = 8 * 1024 * 1024;

export function balancingOf(know: Know, service: string): Balancing {
  const path = `/v1/config/service-resolver/${inPath(service)}`;
  const entry = know(asked(path)) as { readonly LoadBalancer?: LoadBalancer | null } | undefined;
  const said = entry?.LoadBalancer ?? {};
  const lb_policy = POLICIES.get(said.Policy ?? '') ?? 'ROUND_ROBIN';
  return {
    cluster: { lb_policy, ...settingsOf(lb_policy, said) },
    hashPolicy: isHash(lb_policy) ? hashPolicies(know, service, said.HashPolicies ?? []) : [],
  };
}

function hashPolicies(know: Know, service: string, said: readonly HashPolicy[]): Message[] {
  return said.flatMap((each, i) => {
    const [told] = hashOf(each);
    const fault = told === undefined ? 'its field is none' : faultIn(HASH_POLICY, told);
    if (told !== undefined && fault === undefined) return [told];
    know.omit(`hash policy ${i + 1} of ${JSON.stringify(service)}`, fault ?? '');
    return [];
  });
}

function isHash(policy: string): boolean {
  return policy === 'RING_HASH' || policy === 'MAGLEV';
}

function settingsOf(policy: string, { RingHashConfig, LeastRequestConfig }: LoadBalancer): Message {
  const { ChoiceCount = 0 } = LeastRequestConfig ?? {};
  if (policy === 'LEAST_REQUEST' && ChoiceCount > 0) {
    return { least_request_lb_config: { choice_count: { value: Math.max(ChoiceCount, 2) } } };
  }
  if (policy !== 'RING_HASH') return {};
  const { MinimumRingSize = 0, ...ring } = RingHashConfig ?? {};
  // The other way round all of the cluster would be refused.
  const MaximumRingSize = ring.MaximumRingSize && Math.max(ring.MaximumRingSize, MinimumRingSize);
  const size = (said: number) => ({ value: Math.min(said, MAX_RING) });
  return {
    ring_hash_lb_config: {
      ...(MinimumRingSize > 0 && { minimum_ring_size: size(MinimumRingSize) }),
      ...(MaximumRingSize && { maximum_ring_size: size(MaximumRingSize) }),
    },
  };
}

function hashOf({
  Field,
  FieldValue = '',
  CookieConfig,
  SourceIP,
  Terminal,
}: HashPolicy): Message[] {
  const terminal = Terminal === true;
  if (SourceIP === true) return [{ connection_properties: { source_ip: true }, terminal }];
  if (FieldValue === '' || (Field === 'header' && !isFieldName(FieldValue))) return [];
  if (Field === 'header') return [{ header: { header_name: FieldValue }, terminal }];
  if (Field === 'query_parameter') return [{ query_parameter: { name: FieldValue }, terminal }];
  if (Field !== 'cookie') return [];
  const { TTL, Path } = CookieConfig ?? {};
  const ttl = durationOf(TTL);
  const cookie = { name: FieldValue, ...(ttl && { ttl }), ...(Path && { path: Path }) };
  return [{ cookie, terminal }];
}
