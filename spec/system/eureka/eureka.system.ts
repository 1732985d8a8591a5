/**
 * Real clients of Eureka, unchanged, on two servers over a Redis with Sentinels: Spring's, npm's
 * eureka-js-client and PyPI's py-eureka-client find each other and a service of Consul's. A server is killed and
 * comes back, then Redis fails over: nobody vanishes from any server or client, and none fetches everything anew
 * where it can fetch what changed. Spring's is left out where there is no Maven.
 *
 *   node --import tsx spec/system/eureka/eureka.system.ts [SECONDS_OF_EACH_PHASE, 30]
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, request as httpRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePorts } from '../../support/servers/free-ports.ts';
import { type Proconsul, startProconsul } from '../../support/servers/proconsul.ts';
import { startSentinels } from '../../support/servers/redis.ts';
import { send } from '../../support/servers/start-server.ts';
import { until } from '../../support/until.ts';
import { report } from '../report.ts';

const INSTALL_MS = 400_000;
const TURN_UP_MS = 90_000;
const SOURCES = fileURLToPath(new URL('.', import.meta.url));
const [seconds = 30] = process.argv.slice(2).map(Number);

type Command = readonly [string, ...string[]];
type Sees = Readonly<Record<string, number>>;

interface ClientKind {
  readonly app: string;
  readonly needs: string;
  readonly install: readonly Command[];
  readonly run: (urls: readonly string[]) => Command;
  /** eureka-js-client never asks for what changed; the Python one counts a new application twice. */
  readonly maxFull: number;
}

const spring = (name: string, value: string) => `--eureka.${name}=${value}`;

const KINDS: readonly ClientKind[] = [
  {
    app: 'JSAPP',
    needs: 'npm',
    install: [['npm', 'install', '--no-audit', '--no-fund', 'eureka-js-client@4.5.0']],
    run: (urls) => [process.execPath, 'client.mjs', ...urls],
    maxFull: Number.POSITIVE_INFINITY,
  },
  {
    app: 'PY-APP',
    needs: 'python3',
    install: [
      ['python3', '-m', 'venv', 'venv'],
      ['venv/bin/pip', 'install', '-q', 'py-eureka-client==0.13.3'],
    ],
    run: (urls) => ['venv/bin/python', 'client.py', ...urls],
    maxFull: 5,
  },
  {
    app: 'FRONT',
    needs: 'mvn',
    install: [['mvn', '-q', '-f', 'spring/pom.xml', 'package']],
    run: (urls) => [
      ...(['java', '-Xmx200m', '-jar', 'spring/target/eureka-client.jar'] as const),
      ...['--spring.application.name=front', '--server.port=0', '--logging.level.root=warn'],
      spring('instance.instance-id', 'front-1'),
      spring('instance.lease-renewal-interval-in-seconds', '2'),
      spring('instance.lease-expiration-duration-in-seconds', '30'),
      spring('client.registry-fetch-interval-seconds', '1'),
      spring('client.service-url.defaultZone', urls.map((url) => `${url}/eureka/`).join()),
    ],
    maxFull: 1,
  },
];

/** Passes on what one client asks of one server, and counts. */
class Counter {
  full = 0;
  changes = 0;
  readonly #server: Server;

