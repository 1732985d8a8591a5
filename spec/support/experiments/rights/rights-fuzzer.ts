/** Requests under all kinds of tokens, drawn from a seed: the same seed draws the same. */
import { allRoutes } from '../../../../docs/compat-table.ts';
import type { Route } from '../../../../lib/http/route.ts';
import type { Random } from '../../../../lib/random.ts';
import { seededRandom } from '../../fakes/seeded-random.ts';
import { BODIES, PARAMS, RESTS, replaced, VALUES, valuePaths, WRONG_VALUES } from '../fuzz.ts';
import type { Bearer, Bearers } from './bearers.ts';
import { aclBody, HOSTILE_FILTERS } from './hostile-acl.ts';

export interface Drawn {
  readonly bytes: Buffer;
  readonly isHead: boolean;
  readonly bearer: Bearer;
}

interface Asked {
  readonly method: string;
  readonly target: string;
  readonly bearer: Bearer;
  readonly body: string;
}

export interface FuzzerOptions {
  readonly seed: number;
  readonly bearers: Bearers;
  /** What there is to be asked for, planted or not. */
  readonly names: readonly string[];
  readonly jwts: readonly string[];
  readonly pem: string;
}

const VERBS = ['HEAD', 'OPTIONS', 'PATCH', 'TRACE', 'get', 'PROPFIND'];
const HEADERS = [
  'X-Proconsul-Node: planted',
  'X-Proconsul-Node-Id: 00000000-0000-4000-a000-000000000001',
  'X-Forwarded-For: 127.0.0.1',
  'X-Consul-Namespace: planted',
  'Cache-Control: max-age=1000',
  'Cache-Control: must-revalidate',
  'X-HTTP-Method-Override: GET',
  'Content-Type: application/x-www-form-urlencoded',
  'Expect: 100-continue',
  'Origin: http://127.0.0.1',
];
/** They go on for ever, for whoever may have them. */
const ENDLESS = /^\/v1\/agent\/monitor/;
const AGENT_BODIES: Readonly<Record<string, object>> = {
  '/v1/agent/service/register': {
    ID: 'planted',
    Name: 'planted',
    Tags: ['x'],
    Check: { TTL: '1h' },
  },
  '/v1/agent/check/register': { ID: 'c', Name: 'c', TTL: '1h', ServiceID: 'planted' },
  '/v1/agent/check/update/': { Status: 'critical', Output: 'x' },
  '/v1/agent/token/': { Token: 'x' },
  '/v1/agent/connect/authorize': { Target: 'planted', ClientCertURI: 'spiffe://x/ns/default' },
};
/** What is never wanted of whoever may do anything: that the experiment ends. */
const BOSS_WRITES = /^\/v1\/acl\/(?!bootstrap|logout|destroy)/;

export class RightsFuzzer {
  readonly #options: FuzzerOptions;
  readonly #random: Random;
  readonly #routes: readonly Route[] = allRoutes();
  readonly #bossRoutes = this.#routes.filter(({ path }) => BOSS_WRITES.test(path));

  constructor(options: FuzzerOptions) {
    this.#options = options;
    this.#random = seededRandom(options.seed);
  }

  next(): Drawn {
    const at = this.#chance();
    if (at < 0.25) return this.#bytes(this.#byBoss());
    if (at < 0.35) return this.#bytes(this.#login());
    return this.#bytes(this.#byAnybody());
  }

