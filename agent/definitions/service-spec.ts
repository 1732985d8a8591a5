/** A service as it is registered: over HTTP, in a configuration file, by the Docker watcher. */
import { isIPv4, isIPv6 } from 'node:net';
import { decoder, type Schema, valueDecoder } from '../../lib/decode.ts';
import { ProconsulError } from '../../lib/errors.ts';
import { byName } from '../../lib/key-order.ts';
import { LATER_SCHEMA, laterFields, mainPort, portsFault } from '../../lib/later-fields.ts';
import { metaFault } from '../../lib/meta.ts';
import type {
  LaterFields,
  ServiceAddress,
  ServiceDefinition,
  StringMap,
  Weights,
} from '../../lib/model.ts';
import { proxyFault } from '../../lib/proxy-faults.ts';
import { proxySchema } from '../../lib/proxy-schema.ts';
import {
  type CheckSpec,
  checkSchema,
  isEmptyCheck,
  isStatusOrEmpty,
  refuseNul,
  validateCheck,
} from './check-spec.ts';

type Fields = Readonly<Record<string, unknown>>;

export interface ServiceSpec extends LaterFields {
  readonly Kind: string;
  readonly ID: string;
  readonly Name: string;
  readonly Tags: readonly string[];
  readonly Address: string;
  readonly TaggedAddresses: Readonly<Record<string, ServiceAddress>>;
  readonly Meta: StringMap | undefined;
  readonly Port: number;
  readonly Weights: Weights | undefined;
  readonly EnableTagOverride: boolean;
  readonly Check: CheckSpec | undefined;
  readonly Checks: readonly CheckSpec[];
  readonly Proxy: Fields | undefined;
  readonly Connect: { readonly Native: boolean; readonly SidecarService?: ServiceSpec } | undefined;
  readonly Token: string;
}

const text = { type: 'string', default: '' };
const flag = { type: 'boolean', default: false };
const port = { type: 'integer', default: 0 };

const PROPERTIES: Readonly<Record<string, Schema>> = {
  Kind: text,
  ID: text,
  Name: text,
  Tags: { type: 'array', items: { type: 'string' }, default: [] },
  Address: text,
  TaggedAddresses: {
    type: 'object',
    additionalProperties: { type: 'object', properties: { Address: text, Port: port } },
    default: {},
  },
  Meta: { type: 'object', additionalProperties: { type: 'string' } },
  Port: port,
  Weights: {
    type: 'object',
    properties: { Passing: { type: 'integer', default: 0 }, Warning: port },
  },
  EnableTagOverride: flag,
  Check: checkSchema,
  Checks: { type: 'array', items: checkSchema, default: [] },
  Proxy: proxySchema({ upstreamType: 'service' }),
  Token: text,
  ...LATER_SCHEMA,
};

/** Clients may send them; here they mean nothing. */
const UNHEEDED = ['AI'];

/** How a service is written: for the API's body, and for the keys of files. */
export const serviceSchema: Schema = {
  type: 'object',
  properties: {
    ...PROPERTIES,
    Connect: connectSchema({ ...PROPERTIES, Connect: connectSchema(PROPERTIES) }),
  },
  unheeded: UNHEEDED,
};

/** A sidecar's own sidecar is read so that it can be refused. */
function connectSchema(sidecar: Readonly<Record<string, Schema>>): Schema {
  return {
    type: 'object',
    open: true,
    properties: {
      Native: flag,
      SidecarService: { type: 'object', properties: sidecar, unheeded: UNHEEDED },
    },
  };
}

/** The body of PUT /v1/agent/service/register. */
export const serviceFromBody = decoder<ServiceSpec>(serviceSchema);
/** One of `services` of a configuration file. */
export const serviceFromConfig = valueDecoder<ServiceSpec>(serviceSchema);

const ANY_ADDRESS = new Set(['0.0.0.0', '::', '[::]']);
const DEFAULT_WEIGHTS: Weights = { Passing: 1, Warning: 1 };
const MAX_WEIGHT = 65535;

/** Throws what Consul answers to a service that cannot be. */
export function validateService(spec: ServiceSpec): void {
  if (spec.Name === '') throw new ProconsulError('invalid', 'Missing service name');
  refuseNul(spec.ID, spec.Name);
  if (ANY_ADDRESS.has(spec.Address)) throw new ProconsulError('invalid', 'Invalid service address');
  const fault =
    prefixed('Invalid Weights', weightsFault(spec.Weights)) ??
    prefixed('Invalid Service Meta', metaFault(spec.Meta)) ??
    proxyFault(spec) ??
    portsFault(spec);
  if (fault !== undefined) throw new ProconsulError('invalid', fault);
  validateChecks(checksOf(spec));
}

