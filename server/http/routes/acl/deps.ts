/** What the rows of /v1/acl stand on, and what they have in common. */
import { parseRules, type Syntax } from '../../../../lib/acl/rules.ts';
import type { Clock } from '../../../../lib/clock.ts';
import { ProconsulError } from '../../../../lib/errors.ts';
import type { Reply } from '../../../../lib/http/reply.ts';
import { needs } from '../../../../lib/http/right.ts';
import type { HttpRequest, Route } from '../../../../lib/http/route.ts';
import type { Takes } from '../../../../lib/http/takes.ts';
import { canonicalId, idComplaint } from '../../../../lib/ids.ts';
import { MAX_RULES_BYTES } from '../../../../lib/limits.ts';
import type { Acl } from '../../../state/acl.ts';
import {
  type AclSwitch,
  type PlaceDeps,
  type ReadDeps,
  type StateDeps,
  type Unjudged,
  type WriteDeps,
  write,
} from '../../deps.ts';

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

/** What these objects may be seen and changed by, all of them alike. */
export const ACL_READ = needs('acl:read');
export const ACL_WRITE = needs('acl:write');

interface WriteRows extends Pick<Required<Takes>, 'rest' | 'body'> {
  readonly path: string;
  readonly makes: string;
  readonly changes: string;
  readonly removes: string;
  /** With nothing behind the path, or with what is to be changed. */
  readonly set: (request: HttpRequest) => Promise<Reply>;
  readonly remove: (rest: string) => Unjudged;
}

/** The rows that make, change and remove one kind of object. */
export function writeRows(
  deps: Pick<WriteDeps, 'propose' | 'state'>,
  { path, rest: named, body, makes, changes, removes, set, remove }: WriteRows,
): Route[] {
  const right = ACL_WRITE;
  return [
    { method: 'PUT', path, right, body, does: makes, handle: set },
    { method: 'PUT', path: `${path}/`, rest: named, right, body, does: changes, handle: set },
    {
      method: 'DELETE',
      path: `${path}/`,
      rest: named,
      right,
      does: removes,
      handle: async (request) => {
        await write(request, deps, remove(request.rest));
        return { json: true };
      },
    },
  ];
}

const NAME = /^[A-Za-z0-9_-]{1,128}$/;

export function checkedName(name: string, what: 'Policy' | 'Role' | 'Auth Method'): string {
  if (name === '') throw rejected(`Invalid ${what}: no Name is set`);
  if (NAME.test(name)) return name;
  const allowed = "Only alphanumeric characters, '-' and '_' are allowed";
  throw rejected(`Invalid ${what}: invalid Name. ${allowed}`);
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
