/** A check as it is registered: what is looked at, how, and how often. */
import type { Schema } from '../../lib/decode.ts';
import { decoder, valueDecoder } from '../../lib/decode.ts';
import { ProconsulError } from '../../lib/errors.ts';
import type { CheckDefinition, CheckStatus } from '../../lib/model.ts';

/** Durations are nanoseconds; what was left out is empty or 0. */
export interface CheckSpec {
  readonly CheckID: string;
  readonly Name: string;
  readonly Notes: string;
  readonly Status: string;
  readonly ServiceID: string;
  readonly Args: readonly string[];
  readonly HTTP: string;
  readonly Header: Readonly<Record<string, readonly string[]>>;
  readonly Method: string;
  readonly Body: string;
  readonly DisableRedirects: boolean;
  readonly TCP: string;
  readonly UDP: string;
  readonly GRPC: string;
  readonly GRPCUseTLS: boolean;
  readonly H2PING: string;
  readonly H2PingUseTLS: boolean;
  readonly OSService: string;
  readonly TLSServerName: string;
  readonly TLSSkipVerify: boolean;
  readonly DockerContainerID: string;
  readonly Shell: string;
  readonly AliasNode: string;
  readonly AliasService: string;
  readonly TTL: number;
  readonly Interval: number;
  readonly Timeout: number;
  readonly SuccessBeforePassing: number;
  readonly FailuresBeforeWarning: number;
  readonly FailuresBeforeCritical: number;
  readonly DeregisterCriticalServiceAfter: number;
  readonly OutputMaxSize: number;
  readonly Token: string;
}

const text = { type: 'string', default: '' };
const count = { type: 'integer', default: 0 };
const flag = { type: 'boolean', default: false };
const duration = { duration: true, default: 0 };
const texts = { type: 'array', items: { type: 'string' } };

const PROPERTIES: Readonly<Record<string, Schema>> = {
  Name: text,
  Notes: text,
  Status: text,
  ServiceID: text,
  Args: { ...texts, default: [], aliases: ['ScriptArgs'] },
  HTTP: text,
  Header: { type: 'object', additionalProperties: texts, default: {} },
  Method: text,
  Body: text,
  DisableRedirects: flag,
  TCP: text,
  UDP: text,
  GRPC: text,
  GRPCUseTLS: flag,
  H2PING: text,
  H2PingUseTLS: { type: 'boolean', default: true },
  OSService: text,
  TLSServerName: text,
  TLSSkipVerify: flag,
  DockerContainerID: text,
  Shell: text,
  AliasNode: text,
  AliasService: text,
  TTL: duration,
  Interval: duration,
  Timeout: duration,
  SuccessBeforePassing: count,
  FailuresBeforeWarning: count,
  FailuresBeforeCritical: count,
  DeregisterCriticalServiceAfter: duration,
  OutputMaxSize: count,
  Token: text,
};

/** A check within a service, or in a configuration file. */
export const checkSchema: Schema = {
  type: 'object',
  properties: { ...PROPERTIES, CheckID: { ...text, aliases: ['ID'] } },
};

type CheckBody = Omit<CheckSpec, 'CheckID'> & { readonly ID: string; readonly CheckID?: unknown };

const decodeCheckBody = decoder<CheckBody>({
  type: 'object',
  properties: { ...PROPERTIES, ID: text, CheckID: {} },
});

const defaults = valueDecoder<CheckSpec>(checkSchema)({});

/** The spec without what is as when it is left out: thousands are kept on disk. */
export function briefCheck(spec: CheckSpec): Partial<CheckSpec> {
  const entries = Object.entries(spec).filter(([key, value]) => {
    const usual: unknown = defaults[key as keyof CheckSpec];
    if (typeof value !== 'object' || value === null) return value !== usual;
    return Object.keys(value).length > 0;
  });
  return Object.fromEntries(entries);
}

export function fullCheck(brief: Partial<CheckSpec>): CheckSpec {
  return { ...defaults, ...brief };
}

