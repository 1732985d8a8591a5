/** Finds an object of access control by the beginning of its ID, or by its name. */
import { ProconsulError } from '../../lib/errors.ts';
import { isUuid } from '../../lib/ids.ts';
import type { ApiClient } from '../api-client.ts';
import { explained, type Invocation } from '../command.ts';
import type { Link, Token } from './objects.ts';

/** A kind of object, and its routes. */
export interface Kind {
  readonly noun: string;
  /** As the beginning of an ID is spoken of. */
  readonly short: string;
  /** Makes one; with an ID behind it, reads, changes and deletes it. */
  readonly path: string;
  readonly list: string;
}

const V1 = '/v1/acl/';
export const METHOD = kindOf('auth method', 'auth-method', 'auth-methods');
export const POLICY = kindOf('policy', 'policy', 'policies');
export const ROLE = kindOf('role', 'role', 'roles');
export const RULE = kindOf('binding rule', 'binding-rule', 'binding-rules', 'rule');
export const TOKEN = kindOf('token', 'token', 'tokens');

function kindOf(noun: string, one: string, all: string, short = noun): Kind {
  return { noun, short, path: V1 + one, list: V1 + all };
}

export function pathOf({ path }: Kind, id: string): string {
  return `${path}/${encodeURIComponent(id)}`;
}

/** As a sentence begins with it. */
export function capital({ noun }: Kind): string {
  return `${noun.charAt(0).toUpperCase()}${noun.slice(1)}`;
}

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

/** By `-id`, or where that is not given by `-name`; of a method its name is all that there is. */
export async function idOf({ flags }: Invocation, api: ApiClient, kind: Kind): Promise<string> {
  if (kind === METHOD) return flags.text('name');
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

/** What is made or changed, as the API answers it; `failure` goes before an error of it. */
export async function put<T>(
  api: ApiClient,
  path: string,
  body: object,
  failure: string,
): Promise<T> {
  const sent = api.send({ method: 'PUT', path, body: JSON.stringify(body) });
  return (await explained(failure, sent)).json as T;
}

/** Rejects 'not-found' where there is none. */
export async function readOne<T>(
  api: ApiClient,
  kind: Kind,
  by: { readonly ID: string } | { readonly name: string },
  path?: string,
): Promise<T> {
  const [[what, value] = ['', '']] = Object.entries(by);
  const sent = api.send({ method: 'GET', path: path ?? pathOf(kind, value), accept: [404] });
  const answer = await explained(`Error reading ${kind.noun} "${value}"`, sent);
  if (answer.status === 200) return answer.json as T;
  throw missing(`${capital(kind)} not found with ${what} "${value}"`);
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
