/**
 * A real Envoy and our own sidecar before one program, under the same intentions: what each lets in of requests that are
 * drawn, and which path the program sees then. Envoy may let in nothing that the sidecar keeps out, but what docs/xds.md
 * says: paths that programs decode again, or take parameters from. A header that is a list, Envoy cannot tell from several.
 *
 *   ENVOY=/path/to/envoy node --import tsx spec/system/envoy-judges.system.ts [REQUESTS, 100] [SEED, 1]
 */
import { spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MeshEnvoys, rawGet } from '../support/experiments/mesh-envoys.ts';
import { seededRandom } from '../support/fakes/seeded-random.ts';
import { freePorts } from '../support/servers/free-ports.ts';
import { until } from '../support/until.ts';
import { report, SHORT_MS } from './report.ts';

const [requests = '100', seed = '1'] = process.argv.slice(2);
const ENVOY = process.env['ENVOY'] ?? 'envoy';
const PATIENCE_MS = 120_000;
const MAX_SAID = 20;

interface Http {
  readonly PathExact?: string;
  readonly PathPrefix?: string;
  readonly PathRegex?: string;
  readonly Methods?: readonly string[];
  readonly Header?: readonly object[];
}

interface Permission {
  readonly Action: 'allow' | 'deny';
  readonly HTTP: Http;
}

const deny = (HTTP: Http): Permission => ({ Action: 'deny', HTTP });
const allow = (HTTP: Http): Permission => ({ Action: 'allow', HTTP });
const role = (how: object) => ({ Header: [{ Name: 'x-role', ...how }] });
const EVERYTHING = allow({ PathPrefix: '/' });
/** Else what no permission is about is let in, where there are no tokens. */
const NOTHING_ELSE = deny({ PathPrefix: '/' });
/** Each set of permissions by itself. */
const SETS: readonly (readonly Permission[])[] = [
  [deny({ PathPrefix: '/admin' }), EVERYTHING],
  [
    deny({ PathExact: '/a b' }),
    deny({ PathPrefix: '/ä' }),
    deny({ PathExact: '/x%2fy' }),
    EVERYTHING,
  ],
  [allow({ PathPrefix: '/public' }), allow({ PathExact: '/x/y' }), NOTHING_ELSE],
  [deny({ PathRegex: '/(x|admin)/.*', Methods: ['GET', 'DELETE'] }), EVERYTHING],
  [deny(role({ Exact: 'guest' })), deny(role({ Prefix: 'un' })), EVERYTHING],
  [allow({ ...role({ Exact: 'guest', Invert: true }), PathPrefix: '/' }), NOTHING_ELSE],
  [
    deny({ Methods: ['DELETE'] }),
    allow({ ...role({ Regex: 'a.*' }), PathPrefix: '/x' }),
    NOTHING_ELSE,
  ],
];
const PIECES = [
  ...[
    '/',
    '//',
    '/./',
    '/../',
    '/..',
    '/.',
    '%2f',
    '%2F',
    '%5c',
    '\\',
    '%2e',
    '%2E%2e',
    '%61',
    '%41',
  ],
  ...[
    'admin',
    'public',
    'x',
    'y',
    'a%20b',
    '%c3%a4',
    '%C3%A4',
    ';',
    ';p=1',
    '%3b',
    '%25',
    '%252f',
    '~',
    '!',
  ],
] as const;
const ROLES = ['guest', 'a', 'admin', 'unknown', 'guest, a', ''] as const;

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly roles: readonly string[];
}

/** What became of it: the path that the program saw, or the status that the proxy answered. */
type Outcome = string;

/**
 * Whether only programs that decode it again, or take parameters from it, read what may not be called: whoever decodes once
 * what he is sent reads nothing that is denied.
 */
function isReadAgain(
  permissions: readonly Permission[],
  { method, path: asked }: Asked,
  [seen, own]: readonly [Outcome, Outcome],
): boolean {
  // It could lead anywhere, as `..;` does, which some take for `..`.
  if (own === '400') return /[%;]/.test(asked);
  const [path = ''] = seen.split('?');
  if (!/[%;]/.test(path)) return false;
  const about = permissions.find(({ HTTP }) => isAbout(HTTP, method, once(path)));
  return permissions.some(({ HTTP }) => goesByPath(HTTP)) && about?.Action !== 'deny';
}

const goesByPath = ({ PathExact, PathPrefix = '/', PathRegex }: Http) =>
  PathExact !== undefined || PathRegex !== undefined || PathPrefix !== '/';

function isAbout(
  { PathExact, PathPrefix, PathRegex, Methods }: Http,
  method: string,
  read: string,
) {
  if (Methods !== undefined && !Methods.includes(method)) return false;
  if (PathExact !== undefined) return read === once(PathExact);
  if (PathPrefix !== undefined) return read.startsWith(once(PathPrefix));
  return PathRegex === undefined || new RegExp(`^(?:${PathRegex})$`, 's').test(read);
}

function once(path: string): string {
  return path.replace(/(?:%[0-9a-f]{2})+/gi, (codes) => {
    try {
      return decodeURIComponent(codes);
    } catch {
      return codes;
    }
  });
}

/** Of nothing but slashes Envoy leaves two. */
const plain = (outcome: Outcome) => outcome.replace(/^\/\/(?=\?|$)/, '/');

function draw(random: ReturnType<typeof seededRandom>): Asked {
  const one = <T>(all: readonly T[]) => all[Math.floor(random.next() * all.length)] as T;
  const some = <T>(all: readonly T[], most: number) =>
    Array.from({ length: Math.floor(random.next() * (most + 1)) }, () => one(all));
  const query = random.next() < 0.1 ? '?q=/admin' : '';
  return {
    method: one(['GET', 'GET', 'DELETE', 'POST']),
    path: `/${some(PIECES, 5).join('')}${query}`,
    roles: some(ROLES, 2),
  };
}