  readonly #chance = () => this.#random.next();
  readonly #pick = <T>(list: readonly T[]): T =>
    list[Math.floor(this.#chance() * list.length)] as T;

  /** Well-meant but for what is in the body. */
  #byBoss(): Asked {
    const { method, path } = this.#pick(this.#bossRoutes);
    const rest = path.endsWith('/') ? this.#pick(['fuzz-0', 'fuzz-1', ...RESTS]) : '';
    const target = encodeURI(decodable(path + rest)) + this.#params(['filter', 'pretty', 'index']);
    return { method, target, bearer: this.#options.bearers.boss, body: this.#body(method, path) };
  }

  #login(): Asked {
    const { bearers, jwts } = this.#options;
    const bearer = bearers.draw(this.#chance);
    const body = JSON.stringify({ AuthMethod: 'planted', BearerToken: this.#pick(jwts) });
    const path = this.#pick(['/v1/acl/login', '/v1/acl/login', '/v1/acl/logout']);
    return { method: 'POST', target: path, bearer, body: this.#spoilt(body) };
  }

  #byAnybody(): Asked {
    const bearer = this.#options.bearers.draw(this.#chance);
    const route = this.#pick(this.#routes);
    const sees = ['reader', 'laden', 'passing'].includes(bearer.kind);
    const path = sees && ENDLESS.test(route.path) ? '/v1/agent/self' : route.path;
    const isOdd = this.#chance() < 0.1;
    let method: string = isOdd ? this.#pick([...VERBS, 'GET', 'PUT', 'DELETE']) : route.method;
    const rest =
      path.endsWith('/') || this.#chance() < 0.05
        ? this.#pick(this.#chance() < 0.6 ? this.#options.names : RESTS)
        : '';
    // This is how one says that everything is to go, also what is needed here.
    if (method === 'DELETE' && /^\/v1\/kv\/?$/.test(path + rest)) method = 'GET';
    const target = path + rest + this.#params(PARAMS);
    return { method, target, bearer, body: this.#body(method, path) };
  }

  #params(names: readonly string[]): string {
    const params = Array.from({ length: Math.floor(this.#chance() * 3) }, () => {
      const name = this.#pick(names);
      if (name === 'filter')
        return `filter=${encodeURIComponent(decodable(this.#pick(HOSTILE_FILTERS)))}`;
      if (name === 'index' || name === 'wait') return 'index=1&wait=1ms';
      if (this.#chance() < 0.3) return name;
      return `${name}=${encodeURIComponent(this.#pick([...VALUES, 'planted']))}`;
    });
    return params.length === 0 ? '' : `?${params.join('&')}`;
  }

  #body(method: string, path: string): string {
    if (method === 'GET' || method === 'HEAD') return '';
    const { pem } = this.#options;
    const drawing = { pick: this.#pick, chance: this.#chance };
    const body = path.includes('/acl/')
      ? aclBody(path, drawing, pem)
      : (BODIES[path] ?? AGENT_BODIES[path] ?? { Node: 'planted' });
    if (typeof body === 'string') return body;
    if (this.#chance() < 0.5) return JSON.stringify(body);
    const all = [...valuePaths(body)];
    return this.#spoilt(replaced(body, this.#pick(all), this.#pick(WRONG_VALUES)) ?? '');
  }

  #spoilt(body: string): string {
    const chance = this.#chance();
    if (chance < 0.05) return body.slice(0, Math.floor(this.#chance() * body.length));
    if (chance > 0.995) return '['.repeat(10_000) + ']'.repeat(10_000);
    return body;
  }

  #bytes({ method, target, bearer, body }: Asked): Drawn {
    const lines = ['Host: 127.0.0.1'];
    if (this.#chance() < 0.2) lines.push(this.#pick(HEADERS));
    const { token } = bearer;
    let asked = target;
    if (token !== undefined) {
      const way = bearer.kind === 'boss' ? 0 : this.#chance();
      if (way < 0.7) lines.push(`X-Consul-Token: ${token}`);
      else if (way < 0.85) lines.push(`Authorization: Bearer ${token}`);
      else asked += `${target.includes('?') ? '&' : '?'}token=${encodeURIComponent(token)}`;
    }
    const data = Buffer.from(body);
    lines.push(`Content-Length: ${data.length}`);
    const head = `${method} ${asked} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`;
    const bytes = Buffer.concat([Buffer.from(head, 'latin1'), data]);
    return { bytes, isHead: method === 'HEAD', bearer };
  }
}

/** Without halves of characters, which no URL can hold. */
function decodable(text: string): string {
  return Buffer.from(text).toString();
}
