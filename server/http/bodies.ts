/** The bodies that servers take, and how they become commands. */
import { decoder, type Schema } from '../../lib/decode.ts';
import { formatDuration } from '../../lib/duration.ts';
import { ProconsulError } from '../../lib/errors.ts';
import type {
  CheckDefinition,
  ServiceAddress,
  ServiceDefinition,
  StringMap,
  Weights,
} from '../../lib/model.ts';
import type { NodeDefinition } from '../commands.ts';

const text = { type: 'string', default: '' } as const;
const flag = { type: 'boolean', default: false } as const;
const map = { type: 'object', additionalProperties: { type: 'string' } } as const;
const list = { type: 'array', items: { type: 'string' } } as const;
const duration = { duration: true } as const;

export const serviceSchema: Schema = {
  type: 'object',
  properties: {
    Kind: text,
    ID: text,
    Service: text,
    Tags: list,
    Address: text,
    TaggedAddresses: {
      type: 'object',
      additionalProperties: {
        type: 'object',
        properties: { Address: text, Port: { type: 'integer', default: 0 } },
      },
    },
    Meta: map,
    Port: { type: 'integer', default: 0 },
    Weights: {
      type: 'object',
      properties: { Passing: { type: 'integer' }, Warning: { type: 'integer' } },
    },
    EnableTagOverride: flag,
    Proxy: { type: 'object' },
    Connect: { type: 'object' },
    ModifyIndex: { uint64: true },
  },
};

export const checkSchema: Schema = {
  type: 'object',
  properties: {
    Node: text,
    CheckID: text,
    Name: text,
    Status: text,
    Notes: text,
    Output: text,
    ServiceID: text,
    Type: text,
    Definition: {
      type: 'object',
      properties: {
        HTTP: { type: 'string' },
        TLSSkipVerify: { type: 'boolean' },
        TLSServerName: { type: 'string' },
        Header: { type: 'object', additionalProperties: list },
        Method: { type: 'string' },
        Body: { type: 'string' },
        TCP: { type: 'string' },
        Interval: duration,
        OutputMaxSize: { type: 'integer' },
        Timeout: duration,
        DeregisterCriticalServiceAfter: duration,
        ScriptArgs: list,
        DockerContainerID: { type: 'string' },
        Shell: { type: 'string' },
        GRPC: { type: 'string' },
        GRPCUseTLS: { type: 'boolean' },
        AliasNode: { type: 'string' },
        AliasService: { type: 'string' },
        TTL: duration,
      },
    },
    ModifyIndex: { uint64: true },
  },
};

export const nodeSchema: Schema = {
  type: 'object',
  properties: {
    ID: text,
    Node: text,
    Address: text,
    Datacenter: text,
    TaggedAddresses: map,
    Meta: map,
    ModifyIndex: { uint64: true },
  },
};

export interface ServiceBody {
  readonly Kind: string;
  readonly ID: string;
  readonly Service: string;
  readonly Tags?: readonly string[];
  readonly Address: string;
  readonly TaggedAddresses?: Readonly<Record<string, ServiceAddress>>;
  readonly Meta?: StringMap;
  readonly Port: number;
  readonly Weights?: Partial<Weights>;
  readonly EnableTagOverride: boolean;
  readonly Proxy?: Readonly<Record<string, unknown>>;
  readonly Connect?: Readonly<Record<string, unknown>>;
  readonly ModifyIndex?: number | bigint;
}

export interface CheckBody extends Omit<CheckDefinition, 'Definition'> {
  readonly Node: string;
  readonly Definition?: Readonly<Record<string, unknown>>;
  readonly ModifyIndex?: number | bigint;
}

export interface NodeBody {
  readonly ID: string;
  readonly Node: string;
  readonly Address: string;
  readonly Datacenter: string;
  readonly TaggedAddresses?: StringMap;
  readonly Meta?: StringMap;
  readonly ModifyIndex?: number | bigint;
}

export interface RegisterBody extends Omit<NodeBody, 'Meta'> {
  readonly NodeMeta?: StringMap;
  readonly Service?: ServiceBody;
  readonly Check?: CheckBody;
  readonly Checks?: readonly CheckBody[];
  readonly SkipNodeUpdate: boolean;
}

export const registerBody = decoder<RegisterBody>({
  type: 'object',
  properties: {
    ID: text,
    Node: text,
    Address: text,
    Datacenter: text,
    TaggedAddresses: map,
    NodeMeta: map,
    Service: serviceSchema,
    Check: checkSchema,
    Checks: { type: 'array', items: checkSchema },
    SkipNodeUpdate: flag,
  },
});

export interface DeregisterBody {
  readonly Node: string;
  readonly Datacenter: string;
  readonly ServiceID: string;
  readonly CheckID: string;
}

export const deregisterBody = decoder<DeregisterBody>({
  type: 'object',
  properties: { Node: text, Datacenter: text, ServiceID: text, CheckID: text },
});

export function toNode(body: NodeBody, datacenter: string): NodeDefinition {
  return {
    ID: body.ID,
    Node: body.Node,
    Address: body.Address,
    Datacenter: datacenter,
    TaggedAddresses: sortedMap(body.TaggedAddresses),
    Meta: sortedMap(body.Meta),
  };
}

export function toService(body: ServiceBody): ServiceDefinition {
  const { Weights: weights } = body;
  if ((weights?.Passing ?? 1) < 0 || (weights?.Warning ?? 1) < 0) {
    throw new ProconsulError('rejected', 'Passing must be greater than 0');
  }
  return {
    Kind: body.Kind,
    ID: body.ID === '' ? body.Service : body.ID,
    Service: body.Service,
    Tags: body.Tags ?? [],
    Address: body.Address,
    TaggedAddresses: sortedMap(body.TaggedAddresses),
    Meta: sortedMap(body.Meta),
    Port: body.Port,
    Weights:
      weights === undefined
        ? { Passing: 1, Warning: 1 }
        : { Passing: weights.Passing ?? 0, Warning: weights.Warning ?? 0 },
    EnableTagOverride: body.EnableTagOverride,
    Proxy: body.Proxy ?? {},
    Connect: body.Connect ?? {},
  };
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
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Names become parts of keys in our tables, where NUL separates them. */
export function refuseNul(...names: readonly string[]): void {
  if (names.some((name) => name.includes('\0'))) {
    throw new ProconsulError('invalid', 'Request decode failed: a name must not contain NUL');
  }
}
