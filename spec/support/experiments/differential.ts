/**
 * One request after another to a real Consul and to Proconsul, drawn from a seed: status and words of
 * what each refuses are compared.
 */
import type { Random } from '../../../lib/random.ts';
import { seededRandom } from '../fakes/seeded-random.ts';
import { type Answer, send } from '../servers/start-server.ts';
import { BODIES, replaced, valuePaths, WRONG_VALUES } from './fuzz.ts';

export interface Probe {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly body?: string;
}

export interface Reply {
  readonly status: number;
  /** Of a refusal, and true or false; '' of what else is granted. */
  readonly text: string;
}

/** Each of the two has its own way to show them. */
const ODD = /\\+[ux][0-9a-f]{2,4}|[^\n\t -~]/g;
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/** What it answers; status 0 when it breaks off. */
export async function probe(port: number, { method, path, query, body }: Probe): Promise<Reply> {
  const headers = { 'Content-Length': String(Buffer.byteLength(body ?? '')) };
  const sent = body === undefined ? {} : { body, headers };
  const target = query === '' ? path : `${path}?${query}`;
  const signal = AbortSignal.timeout(5000);
  const answer: Pick<Answer, 'status' | 'text'> = await send(port, method, target, {
    ...sent,
    signal,
  }).catch(() => ({ status: 0, text: '' }));
  const { status, text } = answer;
  return {
    status,
    text:
      status < 300 && !/^(true|false)$/.test(text)
        ? ''
        : text.trim().replace(UUID, '<id>').replace(ODD, '?'),
  };
}

const ID = '00000000-0000-4000-a000-000000000001';
const NAMES = ['', 'x', 'none', 'web', 'f1', 'a/b', 'a%2Fb', 'a%20b', '%C3%A4', ID];
const IDS = ['', 'x', ID, ID.replace('1', 'g'), ID.replaceAll('-', '0'), `${ID}0`, '-'.repeat(36)];
const KEYS = ['', 'k', 'k/l', 'k%2Fl', '%F0%9F%98%80', 'k?', 'none'];

/** Where what follows a path is a name, an id or a key. */
const RESTS: readonly (readonly [path: string, rests: readonly string[]])[] = [
  ['/v1/kv/', KEYS],
  ['/v1/session/info/', IDS],
  ['/v1/session/destroy/', IDS],
  ['/v1/session/renew/', IDS],
  ['/v1/session/node/', NAMES],
  ['/v1/query/', [...IDS, 'q/execute', 'none/execute', 'q/explain', 'execute', 'a/b/execute']],
  ['/v1/catalog/node/', NAMES],
  ['/v1/catalog/node-services/', NAMES],
  ['/v1/catalog/service/', NAMES],
  ['/v1/catalog/connect/', NAMES],
  ['/v1/health/node/', NAMES],
  ['/v1/health/checks/', NAMES],
  ['/v1/health/service/', NAMES],
  ['/v1/health/connect/', NAMES],
  ['/v1/health/state/', [...NAMES, 'any', 'passing', 'critical']],
  ['/v1/coordinate/node/', NAMES],
  ['/v1/event/fire/', NAMES],
  ['/v1/agent/service/', NAMES],
  ['/v1/agent/service/deregister/', NAMES],
  ['/v1/agent/service/maintenance/', NAMES],
  ['/v1/agent/check/deregister/', NAMES],
  ['/v1/agent/check/pass/', NAMES],
  ['/v1/agent/check/update/', NAMES],
  ['/v1/agent/health/service/id/', NAMES],
  ['/v1/agent/health/service/name/', NAMES],
  ['/v1/agent/force-leave/', ['', 'none']],
  ['/v1/agent/token/', ['', 'default', 'none']],
  ['/v1/acl/', ['tokens', 'token/self', 'policies', 'roles']],
  ['/v1/internal/ui/node/', NAMES],
];
const WHOLE = [
  ...['/v1/status/leader', '/v1/status/peers', '/v1/catalog/nodes', '/v1/catalog/services'],
  ...['/v1/catalog/datacenters', '/v1/catalog/register', '/v1/catalog/deregister'],
  ...['/v1/session/create', '/v1/session/list', '/v1/txn', '/v1/query', '/v1/event/list'],
  ...['/v1/coordinate/nodes', '/v1/coordinate/datacenters', '/v1/coordinate/update'],
  ...['/v1/operator/raft/configuration', '/v1/operator/raft/peer', '/v1/operator/keyring'],
  ...['/v1/operator/autopilot/configuration'],
  ...['/v1/agent/self', '/v1/agent/members', '/v1/agent/services', '/v1/agent/checks'],
  ...['/v1/agent/service/register', '/v1/agent/check/register', '/v1/agent/maintenance'],
  ...['/v1/internal/ui/nodes', '/v1/internal/ui/services', '/v1/nothing'],
];

