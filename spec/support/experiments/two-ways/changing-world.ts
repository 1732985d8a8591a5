/** What is asked for while it changes: services, keys, and what each kind of token may see of them. */
import type { Random } from '../../../../lib/random.ts';
import { type AclServer, MASTER } from '../../servers/acl-server.ts';

/** What policies say, by turns. */
const RULES = [
  'key_prefix "" { policy = "read" } service_prefix "" { policy = "read" } node_prefix "" { policy = "read" } session_prefix "" { policy = "read" }',
  'key_prefix "a/" { policy = "read" } service "web-0" { policy = "read" } node_prefix "" { policy = "read" }',
  'key "a/b" { policy = "list" } service_prefix "web" { policy = "read" } node "n2" { policy = "read" }',
  'key_prefix "" { policy = "deny" } service "web-1" { policy = "read" }',
  'service_prefix "" { policy = "deny" } key_prefix "" { policy = "write" } session_prefix "" { policy = "write" }',
  '',
] as const;
const POLICIES = ['one', 'two', 'ofRole', 'ofNobody'] as const;
const ANONYMOUS = '00000000-0000-0000-0000-000000000002';
const SERVICES = 3;
const NODES = 4;
const KEYS = ['a/b', 'a/c', 'a/d/e', 'b', 'large'];
const LARGE = 40_000;
/** The shortest life that a token may have. */
const SHORT_LIFE = '60s';
/** Longer than any wait with its jitter, so that all of them are over. */
const PAST_ALL_MS = 700_000;
/** Longer than a short wait, and so often that no long one is over by it. */
const PAST_SHORT_MS = 5000;
const MAX_SHORT = 50;

interface Token {
  readonly secret: string;
  readonly accessor: string;
}

/** How each kind is made. */
const KINDS: Readonly<Record<string, object>> = {
  byPolicy: { Policies: [{ Name: 'one' }] },
  byTwo: { Policies: [{ Name: 'one' }, { Name: 'two' }] },
  byRole: { Roles: [{ Name: 'role' }] },
  ofService: { ServiceIdentities: [{ ServiceName: 'web-0' }] },
  ofNode: { NodeIdentities: [{ NodeName: 'n2', Datacenter: 'dc1' }] },
  shortLived: { Policies: [{ Name: 'two' }], ExpirationTTL: SHORT_LIFE },
};

type Change = readonly [
  weight: number,
  what: string,
  change: (world: ChangingWorld) => Promise<unknown>,
];
const CHANGES: readonly Change[] = [
  [30, 'a check', (world) => world.flip()],
  [10, 'an instance', (world) => world.register()],
  [5, 'an instance less', (world) => world.deregister()],
  [20, 'a key', (world) => world.put()],
  [5, 'a key less', (world) => world.remove()],
  [1, 'a folder less', (world) => world.removeFolder()],
  [3, 'a session', (world) => world.session()],
  [12, 'a policy', (world) => world.rule()],
  [3, 'a role', (world) => world.role()],
  [5, 'policies of a token', (world) => world.retoken()],
  [3, 'what anybody may', (world) => world.anonymous()],
  [3, 'a token less', (world) => world.replaceToken()],
  [3, 'some seconds', (world) => world.time()],
];

export class ChangingWorld {
  readonly #server: AclServer;
  readonly #random: Random;
  readonly #policies = new Map<string, string>();
  readonly #tokens = new Map<string, Token>();
  #written = 0;
  #shortJumps = 0;

  constructor(server: AclServer, random: Random) {
    this.#server = server;
    this.#random = random;
  }

  async make(): Promise<void> {
    const { master } = this.#server;
    for (const Name of POLICIES) {
      const { ID = '' } = await master('PUT', '/v1/acl/policy', { Name, Rules: RULES[0] });
      this.#policies.set(Name, ID);
    }
    await master('PUT', '/v1/acl/role', { Name: 'role', Policies: [{ Name: 'ofRole' }] });
    for (const kind of Object.keys(KINDS)) await this.#makeToken(kind);
    for (let i = 0; i < SERVICES * NODES; i++) await this.register(i % SERVICES, i % NODES);
    for (const key of KEYS) await this.put(key);
  }

