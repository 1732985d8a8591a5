/** A check as it is registered: what is looked at, how, and how often. */

import { type Decoder, decoder, refined, type Schema, valueDecoder } from '../../lib/decode.ts';
import { ProconsulError } from '../../lib/errors.ts';
import type { CheckDefinition, CheckStatus } from '../../lib/model.ts';
import { alias } from '../checks/kinds/alias.ts';
import { type COMMON_FIELDS, type Fields, text, type ValuesOf } from '../checks/kinds/kind.ts';
import { CHECK_FIELDS, type KindValues, kindOf, kindsOf } from '../checks/kinds/kinds.ts';

/** Durations are nanoseconds; what was left out is empty or 0. */
export type CheckSpec = { readonly CheckID: string } & ValuesOf<typeof COMMON_FIELDS> & KindValues;

function schemasOf(fields: Fields): Readonly<Record<string, Schema>> {
  const entries = Object.entries(fields).map(([name, { schema, usual }]) => [
    name,
    { ...schema, default: usual },
  ]);
  return Object.fromEntries(entries);
}

const PROPERTIES = schemasOf(CHECK_FIELDS);

/** Clients may send them; here they mean nothing. */
const UNHEEDED = ['ProxyGRPC', 'ProxyHTTP', 'SessionName'];

/** A check within a service, or in a configuration file. */
export const checkSchema: Schema = {
  type: 'object',
  properties: {
    ...PROPERTIES,
    ...schemasOf({ CheckID: { ...text, schema: { ...text.schema, aliases: ['ID'] } } }),
  },
  unheeded: UNHEEDED,
};

type CheckBody = Omit<CheckSpec, 'CheckID'> & { readonly ID: string; readonly CheckID?: unknown };

const decodeCheckBody = decoder<CheckBody>({
  type: 'object',
  properties: { ...PROPERTIES, ...schemasOf({ ID: text }), CheckID: {} },
  unheeded: UNHEEDED,
});

/** Of a file, or of a container's labels: with everything that was left out. */
export const checkFromConfig = valueDecoder<CheckSpec>(checkSchema);

/** Made at the first check that is kept: to have it said takes 22 ms of a processor. */
let defaults: CheckSpec | undefined;

/** The spec without what is as when it is left out: thousands are kept on disk. */
export function briefCheck(spec: CheckSpec): Partial<CheckSpec> {
  defaults ??= checkFromConfig({});
  const left = defaults;
  const entries = Object.entries(spec).filter(([key, value]) => {
    const usual: unknown = left[key as keyof CheckSpec];
    if (typeof value !== 'object' || value === null) return value !== usual;
    return Object.keys(value).length > 0;
  });
  return Object.fromEntries(entries);
}

/** The body of PUT /v1/agent/check/register; the id is the name when none is given. */
export const checkFromBody: Decoder<CheckSpec> = refined(
  decodeCheckBody,
  ({ ID, CheckID, ...spec }) => {
    // Whoever writes it means an id, which Consul calls ID here: to ignore it would register another.
    if (CheckID !== undefined) {
      throw new ProconsulError('invalid', 'Request decode failed: json: unknown field "CheckID"');
    }
    if (spec.Name === '') throw new ProconsulError('invalid', 'Missing check name');
    if (!isStatusOrEmpty(spec.Status)) throw new ProconsulError('invalid', 'Bad check status');
    const named = { ...spec, CheckID: ID === '' ? spec.Name : ID };
    validateCheck(named);
    return named;
  },
);

export function isStatus(status: string): status is CheckStatus {
  return status === 'passing' || status === 'warning' || status === 'critical';
}

export function isStatusOrEmpty(status: string): boolean {
  return status === '' || isStatus(status);
}

type Unnamed = Omit<CheckSpec, 'CheckID'>;

/** How a check is looked at, as the field Type says; '' when it says nothing of it. */
export function checkType(spec: Unnamed): string {
  return kindOf(spec)?.type ?? '';
}

/** Whether it runs something of the user's choice on this machine or in a container. */
export function runsPrograms(spec: Unnamed): boolean {
  return kindsOf(spec).some((kind) => kind.runsPrograms === true);
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

export function validateCheck(spec: Unnamed & { readonly CheckID?: string }): void {
  refuseNul(spec.CheckID ?? '', spec.Name, spec.ServiceID);
  const fault = faultOf(spec);
  if (fault !== undefined) throw new ProconsulError('invalid', `Invalid check: ${fault}`);
}

function faultOf(spec: Unnamed): string | undefined {
  const kinds = kindsOf(spec);
  const polled = kinds.some((kind) => kind.probe !== undefined);
  const isAlias = kinds.some((kind) => kind.type === alias.type);
  if (polled && spec.Interval <= 0) {
    return 'Interval must be > 0 for Script, HTTP, or TCP checks';
  }
  if (spec.Interval > 0 && spec.TTL > 0) return 'Interval and TTL cannot both be specified';
  if (polled && isAlias) return 'Interval cannot be set for Alias checks';
  if (isAlias && spec.TTL > 0) return 'TTL must be not be set for Alias checks';
  if (!polled && !isAlias && spec.TTL <= 0) return 'TTL must be > 0 for TTL checks';
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
