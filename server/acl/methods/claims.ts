/** What tokens of others claim, and what of it counts here: see ClaimMappings. */
import { ProconsulError } from '../../../lib/errors.ts';
import type { StructSchema } from '../../../lib/filter/fields.ts';
import { invalid } from './config.ts';
import type { Identity } from './method-type.ts';

export type Claims = Readonly<Record<string, unknown>>;

export interface Mappings {
  /** From a claim's name, or the way to it as a JSON pointer, to the name that it has here. */
  readonly ClaimMappings: ReadonlyMap<string, string>;
  readonly ListClaimMappings: ReadonlyMap<string, string>;
}

/** A claim that is not there counts as an empty one, for every operator: nobody passes without. */
export const CLAIM_FIELDS: StructSchema = {
  kind: 'struct',
  fields: {
    value: { kind: 'map', values: { kind: 'string' }, total: true },
    list: { kind: 'map', values: { kind: 'strings' }, total: true },
  },
};

const variableOf = (name: string) => `value.${name}`;

export function claimVariables({ ClaimMappings }: Pick<Mappings, 'ClaimMappings'>): string[] {
  return [...ClaimMappings.values()].map(variableOf);
}

export function refuseTwins(mappings: Mappings): void {
  for (const key of ['ClaimMappings', 'ListClaimMappings'] as const) {
    const names = [...mappings[key].values()];
    const twin = names.find((name, n) => names.indexOf(name) !== n);
    if (twin === undefined) continue;
    throw invalid(`${key} contains multiple mappings for key ${JSON.stringify(twin)}`);
  }
}

export function identityOf(claims: Claims, mappings: Mappings): Identity {
  const value = new Map<string, string>();
  for (const [from, name] of mappings.ClaimMappings) value.set(name, textClaim(claims, from));
  const list = new Map<string, readonly string[]>();
  for (const [from, name] of mappings.ListClaimMappings) list.set(name, listClaim(claims, from));
  return {
    selectable: { value: Object.fromEntries(value), list: Object.fromEntries(list) },
    variables: new Map([...value].map(([name, text]) => [variableOf(name), text])),
  };
}

function textClaim(claims: Claims, from: string): string {
  const claim = claimAt(claims, from);
  if (claim === undefined || claim === null) return '';
  const text = textOf(claim);
  if (text !== undefined) return text;
  const type = Array.isArray(claim) ? '[]interface {}' : 'map[string]interface {}';
  throw refusal(`error converting claim '${from}' to string from unknown type ${type}`);
}

function listClaim(claims: Claims, from: string): readonly string[] {
  const claim = claimAt(claims, from);
  if (claim === undefined || claim === null) return [];
  const named = JSON.stringify(from);
  const single = textOf(claim);
  if (single !== undefined) return [single];
  if (!Array.isArray(claim)) {
    throw refusal(`${named} list claim could not be converted to string list`);
  }
  return claim.map((each: unknown) => {
    const text = textOf(each);
    if (text !== undefined) return text;
    throw refusal(`value in ${named} list claim could not be parsed as string`);
  });
}

/** A name begins with no slash; a pointer does. */
function claimAt(claims: Claims, from: string): unknown {
  if (!from.startsWith('/')) return own(claims, from);
  return from
    .slice(1)
    .split('/')
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>(own, claims);
}

function own(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Claims)[name];
}

/** Of numbers the integer, as Consul has it; one that lost digits is none. */
function textOf(claim: unknown): string | undefined {
  if (typeof claim === 'string') return claim;
  if (typeof claim === 'boolean') return String(claim);
  if (typeof claim !== 'number') return undefined;
  const integer = Math.trunc(claim);
  return Number.isSafeInteger(integer) ? String(integer) : undefined;
}

function refusal(why: string): ProconsulError {
  return new ProconsulError('rejected', why);
}
