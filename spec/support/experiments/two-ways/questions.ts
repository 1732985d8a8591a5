/** How clients ask and wait, plainly and strangely: what the short way knows, and what it must leave alone. */
import type { Random } from '../../../../lib/random.ts';

export const PATHS = [
  '/v1/catalog/nodes',
  '/v1/catalog/nodes?node-meta=rack:1',
  '/v1/catalog/services',
  '/v1/catalog/service/web-0',
  '/v1/catalog/service/web-1?tag=v1',
  '/v1/catalog/node/n2',
  '/v1/catalog/node-services/n1',
  '/v1/health/service/web-0',
  '/v1/health/service/web-0?passing',
  '/v1/health/service/web-1?filter=Service.Port==8001',
  '/v1/health/service/web-2?pretty',
  '/v1/health/checks/web-1',
  '/v1/health/node/n2',
  '/v1/health/state/critical',
  '/v1/kv/a/b',
  '/v1/kv/a/b?raw',
  '/v1/kv/a/?recurse',
  '/v1/kv/?keys&separator=/',
  '/v1/kv/large',
  '/v1/kv/none',
  '/v1/session/list',
  '/v1/internal/ui/services',
] as const;

type Spelling = (path: string, index: string) => string;

const and = (path: string, more: string) => `${path}${path.includes('?') ? '&' : '?'}${more}`;

/** Of a wait that goes on after this index. */
export const SPELLINGS: Readonly<Record<string, Spelling>> = {
  last: (path, index) => and(path, `wait=600s&index=${index}`),
  first: (path, index) => {
    const [bare = '', ...query] = path.split('?');
    return [`${bare}?index=${index}`, 'wait=600s', ...query].join('&');
  },
  alone: (path, index) => and(path, `index=${index}`),
  stale: (path, index) => and(path, `stale&index=${index}&wait=600s`),
  consistent: (path, index) => and(path, `consistent&index=${index}&wait=600s`),
  'its name is escaped': (path, index) => and(path, `%69ndex=${index}&wait=600s`),
  'once more, lower': (path, index) => and(path, `index=${index}&wait=600s&index=1`),
  'once more, before': (path, index) => and(path, `index=1&index=${index}&wait=600s`),
  'once more, escaped': (path, index) => and(path, `%69ndex=1&index=${index}&wait=600s`),
  'with zeros in front': (path, index) => and(path, `index=000${index}&wait=600s`),
  'with a plus': (path, index) => and(path, `index=+${index}&wait=600s`),
  'a digit is escaped': (path, index) =>
    and(path, `index=%3${index.slice(0, 1)}${index.slice(1)}&wait=600s`),
  'in capitals': (path, index) => and(path, `INDEX=${index}&wait=600s`),
  'with empty parts': (path, index) => and(path, `&&index=${index}&&wait=600s&`),
  'with a fragment': (path, index) => and(path, `index=${index}&wait=600s#index=1`),
  'with another name like it': (path, index) => and(path, `index2=1&index=${index}&wait=600s`),
  'for a second': (path, index) => and(path, `index=${index}&wait=1s`),
  'without a wait': (path, index) => and(path, `index=${index}&wait=0`),
  'for no time that is one': (path, index) => and(path, `index=${index}&wait=soon`),
  'its own data center': (path, index) => and(path, `index=${index}&dc=dc1&wait=600s`),
  'of what is to come': (path, index) => and(path, `index=9${index}&wait=600s`),
  'of what was': (path, index) => and(path, `index=${index.slice(1) || 1}&wait=600s`),
  'no index at all': (path) => and(path, 'index=0&wait=600s'),
};

type Bringing = (path: string, token: string) => readonly [path: string, headers: Headers];
type Headers = readonly (readonly [name: string, value: string])[];

/** How a token is brought, and what else stands in the head. */
export const BRINGING: Readonly<Record<string, Bringing>> = {
  'in its header': (path, token) => [path, [['X-Consul-Token', token]]],
  'in small letters': (path, token) => [path, [['x-consul-token', token]]],
  'as a bearer': (path, token) => [path, [['Authorization', `Bearer ${token}`]]],
  'in the query': (path, token) => [and(path, `token=${token}`), []],
  'with gzip': (path, token) => [
    path,
    [
      ['Accept-Encoding', 'gzip'],
      ['X-Consul-Token', token],
    ],
  ],
  'beside another': (path, token) => [
    and(path, `token=99999999-9999-4999-8999-999999999999`),
    [['X-Consul-Token', token]],
  ],
  'and keeps the connection': (path, token) => [
    path,
    [
      ['X-Consul-Token', token],
      ['Connection', 'keep-alive'],
    ],
  ],
};

/** What is asked: all but the index, which the answer before it tells. */
export interface Question {
  readonly path: string;
  /** Of its wait; undefined where it does not wait. */
  readonly spelling: string | undefined;
  readonly bringing: string;
  readonly token: string;
}

/** Few enough of them come often: what is asked twice in the same bytes is what the short way is for. */
export function drawn(random: Random, token: string): Question {
  const pick = <T>(from: readonly T[]) => from[Math.floor(random.next() * from.length)] as T;
  const plainly = (names: readonly string[]) => (random.next() < 0.5 ? names[0] : pick(names));
  return {
    path: pick(PATHS),
    spelling: random.next() < 0.6 ? plainly(Object.keys(SPELLINGS)) : undefined,
    bringing: plainly(Object.keys(BRINGING)) as string,
    token,
  };
}

/** The bytes of it. */
export function textOf({ path, spelling, bringing, token }: Question, index: string): string {
  const target = spelling === undefined ? path : (SPELLINGS[spelling] as Spelling)(path, index);
  const [asked, headers] = (BRINGING[bringing] as Bringing)(target, token);
  const lines = [['Host', 'localhost'] as const, ...headers].filter(([, value]) => value !== '');
  return `GET ${asked} HTTP/1.1\r\n${lines.map(([k, v]) => `${k}: ${v}\r\n`).join('')}\r\n`;
}