const PARAMS: readonly (readonly [name: string, values: readonly string[]])[] = [
  ['index', ['x', '-1', '1.5', '18446744073709551616', '']],
  ['wait', ['x', '10', '-', '1h1', '']],
  ['dc', ['dc1', '']],
  ['ns', ['team', 'default', '']],
  ['near', ['_agent', 'none', '']],
  ['node-meta', ['a:b', 'a', ':']],
  ['tag', ['x', '']],
  ['filter', ['((', 'x==1', 'Node==f1', 'Meta.x is empty', 'not', '"']],
  ['cached', ['']],
  ['stale', ['', 'false']],
  ['consistent', ['']],
  ['raw', ['']],
  ['keys', ['']],
  ['recurse', ['']],
  ['separator', ['/', '']],
  ['cas', ['0', '1', 'x', '-1', '', '18446744073709551616']],
  ['flags', ['1', 'x', '-1', '', '18446744073709551616']],
  ['acquire', ['x', '', ID, IDS[3] ?? '', IDS[6] ?? '']],
  ['release', ['x', '', ID]],
  ['passing', ['', 'true', 'x', 'T']],
  ['enable', ['', 'true', 'x', 'F']],
  ['reason', ['x']],
  ['format', ['text', 'json', 'x']],
  ['segment', ['', 'x']],
  ['limit', ['1', 'x', '-1', '']],
  ['connect', ['', 'true', 'x']],
  ['node', ['x', '((']],
  ['service', ['x', '((']],
  ['wan', ['1', '']],
  ['id', ['x']],
  ['address', ['x']],
  ['relay-factor', ['x', '9', '1']],
  ['local-only', ['x', 'true']],
  ['replace-existing-checks', ['true', 'false']],
];

const CHECK = {
  ...{ Name: 'c', ID: 'c', Notes: 'n', TTL: '1h', Status: 'passing', ServiceID: '' },
  ...{ TLSSkipVerify: true, SuccessBeforePassing: 0, FailuresBeforeCritical: 0, OutputMaxSize: 10 },
};
const { ID: _, ...SERVICES_CHECK } = CHECK;

/** A registration says NodeMeta: with Meta every one would be refused. */
function withoutMeta(body: unknown): unknown {
  const { Meta: __, ...rest } = body as Record<string, unknown>;
  return rest;
}

/** A whole body for each endpoint that takes one, agents' among them. */
const ALL_BODIES: Readonly<Record<string, unknown>> = {
  ...BODIES,
  '/v1/catalog/register': withoutMeta(BODIES['/v1/catalog/register']),
  '/v1/agent/service/register': {
    ...{ Name: 'web', ID: 'web1', Tags: ['t'], Address: '10.0.0.1', Port: 80, Meta: { k: 'v' } },
    TaggedAddresses: { lan: { Address: '10.0.0.1', Port: 80 } },
    Weights: { Passing: 1, Warning: 1 },
    EnableTagOverride: false,
    Check: { ...SERVICES_CHECK, CheckID: 'web-c' },
    Checks: [{ ...SERVICES_CHECK, CheckID: 'web-d' }],
  },
  '/v1/agent/check/register': CHECK,
  '/v1/agent/check/update/': { Status: 'passing', Output: 'x' },
  '/v1/operator/autopilot/configuration': {
    ...{ CleanupDeadServers: true, LastContactThreshold: '200ms', MaxTrailingLogs: 250 },
    ...{ MinQuorum: 0, ServerStabilizationTime: '10s', RedundancyZoneTag: '' },
  },
  '/v1/operator/keyring': { Key: 'x' },
};

const METHODS = ['GET', 'PUT', 'PUT', 'PUT', 'GET', 'POST', 'DELETE'];

/** Draws requests; the same seed draws the same. */
export class Prober {
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  next(): Probe {
    const [base, rest] = this.#path();
    const path = base + rest;
    const method = this.#method(base, path);
    const query = this.#query();
    // This is how one says that everything is to go.
    if (method === 'DELETE' && base === '/v1/kv/' && rest === '') return this.next();
    if (method === 'GET') return { method, path, query };
    return { method, path, query, body: this.#body(base) };
  }

  #pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.#random.next() * list.length)] as T;
  }

  #path(): readonly [base: string, rest: string] {
    if (this.#random.next() < 0.55) return [this.#pick(WHOLE), ''];
    const [base, rests] = this.#pick(RESTS);
    return [base, this.#pick(rests)];
  }

  #method(base: string, path: string): string {
    // What takes a body is mostly sent one.
    if (base in ALL_BODIES && this.#random.next() < 0.8) {
      return path === '/v1/query' ? 'POST' : 'PUT';
    }
    return this.#pick(METHODS);
  }

  #query(): string {
    const count = Math.floor(this.#random.next() * 3);
    const params = Array.from({ length: count }, () => {
      const [name, values] = this.#pick(PARAMS);
      return `${name}=${encodeURIComponent(this.#pick(values))}`;
    });
    return [...new Set(params)].join('&');
  }

  #body(base: string): string {
    const template = ALL_BODIES[base];
    if (template === undefined) return 'x';
    const whole = JSON.stringify(template);
    const chance = this.#random.next();
    if (chance < 0.1) return whole;
    if (chance < 0.2) return whole.slice(0, Math.floor(this.#random.next() * whole.length));
    const at = Math.floor(this.#random.next() * whole.length);
    if (chance < 0.3)
      return `${whole.slice(0, at)}${this.#pick(['x', '"', '{', ' ', ','])}${whole.slice(at + 1)}`;
    if (chance < 0.4) return whole.replace(/"(\w+)":/, '"Nonsense":');
    return (
      replaced(template, this.#pick([...valuePaths(template)]), this.#pick(WRONG_VALUES)) ?? whole
    );
  }
}
