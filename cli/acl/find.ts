/** Finds an object of access control by the beginning of its ID, or by its name. */
import { ProconsulError } from '../../lib/errors.ts';
import { isUuid } from '../../lib/ids.ts';
import type { ApiClient } from '../api-client.ts';
import { explained, type Invocation } from '../command.ts';
import type { Link, Token } from './objects.ts';

/** A kind of object that has an ID, and the route that lists all of them. */
export interface Kind {
  readonly noun: string;
  /** As the beginning of an ID is spoken of. */
  readonly short: string;
  readonly list: string;
}

export const TOKEN: Kind = { noun: 'token', short: 'token', list: '/v1/acl/tokens' };
export const POLICY: Kind = { noun: 'policy', short: 'policy', list: '/v1/acl/policies' };
export const ROLE: Kind = { noun: 'role', short: 'role', list: '/v1/acl/roles' };
export const RULE: Kind = { noun: 'binding rule', short: 'rule', list: '/v1/acl/binding-rules' };

const ANONYMOUS_ID = '00000000-0000-0000-0000-000000000002';

/** The whole ID that begins so. A whole one is not looked up: whoever uses it says what is wrong. */
export async function wholeId(api: ApiClient, kind: Kind, start: string): Promise<string> {
  if (isUuid(start)) return start;
  if (kind === TOKEN && start === 'anonymous') return ANONYMOUS_ID;
  const all = (await listed(api, kind)).map((each) => (kind === TOKEN ? each.AccessorID : each.ID));
  const [id, ...others] = all.filter((each) => each.startsWith(start));
  if (id === undefined) throw missing(`No such ${kind.short} ID with prefix: ${start}`);
  if (others.length > 0) throw missing(`Partial ${kind.short} ID is not unique`);
  return id;
}

/** By `-id`, or where that is not given by `-name`. */
export async function idOf({ flags }: Invocation, api: ApiClient, kind: Kind): Promise<string> {
  const found = flags.has('id') ? wholeId(api, kind, flags.text('id')) : byName(flags.text('name'));
  return await explained(`Error determining ${kind.noun} ID`, found);

  async function byName(name: string): Promise<string> {
    const found = (await listed(api, kind)).find(({ Name }) => Name === name);
    if (found === undefined) throw missing(`No such ${kind.noun} with name ${name}`);
    return found.ID;
  }
}

type Listed = Link & Pick<Token, 'AccessorID'>;

async function listed(api: ApiClient, kind: Kind): Promise<readonly Listed[]> {
  const answer = await api.send({ method: 'GET', path: kind.list });
  return (answer.json ?? []) as readonly Listed[];
}

function missing(why: string): ProconsulError {
  return new ProconsulError('not-found', why);
}

/** Throws ProconsulError 'invalid', as Consul says it, where no flag of these names anything. */
export function requireOne({ flags }: Invocation, names: readonly string[], complaint: string) {
  if (names.every((name) => flags.text(name) === '')) {
    throw new ProconsulError('invalid', complaint);
  }
}