class Judges {
  readonly #envoys: MeshEnvoys;
  readonly #name: string;
  /** Of the Envoy, and of the sidecar. */
  readonly #ports: readonly [number, number];

  private constructor(envoys: MeshEnvoys, name: string, ports: readonly [number, number]) {
    this.#envoys = envoys;
    this.#name = name;
    this.#ports = ports;
  }

  static async start(envoys: MeshEnvoys): Promise<Judges> {
    const program = createServer(({ url }, response) => response.end(`saw ${url} end`));
    // It closes no connection just when a proxy uses it again.
    program.keepAliveTimeout = 600_000;
    await new Promise<void>((resolve) => program.listen(0, '127.0.0.1', resolve));
    const { port } = program.address() as AddressInfo;
    const [theirs = 0, own = 0] = await freePorts(2);
    await envoys.put('/v1/config', { Kind: 'service-defaults', Name: 'api', Protocol: 'http' });
    const api = { Name: 'api', Address: '127.0.0.1', Port: port };
    const Connect = { SidecarService: { Port: theirs } };
    await envoys.put('/v1/agent/service/register', { ...api, Connect });
    await envoys.put('/v1/agent/service/register', {
      ...{ Kind: 'connect-proxy', ID: 'api-own', Name: 'api-own', Port: own, Address: '127.0.0.1' },
      Proxy: { DestinationServiceName: 'api', LocalServicePort: port },
    });
    await envoys.run('-sidecar-for=api');
    envoys.runOwn('-proxy-id=api-own', '-protocol=http');
    return new Judges(envoys, await envoys.nameOf('api'), [theirs, own]);
  }

  async both(asked: Asked): Promise<readonly [Outcome, Outcome]> {
    const [theirs, own] = this.#ports;
    return [await this.#outcome(theirs, asked), await this.#outcome(own, asked)];
  }

  /** Until both go by them: one request is let in by no other set. */
  async intend(permissions: readonly Permission[], round: number): Promise<void> {
    const path = `/set-${round}`;
    const Permissions = [
      deny({ PathExact: `${path}/not` }),
      allow({ PathExact: path }),
      ...permissions,
    ];
    const Sources = [{ Name: 'web', Permissions }];
    await this.#envoys.put('/v1/config', { Kind: 'service-intentions', Name: 'api', Sources });
    const heeded = async () => {
      const yes = await this.both({ method: 'GET', path, roles: [] });
      const no = await this.both({ method: 'GET', path: `${path}/not`, roles: [] });
      return yes.every((each) => each === path) && no.every((each) => each === '403');
    };
    await until(heeded, () => `nobody heeds set ${round}`, PATIENCE_MS);
  }

  async #outcome(port: number, { method, path, roles }: Asked): Promise<Outcome> {
    const headers = roles.map((each) => `x-role: ${each}\r\n`).join('');
    const call = { port, as: 'web', name: this.#name };
    const said = await this.#envoys
      .call(call, rawGet(path, headers, method))
      .catch((error: Error) => error.message);
    const [, seen] = /saw (\S*) end/.exec(said) ?? [];
    const [, status = said] = /^HTTP\/1\.1 (\d+)/.exec(said) ?? [];
    return seen ?? status;
  }
}

const isIn = (outcome: Outcome) => outcome.startsWith('/');

/** In which the two may differ, and how. */
type Difference = 'none' | 'read again' | 'list' | 'bad';

function differenceOf(
  permissions: readonly Permission[],
  asked: Asked,
  [theirs, own]: readonly [Outcome, Outcome],
): Difference {
  if (isIn(theirs) ? plain(theirs) === own : !isIn(own)) return 'none';
  if (isIn(theirs) && !isIn(own) && isReadAgain(permissions, asked, [theirs, own]))
    return 'read again';
  return theirs === '403' && asked.roles.some((each) => each.includes(',')) ? 'list' : 'bad';
}

async function compare(judges: Judges, say: (line: string) => void): Promise<number> {
  const random = seededRandom(Number(seed));
  const counts = { none: 0, 'read again': 0, list: 0, bad: 0 };
  for (const [round, permissions] of SETS.entries()) {
    await judges.intend(permissions, round);
    for (let i = 0; i < Number(requests); i++) {
      const asked = draw(random);
      const both = await judges.both(asked);
      const difference = differenceOf(permissions, asked, both);
      counts[difference]++;
      if (!['bad', 'list'].includes(difference) || counts.bad > MAX_SAID) continue;
      const [theirs, own] = both;
      say(`FAILED: set ${round}, ${JSON.stringify(asked)}: Envoy ${theirs}, sidecar ${own}`);
    }
  }
  say(`${counts.none} judged alike, and seen alike byte for byte; ${counts.bad} otherwise`);
  say(`${counts['read again']} kept out by the sidecar alone: programs may read their paths again`);
  say(
    `${counts.list} kept out by Envoy alone, to which several values are a list, and a list is several`,
  );
  return counts.bad;
}

async function run(say: (line: string) => void): Promise<number> {
  if (spawnSync(ENVOY, ['--version']).status !== 0) {
    say('skipped: there is no Envoy (ENVOY=/path/to/envoy)');
    return 0;
  }
  const envoys = await MeshEnvoys.start(ENVOY);
  try {
    const bad = await compare(await Judges.start(envoys), say);
    for (const line of envoys.refused) say(line);
    return bad + envoys.refused.length;
  } finally {
    await envoys.stop();
  }
}

await report(run, SHORT_MS);
process.exit();