  /** A token to ask with; '' for none, and of those one that nobody knows. */
  token(): string {
    const known = [...this.#tokens.values()].map(({ secret }) => secret);
    return this.#pick([...known, ...known, '', MASTER, '99999999-9999-4999-8999-999999999999']);
  }

  /** Changes something; what it was is told. */
  async change(): Promise<string> {
    const drawn = this.#below(CHANGES.reduce((sum, [weight]) => sum + weight, 0));
    let passed = 0;
    for (const [weight, what, change] of CHANGES) {
      passed += weight;
      if (drawn >= passed) continue;
      await change(this);
      return what;
    }
    return '';
  }

  #ask(method: string, path: string, body?: object | string) {
    return this.#server.as(MASTER, method, path, body);
  }

  flip() {
    const service = this.#below(SERVICES);
    const node = this.#below(NODES);
    const Status = this.#pick(['passing', 'warning', 'critical']);
    return this.#ask('PUT', '/v1/catalog/register', {
      Node: `n${node}`,
      SkipNodeUpdate: true,
      Check: {
        CheckID: `c-${service}`,
        Name: 'c',
        ServiceID: `web-${service}`,
        Status,
        Output: `${this.#written++}`,
      },
    });
  }

  register(service = this.#below(SERVICES), node = this.#below(NODES)) {
    return this.#ask('PUT', '/v1/catalog/register', {
      Node: `n${node}`,
      Address: `10.0.0.${node}`,
      NodeMeta: { rack: `${node % 2}` },
      Service: {
        ID: `web-${service}`,
        Service: `web-${service}`,
        Tags: [`v${this.#below(2)}`],
        Port: 8000 + this.#below(3),
      },
      Check: { CheckID: `c-${service}`, Name: 'c', ServiceID: `web-${service}`, Status: 'passing' },
    });
  }

  deregister() {
    const ServiceID = `web-${this.#below(SERVICES)}`;
    const Node = `n${this.#below(NODES)}`;
    return this.#ask('PUT', '/v1/catalog/deregister', { Node, ServiceID });
  }

  put(key = this.#pick(KEYS)) {
    const text = `${this.#written++}`;
    return this.#ask('PUT', `/v1/kv/${key}`, key === 'large' ? text.repeat(LARGE) : text);
  }

  remove() {
    return this.#ask('DELETE', `/v1/kv/${this.#pick(KEYS)}`);
  }

  removeFolder() {
    return this.#ask('DELETE', '/v1/kv/a/?recurse');
  }

  session() {
    return this.#ask('PUT', '/v1/session/create', { Node: 'n2' });
  }

  rule() {
    const Name = this.#pick(POLICIES);
    const ID = this.#policies.get(Name) ?? '';
    return this.#ask('PUT', `/v1/acl/policy/${ID}`, { ID, Name, Rules: this.#pick(RULES) });
  }

  async role() {
    const { ID } = await this.#server.master('GET', '/v1/acl/role/name/role');
    const Policies = [{ Name: this.#pick(POLICIES) }];
    return this.#ask('PUT', `/v1/acl/role/${ID}`, { ID, Name: 'role', Policies });
  }

  retoken() {
    const { accessor, secret } = this.#tokens.get('byPolicy') as Token;
    const body = { AccessorID: accessor, SecretID: secret };
    const Policies = [{ Name: this.#pick(POLICIES) }];
    return this.#ask('PUT', `/v1/acl/token/${accessor}`, { ...body, Policies });
  }

  anonymous() {
    const Policies = this.#below(2) === 0 ? [] : [{ Name: 'ofNobody' }];
    return this.#ask('PUT', `/v1/acl/token/${ANONYMOUS}`, { AccessorID: ANONYMOUS, Policies });
  }

  async replaceToken(): Promise<void> {
    const kind = this.#pick(Object.keys(KINDS));
    await this.#ask('DELETE', `/v1/acl/token/${this.#tokens.get(kind)?.accessor}`);
    await this.#makeToken(kind);
  }

  async #makeToken(kind: string): Promise<void> {
    const made = await this.#server.master('PUT', '/v1/acl/token', KINDS[kind]);
    this.#tokens.set(kind, { secret: made['SecretID'] ?? '', accessor: made['AccessorID'] ?? '' });
  }

  /** Two that wait alike have a jitter each: none may be left between the ends of both. */
  async time(): Promise<void> {
    const isLong = this.#shortJumps++ === MAX_SHORT || this.#below(8) === 0;
    if (isLong) this.#shortJumps = 0;
    await this.#server.clock.advance(isLong ? PAST_ALL_MS : PAST_SHORT_MS);
  }

  #below(count: number): number {
    return Math.floor(this.#random.next() * count);
  }

  #pick<T>(from: readonly T[]): T {
    return from[this.#below(from.length)] as T;
  }
}