/** The body of PUT /v1/agent/check/register; the id is the name when none is given. */
export function checkFromBody(body: Buffer): CheckSpec {
  const { ID, CheckID, ...spec } = decodeCheckBody(body);
  // Whoever writes it means an id, which Consul calls ID here: to ignore it would register another.
  if (CheckID !== undefined) {
    throw new ProconsulError('invalid', 'Request decode failed: json: unknown field "CheckID"');
  }
  if (spec.Name === '') throw new ProconsulError('invalid', 'Missing check name');
  if (!isStatusOrEmpty(spec.Status)) throw new ProconsulError('invalid', 'Bad check status');
  const named = { ...spec, CheckID: ID === '' ? spec.Name : ID };
  validateCheck(named);
  return named;
}

export function isStatus(status: string): status is CheckStatus {
  return status === 'passing' || status === 'warning' || status === 'critical';
}

export function isStatusOrEmpty(status: string): boolean {
  return status === '' || isStatus(status);
}

type Kind = Omit<CheckSpec, 'CheckID'>;

/** How a check is looked at, as the field Type says; the first of those that are given. */
export function checkType(spec: Kind): string {
  if (spec.TTL > 0) return 'ttl';
  if (spec.HTTP !== '') return 'http';
  if (spec.TCP !== '') return 'tcp';
  if (spec.UDP !== '') return 'udp';
  if (spec.GRPC !== '') return 'grpc';
  if (spec.H2PING !== '') return 'h2ping';
  if (spec.OSService !== '') return 'os_service';
  if (spec.DockerContainerID !== '' && spec.Args.length > 0) return 'docker';
  if (spec.Args.length > 0) return 'script';
  return isAlias(spec) ? 'alias' : '';
}

function isAlias(spec: Kind): boolean {
  return spec.AliasNode !== '' || spec.AliasService !== '';
}

/** Whether it runs something of the user's choice on this machine or in a container. */
export function isScript(spec: Kind): boolean {
  return spec.Args.length > 0;
}

/** A check that is there but says nothing, as some clients send it, is as if it were not there. */
export function isEmptyCheck(spec: CheckSpec): boolean {
  return (
    checkType(spec) === '' &&
    spec.Interval === 0 &&
    [spec.CheckID, spec.Name, spec.Notes, spec.Status, spec.Shell].every((field) => field === '')
  );
}

/** The catalog's keys are joined by NUL, so no name and no id may hold one. */
export function refuseNul(...names: readonly string[]): void {
  if (names.some((name) => name.includes('\0'))) {
    throw new ProconsulError('invalid', 'Invalid name or ID: it must not hold a NUL');
  }
}

export function validateCheck(spec: Kind & { readonly CheckID?: string }): void {
  refuseNul(spec.CheckID ?? '', spec.Name, spec.ServiceID);
  const fault = faultOf(spec);
  if (fault !== undefined) throw new ProconsulError('invalid', `Invalid check: ${fault}`);
}

function faultOf(spec: Kind): string | undefined {
  const polled = checkType({ ...spec, TTL: 0, AliasNode: '', AliasService: '' }) !== '';
  const alias = isAlias(spec);
  if (polled && spec.Interval <= 0) {
    return 'Interval must be > 0 for Script, HTTP, or TCP checks';
  }
  if (spec.Interval > 0 && spec.TTL > 0) return 'Interval and TTL cannot both be specified';
  if (polled && alias) return 'Interval cannot be set for Alias checks';
  if (alias && spec.TTL > 0) return 'TTL must be not be set for Alias checks';
  if (!polled && !alias && spec.TTL <= 0) return 'TTL must be > 0 for TTL checks';
  if (spec.OutputMaxSize < 0) return 'MaxOutputMaxSize must be positive';
  return undefined;
}

/** How a check stands that nobody has looked at. */
export function initialStatus(spec: Pick<CheckSpec, 'Status'>): CheckStatus {
  return isStatus(spec.Status) ? spec.Status : 'critical';
}

/** What the catalog is told of a new check. */
export function checkDefinition(spec: CheckSpec, type = checkType(spec)): CheckDefinition {
  const { CheckID, Name, Notes, ServiceID } = spec;
  return {
    CheckID,
    Name,
    Status: initialStatus(spec),
    Notes,
    Output: '',
    ServiceID,
    Type: type,
    Definition: {},
  };
}
