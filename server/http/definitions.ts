/** What bodies come to: the definitions of nodes, services and checks that commands carry. */
import { CHECK_TYPES, saysOf } from '../../lib/check-types.ts';
import { formatDuration } from '../../lib/duration.ts';
import { ProconsulError } from '../../lib/errors.ts';
import { isUuid } from '../../lib/ids.ts';
import { byName } from '../../lib/key-order.ts';
import { laterFields, localityOf, mainPort, portsFault } from '../../lib/later-fields.ts';
import { metaFault } from '../../lib/meta.ts';
import type {
  CheckDefinition,
  NodeDefinition,
  ServiceDefinition,
  Weights,
} from '../../lib/model.ts';

import type { CheckBody, NodeBody, ServiceBody } from './bodies.ts';

export function toNode(body: NodeBody, datacenter: string): NodeDefinition {
  return {
    ID: body.ID,
    Node: body.Node,
    Address: body.Address,
    Datacenter: datacenter,
    TaggedAddresses: sortedMap(body.TaggedAddresses),
    Meta: sortedMap(body.Meta),
    ...localityOf(body),
  };
}

/** A node may have no id; one that it has is a UUID, hyphens and all. */
export function nodeIdFault(id: string): string | undefined {
  if (id === '' || isUuid(id)) return undefined;
  return id.length === 36
    ? 'Bad node ID: uuid is improperly formatted'
    : 'Bad node ID: uuid string is wrong length';
}

/** What Consul says of a service that no node can have. */
export function serviceFault(node: string, service: ServiceDefinition): string | undefined {
  const { ID, Meta } = service;
  const fault = metaFault(Meta);
  if (fault === undefined) return portsFault(service);
  return fault && `Invalid Service Meta for node ${node} and serviceID ${ID}: ${fault}`;
}

export function toService(body: ServiceBody): ServiceDefinition {
  return {
    Kind: body.Kind,
    ID: body.ID === '' ? body.Service : body.ID,
    Service: body.Service,
    Tags: body.Tags ?? [],
    Address: body.Address,
    TaggedAddresses: sortedMap(body.TaggedAddresses),
    Meta: sortedMap(body.Meta),
    Port: mainPort(body),
    Weights: validWeights(body.Weights),
    EnableTagOverride: body.EnableTagOverride,
    Proxy: body.Proxy ?? {},
    Connect: body.Connect?.Native === true ? { Native: true } : {},
    ...laterFields(body),
  };
}

const MAX_WEIGHT = 65535;

/** Weights that cannot be are as if they were not given; an agent refuses them. */
function validWeights(sent: Partial<Weights> | undefined): Weights {
  const { Passing = 0, Warning = 0 } = sent ?? {};
  const valid = Passing >= 1 && Warning >= 0 && Math.max(Passing, Warning) <= MAX_WEIGHT;
  return valid ? { Passing, Warning } : { Passing: 1, Warning: 1 };
}

export function toCheck(body: CheckBody): CheckDefinition {
  return {
    CheckID: body.CheckID === '' ? body.Name : body.CheckID,
    Name: body.Name,
    Status: body.Status,
    Notes: body.Notes,
    Output: body.Output,
    ServiceID: body.ServiceID,
    Type: body.Type,
    Definition: toDefinition(body.Definition ?? {}),
  };
}

/** How a check is looked at, as its definition says; '' when it says nothing of it. */
export function typeOf(definition: Readonly<Record<string, unknown>> = {}): string {
  const says = saysOf(definition);
  const found = CHECK_TYPES.find((each) => {
    return each.is(says) && (!('polled' in each) || says('Interval'));
  });
  return found?.type ?? '';
}

const DURATIONS = new Set(['Interval', 'Timeout', 'DeregisterCriticalServiceAfter', 'TTL']);

/** Durations go out as text, and what says nothing is left out, as Consul writes it. */
function toDefinition(definition: Readonly<Record<string, unknown>>) {
  const said = Object.entries(definition).filter(([, v]) => !isZero(v));
  return Object.fromEntries(
    said.map(([k, v]) => [k, DURATIONS.has(k) ? formatDuration(Number(v)) : v]),
  );
}

function isZero(value: unknown): boolean {
  return value === '' || value === 0 || value === false || (Array.isArray(value) && !value.length);
}

/** As Go writes maps; an empty one is null. */
export function sortedMap<T>(
  unsorted: Readonly<Record<string, T>> | undefined,
): Readonly<Record<string, T>> | null {
  const entries = Object.entries(unsorted ?? {});
  if (entries.length === 0) return null;
  return byName(entries);
}

/** Names become parts of keys in our tables, where NUL separates them. */
export function refuseNul(...names: readonly string[]): void {
  if (names.some((name) => name.includes('\0'))) {
    throw new ProconsulError('invalid', 'Request decode failed: a name must not contain NUL');
  }
}
