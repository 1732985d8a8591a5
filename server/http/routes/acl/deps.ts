/** What the rows of /v1/acl stand on, and what they have in common. */
import { parseRules, type Syntax } from '../../../../lib/acl/rules.ts';
import type { Clock } from '../../../../lib/clock.ts';
import { ProconsulError } from '../../../../lib/errors.ts';
import { canonicalId, idComplaint } from '../../../../lib/ids.ts';
import { MAX_RULES_BYTES } from '../../../../lib/limits.ts';
import type { Acl } from '../../../state/acl.ts';
import type { AclSwitch, PlaceDeps, ReadDeps, StateDeps, WriteDeps } from '../../deps.ts';

export interface AclDeps extends ReadDeps, WriteDeps, AclSwitch, Pick<PlaceDeps, 'datacenter'> {
  readonly clock: Pick<Clock, 'now' | 'after'>;
}

/** As new as any acknowledged write: what is named may just have been made through another server. */
export async function currentAcl({
  readiness,
  state,
}: StateDeps & Pick<ReadDeps, 'readiness'>): Promise<Acl> {
  const ready = readiness.ready('leader');
  if (ready !== undefined) await ready;
  return state().acl;
}

export function badRequest(why: string): ProconsulError {
  return new ProconsulError('invalid', `Bad request: ${why}`);
}

export function rejected(why: string): ProconsulError {
  return new ProconsulError('rejected', why);
}

/** Throws where nobody could say what they allow, or only after long. */
export function checkRules(rules: string, syntax: Syntax = 'current'): void {
  const bytes = Buffer.byteLength(rules);
  if (bytes > MAX_RULES_BYTES) {
    throw badRequest(`Rules of ${bytes} bytes, and no more than ${MAX_RULES_BYTES} are taken`);
  }
  parseRules(rules, syntax);
}

/** The id that ends a path. */
export function requiredId(
  rest: string,
  what: 'token' | 'policy' | 'role' | 'binding rule',
): string {
  if (rest === '') throw badRequest(`Missing ${what} ID`);
  return lookupId(rest, `failed acl ${what} lookup: index error: `);
}

/** An id that something is looked up by; where it can be none, what Consul's index says of it. */
export function lookupId(id: string, doing: string): string {
  const complaint = idComplaint(id);
  if (complaint !== undefined) throw rejected(`${doing}${complaint}`);
  return canonicalId(id);
}
