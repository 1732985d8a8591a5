/** How the hosts of a service are chosen, as its resolver says. */

import { inPath } from '../../lib/well-formed.ts';
import { faultIn } from '../refusable.ts';
import type { Message } from '../resource.ts';
import type { Know } from '../worked.ts';
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
/** Envoy looks at so many for each request, also where there are fewer hosts: of four billion no other request was answered meanwhile. */
const MAX_CHOICES = 100;
/** Of a ring, which is made anew for each change of hosts. */
const MAX_RING = 65_536;

export function balancingOf(know: Know, service: string): Balancing {
  const path = `/v1/config/service-resolver/${inPath(service)}`;
  const entry = know(asked(path)) as { readonly LoadBalancer?: LoadBalancer | null } | undefined;
  const said = entry?.LoadBalancer ?? {};
  const bounded: Bounded = (name, asked, most) => {
    if (asked > most) {
      know.omit(`${name} ${asked} of ${JSON.stringify(service)}`, `it is taken for ${most}`);
    }
    return { value: Math.min(asked, most) };
  };
  const lb_policy = POLICIES.get(said.Policy ?? '') ?? 'ROUND_ROBIN';
  return {
    cluster: { lb_policy, ...settingsOf(lb_policy, said, bounded) },
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

/** A number that is told, and said where it is another one than was asked for. */
type Bounded = (name: string, asked: number, most: number) => { readonly value: number };

function settingsOf(
  policy: string,
  { RingHashConfig, LeastRequestConfig }: LoadBalancer,
  bounded: Bounded,
): Message {
  const { ChoiceCount = 0 } = LeastRequestConfig ?? {};
  if (policy === 'LEAST_REQUEST' && ChoiceCount > 0) {
    const choice_count = bounded('ChoiceCount', Math.max(ChoiceCount, 2), MAX_CHOICES);
    return { least_request_lb_config: { choice_count } };
  }
  if (policy !== 'RING_HASH') return {};
  const { MinimumRingSize = 0, MaximumRingSize = 0 } = RingHashConfig ?? {};
  const least = MinimumRingSize > 0 && bounded('MinimumRingSize', MinimumRingSize, MAX_RING);
  // The other way round all of the cluster would be refused.
  const most = Math.max(MaximumRingSize || MAX_RING, MinimumRingSize);
  return {
    ring_hash_lb_config: {
      ...(least && { minimum_ring_size: least }),
      // Else a small weight among large ones makes it as long as they differ.
      maximum_ring_size: { value: Math.min(most, MAX_RING) },
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