  constructor(target: number) {
    this.#server = createServer((message, response) => {
      if (message.method === 'GET' && message.url?.endsWith('/apps/')) this.full++;
      if (message.method === 'GET' && message.url?.endsWith('/apps/delta')) this.changes++;
      const { method, url, headers } = message;
      const to = { host: '127.0.0.1', port: target, method, path: url, headers };
      const passed = httpRequest(to, (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      });
      passed.on('error', () => response.destroy());
      message.pipe(passed);
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

class Client {
  readonly kind: ClientKind;
  readonly counters: readonly Counter[];
  sees: Sees = {};
  output = '';
  #process: ChildProcess | undefined;

  constructor(kind: ClientKind, targets: readonly number[]) {
    this.kind = kind;
    this.counters = targets.map((target) => new Counter(target));
  }

  async start(folder: string): Promise<void> {
    const urls = await Promise.all(this.counters.map((each) => each.listen()));
    const [command, ...args] = this.kind.run(urls);
    this.#process = spawn(command, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process.stdout?.on('data', (part: Buffer) => this.#heard(part.toString()));
    this.#process.stderr?.on('data', (part: Buffer) => this.#heard(part.toString()));
  }

  get full(): number {
    return this.counters.reduce((sum, { full }) => sum + full, 0);
  }

  get changes(): number {
    return this.counters.reduce((sum, { changes }) => sum + changes, 0);
  }

  stop(): void {
    this.#process?.kill('SIGKILL');
    for (const each of this.counters) each.stop();
  }

  #heard(text: string): void {
    this.output = (this.output + text).slice(-4000);
    const [line] = this.output.match(/^\{.*\}$/gm)?.slice(-1) ?? [];
    if (line !== undefined) this.sees = JSON.parse(line) as Sees;
  }
}

function installed(say: (line: string) => void, folder: string): readonly ClientKind[] {
  cpSync(SOURCES, folder, { recursive: true });
  return KINDS.filter(({ app, needs, install }) => {
    if (spawnSync('which', [needs]).status !== 0) {
      say(`${app} is left out: there is no ${needs}`);
      return false;
    }
    for (const [command, ...args] of install) {
      const { status, stderr } = spawnSync(command, args, { cwd: folder, timeout: INSTALL_MS });
      if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`);
    }
    return true;
  });
}

/** Which of the applications a server shows as UP; undefined where it does not answer. */
async function shownBy(port: number): Promise<readonly string[] | undefined> {
  const sent = { headers: { Accept: 'application/json' }, signal: AbortSignal.timeout(2000) };
  const answer = await send(port, 'GET', '/eureka/apps', sent).catch(() => undefined);
  if (answer?.status !== 200) return undefined;
  const { applications } = answer.json as {
    applications: { application: { name: string; instance: { status: string }[] }[] };
  };
  return applications.application
    .filter(({ instance }) => instance.every(({ status }) => status === 'UP'))
    .map(({ name }) => name);
}

await report(async (say) => {
  const folder = mkdtempSync(join(tmpdir(), 'proconsul-eureka-'));
  const redis = await startSentinels();
  const ports = await freePorts(2);
  const servers = new Map<number, Proconsul>();
  const http = await freePorts(2);
  const start = async (n: number) => {
    const flags = ['-server', '-bootstrap-expect=2', `-redis=${redis.url}`, `-node=s${n}`];
    const hcl = `ports { eureka = ${ports[n]} }`;
    const data = `-data-dir=${join(folder, `data-${n}`)}`;
    servers.set(n, await startProconsul([...flags, data, '-eureka', '-hcl', hcl], http[n]));
  };
  const clients: Client[] = [];
  let failed = 0;
  try {
    const kinds = installed(say, folder);
    await Promise.all([start(0), start(1)]);
    const billing = { Node: 'far', Address: '10.1.1.1', Service: { Service: 'billing', Port: 70 } };
    await send(http[0] ?? 0, 'PUT', '/v1/catalog/register', { body: billing });
    for (const kind of kinds) clients.push(new Client(kind, ports));
    for (const client of clients) await client.start(folder);
    const apps = ['BILLING', ...kinds.map(({ app }) => app)];
    const missing = (seen: readonly string[]) => apps.filter((app) => !seen.includes(app));
    const blind = () => clients.filter(({ sees }) => missing(Object.keys(sees)).length > 0);
    const told = () => blind().map(({ kind, sees, output }) => [kind.app, sees, output]);
    await until(
      () => blind().length === 0,
      () => JSON.stringify(told()),
      TURN_UP_MS,
    );
    say(`all see ${apps.join(', ')}`);
    const begun = clients.map(({ full }) => full);
    /** Answers how many servers could be asked. */
    const look = async (lost: Set<string>) => {
      const seen = await Promise.all(ports.map(shownBy));
      for (const [n, there] of seen.entries()) {
        for (const app of there ? missing(there) : []) lost.add(`${app} at server ${n}`);
      }
      for (const { kind } of blind()) lost.add(`something to ${kind.app}`);
      return seen.filter((there) => there !== undefined).length;
    };
    const watch = async (what: string) => {
      const lost = new Set<string>();
      const end = performance.now() + seconds * 1000;
      let looks = 0;
      while (performance.now() < end) {
        looks += await look(lost);
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      if (lost.size > 0) failed++;
      say(`${what}: ${looks} looks, ${lost.size === 0 ? 'nobody vanished' : [...lost].join(', ')}`);
    };
    await watch('all is well');
    await servers.get(0)?.kill();
    await watch('a server was killed');
    await start(0);
    await watch('it is back');
    await redis.failover();
    await watch('Redis has failed over');
    await (await redis.master()).kill();
    await watch("Redis's master was killed");
    for (const [n, { kind, full, changes }] of clients.entries()) {
      const anew = full - (begun[n] ?? 0);
      const tooMany = anew >= kind.maxFull;
      if (tooMany) failed++;
      say(`${kind.app}: everything ${anew} times more, what changed ${changes} times`);
    }
  } finally {
    for (const client of clients) client.stop();
    await Promise.all([...servers.values()].map((each) => each.kill()));
    rmSync(folder, { recursive: true, force: true });
  }
  return failed;
});