/** The same for a sidecar, which is looked at less closely than what registers itself. */
export function validateSidecar(sidecar: ServiceSpec): void {
  refuseNul(sidecar.Name);
  const fault = metaFault(sidecar.Meta);
  if (fault !== undefined) throw badRequest(`Invalid SidecarService: ${fault}`);
  try {
    validateChecks(checksOf(sidecar));
  } catch (error) {
    if (!(error instanceof ProconsulError)) throw error;
    throw badRequest(error.message.replace(/^Invalid check:/, 'Invalid check in sidecar_service:'));
  }
}

/** Consul finds these where it registers, and answers 500 to what it calls a bad request. */
export function badRequest(why: string): ProconsulError {
  return new ProconsulError('rejected', `Bad request: ${why}`);
}

function validateChecks(checks: readonly CheckSpec[]): void {
  for (const check of checks) validateCheck(check);
  for (const check of checks) {
    if (isStatusOrEmpty(check.Status)) continue;
    const complaint = "Status for checks must 'passing', 'warning', 'critical'";
    throw new ProconsulError('invalid', complaint);
  }
}

function prefixed(subject: string, fault: string | undefined): string | undefined {
  return fault === undefined ? undefined : `${subject}: ${fault}`;
}

function weightsFault(weights: Weights | undefined): string | undefined {
  if (weights === undefined) return undefined;
  if (weights.Passing < 1) return 'Passing must be greater than 0';
  if (weights.Warning < 0) return 'Warning must be greater or equal than 0';
  if (Math.max(weights.Passing, weights.Warning) > MAX_WEIGHT) {
    return `DNS Weight must be between 0 and ${MAX_WEIGHT}`;
  }
  return undefined;
}

/** `Check` and `Checks` as one list. */
export function checksOf(spec: ServiceSpec): readonly CheckSpec[] {
  const single = spec.Check === undefined || isEmptyCheck(spec.Check) ? [] : [spec.Check];
  return [...single, ...spec.Checks];
}

/** What the catalog is told of it. */
export function serviceDefinition(spec: ServiceSpec): ServiceDefinition {
  const tagged = taggedAddresses(spec);
  return {
    Kind: spec.Kind,
    ID: spec.ID === '' ? spec.Name : spec.ID,
    Service: spec.Name,
    Tags: spec.Tags,
    Address: spec.Address,
    TaggedAddresses: Object.keys(tagged).length === 0 ? null : tagged,
    Meta: spec.Meta ?? null,
    Port: mainPort(spec),
    Weights: spec.Weights ?? DEFAULT_WEIGHTS,
    EnableTagOverride: spec.EnableTagOverride,
    Proxy: proxyOf(spec.Proxy),
    Connect: spec.Connect?.Native === true ? { Native: true } : {},
    ...laterFields(spec),
  };
}

function taggedAddresses(spec: ServiceSpec): Readonly<Record<string, ServiceAddress>> {
  const own = { Address: spec.Address, Port: mainPort(spec) };
  const family = isIPv4(spec.Address) ? 'ipv4' : 'ipv6';
  if (family === 'ipv6' && !isIPv6(spec.Address)) return spec.TaggedAddresses;
  const all = { [`lan_${family}`]: own, [`wan_${family}`]: own, ...spec.TaggedAddresses };
  return byName(Object.entries(all));
}

const NO_PROXY: Fields = { MeshGateway: {}, Expose: {} };

function proxyOf(proxy: Fields | undefined): Fields {
  if (proxy === undefined) return NO_PROXY;
  const upstreams = proxy['Upstreams'];
  const Upstreams = Array.isArray(upstreams)
    ? upstreams.map((upstream: Fields) => ({
        Config: null,
        ...upstream,
        DestinationType: upstream['DestinationType'] || 'service',
      }))
    : [];
  const { Upstreams: _, ...rest } = proxy;
  const set = Object.entries(rest).filter(([, v]) => v !== '' && v !== 0);
  return { ...Object.fromEntries(set), ...(Upstreams.length > 0 && { Upstreams }) };
}

/** The checks of a service with their ids, names and service filled in. */
export function namedChecks(serviceId: string, spec: ServiceSpec): readonly CheckSpec[] {
  const checks = checksOf(spec);
  return checks.map((check, i) => {
    const number = checks.length > 1 ? `:${i + 1}` : '';
    return {
      ...check,
      CheckID: check.CheckID === '' ? `service:${serviceId}${number}` : check.CheckID,
      Name: check.Name === '' ? `Service '${spec.Name}' check` : check.Name,
      ServiceID: serviceId,
    };
  });
}
