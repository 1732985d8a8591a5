/** Requests that nobody means well by, drawn from a seed, and what a server must keep up under them. */
import assert from 'node:assert/strict';
import type { Logger } from '../../../lib/logger.ts';
import type { Random } from '../../../lib/random.ts';
import { seededRandom } from '../fakes/seeded-random.ts';
import { startServer, type TestServer } from '../servers/start-server.ts';
import { type FuzzAnswer, FuzzClient } from './fuzz-client.ts';
import { restored, stateHash } from './state-hash.ts';

const METHODS = ['GET', 'PUT', 'PUT', 'PUT', 'POST', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH', 'BREW'];
/** The waits that are asked for last a millisecond, on a clock that a spec must move. */
const WAIT_STEP_MS = 2;
const HUGE_TEXT_LENGTH = 16_000;

export const RESTS: readonly string[] = [
  '',
  'x',
  'x/y',
  '%00',
  '%2F',
  '%2e%2e',
  '..',
  '../..',
  './',
  '/',
  '//',
  '%zz',
  '%',
  '%c0%af',
  '%f4%90%80%80',
  '%ed%a0%80',
  '%ff',
  '%0d%0aX-Evil:%201',
  '__proto__',
  'constructor',
  '\u{c3}\u{a4}',
  '%F0%9F%98%80',
  'k'.repeat(HUGE_TEXT_LENGTH),
  '%2525',
  '00000000-0000-4000-a000-000000000001',
  '00000000-0000-4000-a000-00000000000g',
  'any',
  'a/execute',
  '?',
  '#',
];

export const PARAMS: readonly string[] = [
  ...['index', 'wait', 'dc', 'near', 'node-meta', 'tag', 'filter', 'cached', 'stale', 'consistent'],
  ...['raw', 'keys', 'recurse', 'separator', 'cas', 'flags', 'acquire', 'release', 'passing'],
  ...['pretty', 'token', 'name', 'node', 'service', 'segment', 'limit', 'connect', 'format'],
];

export const VALUES: readonly string[] = [
  ...['', '0', '1', '-1', '18446744073709551615', '18446744073709551616', '9'.repeat(400), '1e999'],
  ...['true', 'false', 'x', '%00', '%zz', '%', 'a:b', ':', '1ms', '-1s', '1e9h', '9999999h', 'dc1'],
  ...['ServiceName == "x"', '((((((', 'not '.repeat(500), 'a matches `(a*)*b`', 'Meta.x is empty'],
  ...['(a{100}){10}', '[', '\\', '__proto__', '/', 'a'.repeat(9000), '"', '`', '%0d%0a'],
];

const HEADERS = [
  'X-Consul-Token: x',
  'Authorization: Bearer',
  'Content-Encoding: gzip',
  'Content-Type: application/json; charset=utf-7',
  'Accept-Encoding: gzip;q=0, *',
  'Cache-Control: max-age=-1',
  'Expect: 100-continue',
  'Range: bytes=0-1',
  'If-None-Match: *',
  'X-Consul-Token: \u00ff\u00fe',
  'Connection: close',
  'Upgrade: websocket',
  `X-Long: ${'h'.repeat(8000)}`,
  '__proto__: x',
  'X-Forwarded-For: 127.0.0.1',
  'X-Proconsul-Node: __proto__',
];

/** What may stand in place of any value of any body. */
export const WRONG_VALUES: readonly string[] = [
  ...['null', 'true', '0', '-1', '1.5', '1e300', '1e999', '-0', '""', '"x"', '[]', '{}', '[null]'],
  ...[
    '18446744073709551615',
    '99999999999999999999999',
    '"10s"',
    '"-5s"',
    '"\\u0000"',
    '"\\ud800"',
  ],
  ...[
    '{"__proto__":{"x":1}}',
    '{"constructor":{"prototype":{"x":1}}}',
    '[[[[]]]]',
    '{"a":{"b":[1]}}',
  ],
  ...[`"${'s'.repeat(2000)}"`, '[1,"a",null,{}]', '{"":""}', '"=="', '"eA=="', '{"__proto__":"x"}'],
];

const check = {
  Node: 'f1',
  CheckID: 'c',
  Name: 'c',
  Status: 'passing',
  ServiceID: 's',
  Definition: {
    HTTP: 'http://x',
    Interval: '10s',
    Header: { a: ['b'] },
    ScriptArgs: ['x'],
    TTL: '1s',
  },
};
const service = {
  Kind: '',
  ID: 's',
  Service: 'fuzz',
  Tags: ['t'],
  Address: '1.2.3.4',
  TaggedAddresses: { lan: { Address: '1.2.3.4', Port: 1 } },
  Meta: { k: 'v' },
  Port: 1,
  Weights: { Passing: 1, Warning: 1 },
  EnableTagOverride: false,
  Proxy: { DestinationServiceName: 'x', Config: { a: 1 } },
  Connect: { Native: true },
};
const node = {
  ID: '',
  Node: 'f1',
  Address: '1.2.3.4',
  TaggedAddresses: { lan: 'x' },
  Meta: { k: 'v' },
};
const kv = { Verb: 'set', Key: 'fuzz', Value: 'eA==', Flags: 1, Index: 1, Session: 'x' };

/** A whole body for every endpoint that takes one. */
export const BODIES: Readonly<Record<string, unknown>> = {
  '/v1/catalog/register': {
    ...node,
    Datacenter: 'dc1',
    NodeMeta: { k: 'v' },
    SkipNodeUpdate: false,
    Service: service,
    Check: check,
    Checks: [check],
  },
  '/v1/catalog/deregister': { Node: 'f2', Datacenter: 'dc1', ServiceID: 's', CheckID: 'c' },
  '/v1/session/create': {
    Name: 'n',
    Node: 'n1',
    Checks: [],
    NodeChecks: [],
    ServiceChecks: [{ ID: 'c', Namespace: '' }],
    LockDelay: '15s',
    Behavior: 'release',
    TTL: '10s',
  },
  '/v1/txn': [
    { KV: kv },
    { Node: { Verb: 'set', Node: node } },
    { Service: { Verb: 'set', Node: 'f1', Service: service } },
    { Check: { Verb: 'set', Check: check } },
  ],
  '/v1/coordinate/update': {
    Node: 'f1',
    Segment: '',
    Coord: { Vec: [0, 0, 0, 0, 0, 0, 0, 0], Error: 1.5, Adjustment: 0, Height: 1e-5 },
  },
  '/v1/query': {
    Name: 'q',
    Session: '',
    Token: '',
    Template: { Type: '', Regexp: '', RemoveEmptyTags: false },
    Service: {
      Service: 'fuzz',
      Failover: { NearestN: 0, Datacenters: ['dc1'] },
      OnlyPassing: false,
      Near: '',
      Tags: ['t'],
      NodeMeta: { k: 'v' },
      ServiceMeta: { k: 'v' },
      Connect: false,
      IgnoreCheckIDs: ['c'],
    },
    DNS: { TTL: '10s' },
  },
};

/** The body with each of its values in turn, at any depth, replaced by each of the wrong ones. */
export function* withWrongValues(body: unknown): IterableIterator<string> {
  const whole = JSON.stringify(body);
  for (const path of valuePaths(body)) {
    for (const wrong of WRONG_VALUES) yield replaced(body, path, wrong) ?? whole;
  }
}

type Path = readonly string[];

/** Where its values are, at any depth. */
export function* valuePaths(value: unknown, at: Path = []): IterableIterator<Path> {
  yield at;
  if (typeof value !== 'object' || value === null) return;
  for (const [key, sub] of Object.entries(value)) yield* valuePaths(sub, [...at, key]);
}

const HOLE = 'the hole in this body';

/** As text, for what is put in may be no JSON that JavaScript could hold. */
export function replaced(body: unknown, path: Path, wrong: string): string | undefined {
  // No part of it may stand in two places.
  const copy: unknown = JSON.parse(JSON.stringify({ body }));
  let at = copy as Record<string, unknown>;
  const keys = ['body', ...path];
  for (const key of keys.slice(0, -1)) at = at[key] as Record<string, unknown>;
  at[keys.at(-1) ?? ''] = HOLE;
  return JSON.stringify((copy as { body: unknown }).body)?.replace(`"${HOLE}"`, () => wrong);
}

/** Draws requests; the same seed draws the same. */
export class Fuzzer {
  readonly #random: Random;
  readonly #paths: readonly string[];

  constructor(seed: number, paths: readonly string[]) {
    this.#random = seededRandom(seed);
    this.#paths = paths;
  }

  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.#random.next() * list.length)] as T;
  }

  /** A request as bytes. */
  next(): { readonly bytes: Buffer; readonly isHead: boolean; readonly isRead: boolean } {
    const path = this.pick(this.#paths);
    let method = this.pick(METHODS);
    const target = this.#target(path);
    // This is how one says that everything is to go.
    if (method === 'DELETE' && /^\/v1\/kv\/?(\?|$)/.test(target)) method = 'GET';
    const body = this.#body(path, method);
    const headers = Array.from({ length: Math.floor(this.#random.next() * 3) }, () =>
      this.pick(HEADERS),
    );
    // None may stand twice: that is a case of its own.
    const lines = [...new Set(headers), 'Host: x', `Content-Length: ${body.length}`];
    const head = `${method} ${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`;
    const bytes = Buffer.concat([Buffer.from(head, 'latin1'), body]);
    return { bytes, isHead: method === 'HEAD', isRead: method === 'GET' };
  }

  #target(path: string): string {
    const rest = path.endsWith('/') || this.#random.next() < 0.1 ? this.pick(RESTS) : '';
    const params = Array.from({ length: Math.floor(this.#random.next() * 4) }, () => this.#param());
    return `${path}${rest}${params.length > 0 ? `?${params.join('&')}` : ''}`;
  }

  #param(): string {
    const name = this.pick(PARAMS);
    if (this.#random.next() < 0.2) return name;
    const value = this.pick(VALUES);
    // Nobody is to wait here.
    if (name === 'index' || name === 'wait') return `${name}=${value}&wait=1ms`;
    return `${name}=${this.#random.next() < 0.5 ? encodeURIComponent(value) : value.replace(/ /g, '+')}`;
  }

  #body(path: string, method: string): Buffer {
    if (method === 'GET' || method === 'HEAD') return Buffer.alloc(0);
    const template = BODIES[path] ?? this.pick(Object.values(BODIES));
    const all = [...valuePaths(template)];
    const text = replaced(template, this.pick(all), this.pick(WRONG_VALUES)) ?? '';
    return this.#spoilt(Buffer.from(text));
  }

  /** Now and then a byte is wrong, or the end is missing, or it is something else altogether. */
  #spoilt(body: Buffer): Buffer {
    const chance = this.#random.next();
    const at = Math.floor(this.#random.next() * body.length);
    if (chance < 0.1) return body.subarray(0, at);
    if (chance < 0.2 && body.length > 0) body[at] = Math.floor(this.#random.next() * 256);
    if (chance > 0.98) return Buffer.from('['.repeat(10_000) + ']'.repeat(10_000));
    if (chance > 0.97) return Buffer.from(`{"Node":"f1","Node":"f2","node":"f3","NODE":"f4"}`);
    return body;
  }
}

/** Data that no fuzzed request names, and how it read at first. */
const CANARIES = [
  '/v1/kv/zz/canary',
  '/v1/kv/zz/canary?raw',
  '/v1/catalog/node/canary',
  '/v1/health/service/canary',
];

/** A server under fuzz: what it logs as errors, and whether what others wrote is as it was. */
export class FuzzTarget {
  readonly server: TestServer;
  readonly errors: readonly string[];
  readonly #client: FuzzClient;
  readonly #canaries: readonly string[];
  readonly statuses = new Map<number, number>();

  private constructor(server: TestServer, errors: readonly string[], canaries: readonly string[]) {
    this.server = server;
    this.errors = errors;
    this.#canaries = canaries;
    this.#client = new FuzzClient(server.port);
  }

  static async start(): Promise<FuzzTarget> {
    const errors: string[] = [];
    const keep = (line: string) => {
      // Who was refused is told of, and nothing is wrong with that.
      if (!/^http: (others were )?refused$/.test(line)) errors.push(line);
    };
    const logger: Logger = {
      error: keep,
      warn: keep,
      info: () => undefined,
      debug: () => undefined,
    };
    const server = await startServer(logger);
    await server.put('/v1/kv/zz/canary?flags=18446744073709551615', 'sings');
    const Service = { ID: 'canary', Service: 'canary', Meta: { a: 'b' } };
    await server.put('/v1/catalog/register', { Node: 'canary', Address: '10.9.9.9', Service });
    await server.put('/v1/catalog/register', { Node: 'n1', Address: '10.0.0.1' });
    return new FuzzTarget(server, errors, await read(server));
  }

  /** Sends it, and fails on a crash, a hang or an error that is none on purpose. */
  async take(bytes: Buffer | string, isHead = false): Promise<number> {
    const shown = () => JSON.stringify(bytes.toString('latin1').slice(0, 3000));
    const answer = await this.#ask(bytes, isHead).catch((error: Error) => {
      assert.fail(`${error.message}: ${shown()}`);
    });
    assert(this.errors.length === 0, `${this.errors.join('; ')}: ${shown()}`);
    assert(answer.status > 0, `closed without an answer: ${shown()}`);
    assert(
      answer.status <= 500 && answer.body !== 'Internal error',
      `${answer.status}: ${shown()}`,
    );
    assert(answer.status !== 500 || answer.body !== '' || isHead, `500 without a word: ${shown()}`);
    this.statuses.set(answer.status, (this.statuses.get(answer.status) ?? 0) + 1);
    return answer.status;
  }

  /** A read that comes again may be answered on a shorter way, but not otherwise. */
  async takeNext(fuzzer: Fuzzer): Promise<void> {
    const { bytes, isHead, isRead } = fuzzer.next();
    const status = await this.take(bytes, isHead);
    if (isRead) assert.equal(await this.take(bytes), status, bytes.toString('latin1'));
  }

  async #ask(bytes: Buffer | string, isHead: boolean): Promise<FuzzAnswer> {
    const asking = this.#client.ask(bytes, isHead);
    if (!bytes.includes('wait=')) return await asking;
    let waiting = true;
    const done = () => {
      waiting = false;
    };
    asking.then(done, done);
    while (waiting) await this.server.clock.advance(WAIT_STEP_MS);
    return await asking;
  }

  /** What others wrote is untouched, and so is what every object in this process stands on. */
  async verify(): Promise<void> {
    assert.deepEqual(await read(this.server), this.#canaries);
    assert.equal(({} as Record<string, unknown>)['x'], undefined);
    assert.deepEqual(Object.keys(Object.prototype), []);
    const { state } = this.server.server;
    assert.equal(stateHash(restored(state)), stateHash(state), 'the state does not restore');
  }
}

async function read(server: TestServer): Promise<string[]> {
  const answers = await Promise.all(CANARIES.map((path) => server.get(path)));
  return answers.map(
    ({ status, text, headers }) => `${status} ${text} ${headers['x-consul-index']}`,
  );
}
