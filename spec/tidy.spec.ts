/** What the linter cannot say, each rule with what to do instead. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { allRoutes, compatTable, TABLE_BEGINS } from '../docs/compat-table.ts';
import { dashboardText } from '../docs/dashboard.ts';
import { allMetrics, METRICS_BEGIN, metricsTable } from '../docs/metrics-table.ts';
import { exposedName } from '../lib/metrics/exposition.ts';
import { isOwn } from '../lib/metrics/metric.ts';

const TOP = fileURLToPath(new URL('..', import.meta.url));
const SKIPPED = new Set(['node_modules', 'dist', '.git']);

interface Source {
  readonly path: string;
  readonly text: string;
}

function walk(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (SKIPPED.has(entry.name)) return [];
    const path = join(folder, entry.name);
    return entry.isDirectory() ? walk(path) : [relative(TOP, path)];
  });
}

const PATHS = walk(TOP);
const SOURCES: readonly Source[] = PATHS.filter(
  (path) => /\.tsx?$/.test(path) && path !== 'spec/tidy.spec.ts',
).map((path) => ({ path, text: readFileSync(join(TOP, path), 'utf8') }));
const PRODUCT = SOURCES.filter(({ path }) =>
  /^(lib|server|agent|sidecar|client|xds|kubernetes|cli)\//.test(path),
);

/** The places, as an editor opens them, where the pattern stands. */
function places(sources: readonly Source[], pattern: RegExp): string[] {
  return sources.flatMap(({ path, text }) =>
    text
      .split('\n')
      .flatMap((line, i) => (pattern.test(line) ? [`${path}:${i + 1}: ${line.trim()}`] : [])),
  );
}

/** Files that this one names: what it imports, and what it starts as a process. */
function named({ path, text }: Source): string[] {
  const names = [...text.matchAll(/['"`]([./\w-]+\.tsx?)['"`]/g)].map(([, name = '']) => name);
  return names.flatMap((name) => [
    join(dirname(path), name),
    name,
    join('spec/support/servers', name),
  ]);
}

const IMPORT =
  /\bimport (?:type )?(?:\{([^}]*)\}|\* as \w+) from '(\.[^']+)'|import\('(\.[^']+)'\)/g;

/** As `file: name`, or `file: *` where all of it is taken. */
function importsOf({ path, text }: Source): string[] {
  return [...text.matchAll(IMPORT)].flatMap(([, names = '*', from = '', dynamic = from]) => {
    const file = join(dirname(path), dynamic);
    return names.split(',').map((each) => {
      const [name = ''] = each
        .trim()
        .replace(/^type /, '')
        .split(' as ');
      return `${file}: ${name}`;
    });
  });
}

/** Run by people, by mocha or by another command. */
const STARTED =
  /\.(spec|system)\.ts$|^bench\/|(^|\/)main\.tsx?$|^docs\/make-|\.d\.ts$|\/record-[\w-]+\.ts$/;

interface Touching {
  readonly what: string;
  readonly pattern: RegExp;
  readonly where: readonly string[];
}

/** Of these modules more than types, and than what only computes. */
function importing(...modules: string[]): RegExp {
  const harmless = String.raw`type \w+|isIPv?[46]?|SocketAddress|BlockList|STATUS_CODES|getCiphers|createSecureContext`;
  const names = String.raw`(?!type |\{\s*(?:(?:${harmless}),?\s*)+\})[^;]*?`;
  const found = `'node:(?:${modules.join('|')})'`;
  return new RegExp(`^import ${names} from ${found}|\\bimport\\(${found}\\)`, 'm');
}

/**
 * What a program reaches the outside by. All else takes a Clock, a Random, a FileSystem or an Upstream:
 * so it runs in a world of virtual time, from a seed. Whoever adds a place says why it cannot.
 */
const TOUCHING: readonly Touching[] = [
  {
    what: 'time',
    pattern: /\bDate\.now\(|\bnew Date\(\)|\bperformance\.now\(|hrtime/,
    where: ['lib/clock.ts'],
  },
  { what: 'Math.random', pattern: /\bMath\.random\b/, where: ['lib/random.ts'] },
  {
    what: 'timers',
    pattern: /(?<!\.)\bset(Timeout|Interval)\(|AbortSignal\.timeout|timers\/promises/,
    where: [
      'lib/clock.ts',
      // A connection's own end, whatever the time is for others.
      'agent/containers/runtimes/docker-connection.ts',
      'lib/http/listener.ts',
      'lib/tls/handshakes.ts',
      // A process that ends, and a command of one user.
      'cli/commands/agent.ts',
      'cli/lock-session.ts',
      'cli/process/life.ts',
      'cli/process/process-metrics.ts',
      'lib/systemd.ts',
      'cli/process/tls-role.ts',
    ],
  },
  {
    what: 'chance of the kernel',
    pattern: /\brandom(UUID|Bytes|Int)\b/,
    where: [
      'lib/random.ts',
      // Marks, keys and locks: nothing that is done depends on which.
      'agent/dns/recursors.ts',
      'cli/commands/keygen.ts',
      'lib/audit/event-text.ts',
      'lib/json.ts',
      'lib/seal/box.ts',
      'lib/seal/data-seal.ts',
      'lib/tls/issue.ts',
      'server/log/file/folder-lock.ts',
      'server/log/redis/records/check-in.ts',
      'server/log/redis/records/snapshot-store.ts',
      'server/log/redis/repair/repairer.ts',
    ],
  },
  {
    what: 'network',
    pattern: importing('net', 'http', 'https', 'http2', 'tls', 'dgram', 'dns', 'dns/promises'),
    where: [
      'agent/checks/kinds/grpc.ts',
      'agent/checks/kinds/h2ping.ts',
      'agent/checks/kinds/http.ts',
      'agent/checks/kinds/udp.ts',
      'agent/checks/probing/dial.ts',
      'agent/containers/runtimes/docker-connection.ts',
      'agent/dns/recursors.ts',
      'agent/dns/tcp.ts',
      'agent/dns/udp.ts',
      'agent/servers/introduction.ts',
      'agent/servers/reach.ts',
      'agent/servers/upstream.ts',
      'agent/servers/ways.ts',
      'cli/api-client.ts',
      'client/agent-api.ts',
      'cli/process/own-requests.ts',
      'cli/process/socket-pairs.ts',
      'kubernetes/api/api-server.ts',
      'lib/http/listener.ts',
      'lib/link-local.ts',
      'lib/metrics/statsd.ts',
      'lib/outgoing.ts',
      'lib/pages.ts',
      'lib/tls/handshakes.ts',
      'server/log/file/folder-lock.ts',
      'sidecar/dial.ts',
      'sidecar/mesh/mesh-dial.ts',
      'sidecar/mesh/public-listener.ts',
      'sidecar/http/callers.ts',
      'sidecar/last-in-line.ts',
      'sidecar/listener.ts',
      'xds/listener.ts',
    ],
  },
  {
    what: 'programs',
    pattern: importing('child_process'),
    where: ['agent/checks/kinds/script.ts', 'lib/child.ts', 'lib/syslog.ts'],
  },
];

describe('every source', () => {
  it('is imported by another, or is a command', () => {
    const used = new Set(SOURCES.flatMap(named));
    const config = readFileSync(join(TOP, '.mocharc.json'), 'utf8');
    const alone = SOURCES.filter(
      ({ path }) => !used.has(path) && !STARTED.test(path) && !config.includes(path),
    );
    assert.deepEqual(
      alone.map(({ path }) => path),
      [],
    );
  });

  it('says what it is about by its name: no utils, helpers, managers, common or index', () => {
    const vague =
      /^(utils?|helpers?|manager|common|misc|index|impl)\.tsx?$|-(utils?|helpers?|manager|impl)\.tsx?$/;
    assert.deepEqual(
      PATHS.filter((path) => vague.test(basename(path)) && !path.includes('.d.')),
      [],
    );
  });

  it('has no Impl, Manager, Helper or Utils, and no interface with an I before it', () => {
    const vague =
      /\b(class|interface|type|function) (\w*(Impl|Manager|Helpers?|Utils?)\b|I[A-Z][a-z]\w*)/;
    const meant = /interface (Index|In|Ip|Id|Is|Item|Into|Instance|Invocation|Image|Input|Info)/;
    assert.deepEqual(
      places(SOURCES, vague).filter((place) => !meant.test(place)),
      [],
    );
  });

  it('leaves nothing for later: an issue says what is to be done, a comment why it is so', () => {
    assert.deepEqual(places(SOURCES, /\b(TODO|FIXME|XXX|HACK)\b/), []);
  });

  it('names nothing of the machine that it was written on', () => {
    const machine = /\/(home|root|Users)\/\w/;
    assert.deepEqual(places(SOURCES, machine), []);
  });
});

describe('the product', () => {
  it('makes rows of others by withFields: see there what it costs to spread one first', () => {
    const rows = PRODUCT.filter(({ path }) => /^server\/(state|http\/archive)\//.test(path));
    const spread = rows.filter(({ text }) => /\{\s*\.\.\./.test(text));
    assert.deepEqual(
      spread.map(({ path }) => path),
      [],
    );
  });

  it('exports nothing that nobody imports: what is of one file stays there', () => {
    const imported = new Set(SOURCES.flatMap(importsOf));
    const alone = PRODUCT.flatMap(({ path, text }) => {
      const exported = text.matchAll(/^export (?:async )?(?:function\*?|const|class) (\w+)/gm);
      return [...exported]
        .map(([, name = '']) => `${path}: ${name}`)
        .filter((each) => !imported.has(each) && !imported.has(`${path}: *`));
    });
    assert.deepEqual(alone, []);
  });

  for (const { what, pattern, where } of TOUCHING) {
    it(`touches the real ${what} in the places that are listed, and nowhere else`, () => {
      const found = PRODUCT.filter(({ text }) => pattern.test(text)).map(({ path }) => path);
      assert.deepEqual(found.sort(), [...where].sort());
    });
  }

  it('listens to events in a kind of check by looking() alone, where a throw is a critical check', () => {
    const kinds = PRODUCT.filter(({ path }) => path.startsWith('agent/checks/kinds/'));
    assert.ok(kinds.length > 9);
    const raw =
      /(?<!\blook|#look)\.(on|once|addListener|addEventListener)\(|\bset(Timeout|Interval)\(/;
    assert.deepEqual(places(kinds, raw), []);
  });

  it('reads a stream from an explicit id, never from its end', () => {
    const log = PRODUCT.filter(({ path }) => path.startsWith('server/log/'));
    assert.deepEqual(places(log, /['"]\$['"]/), []);
  });
});

describe('the simulator', () => {
  it('touches the real time, timers and network in spec/sim/world/globals.ts alone', () => {
    const inside = SOURCES.filter(({ path }) =>
      /^spec\/sim\/(?!(defects\/)?main\.ts|world\/sockets\.ts)/.test(path),
    );
    const reach =
      /\b(Date\.now|performance\.now|Math\.random|set(Timeout|Interval))\(|node:(net|dgram|tls)'/;
    const found = places(inside, reach).map((place) => place.split(':')[0]);
    assert.deepEqual([...new Set(found)], ['spec/sim/world/globals.ts']);
  });
});

describe('the specs', () => {
  it('wait on a state by until, and never sleep', () => {
    const specs = SOURCES.filter(({ path }) =>
      /^spec\/(?!support\/).*\.(spec|contract)\.ts$/.test(path),
    );
    assert.deepEqual(places(specs, /\bsetTimeout\(|timers\/promises/), []);
  });

  it('of the page wait for what it tells by told, and go back by takeBack: else the words of another are taken for it', () => {
    const specs = SOURCES.filter(({ path }) => /^spec\/(web|pack)\/.*\.spec\.ts$/.test(path));
    const untold =
      /getByText\('(Taken back|[^']* (is|has) (\w+ed|written|made|ended|in maintenance)\.')|'Undo' ?\}?\)\.(?!count)/;
    assert.deepEqual(places(specs, untold), []);
  });
});

describe('the pages', function () {
  // Every module is loaded.
  this.timeout(60_000);

  const LENGTHS: readonly (readonly [string, number])[] = [
    ['README.md', 120],
    ['ARCHITECTURE.md', 180],
    ...PATHS.filter((path) => /^(server|agent|lib|cli)\/.*README\.md$/.test(path)).map(
      (path) => [path, 80] as const,
    ),
    ...PATHS.filter((path) => path.startsWith('docs/decisions/')).map(
      (path) => [path, 15] as const,
    ),
  ];
  for (const [path, most] of LENGTHS) {
    it(`can be read in one go: ${path} has ${most} lines at most`, () => {
      assert(readFileSync(join(TOP, path), 'utf8').split('\n').length - 1 <= most);
    });
  }

  it('name files that there are, where they say where something is, or is added', () => {
    // Decisions and the changelog tell what was; all others tell what is.
    const guides = PATHS.filter(
      (path) => path.endsWith('.md') && !/^docs\/decisions\/|^CHANGELOG/.test(path),
    );
    assert.ok(guides.length >= 15);
    const missing = guides.flatMap((guide) => {
      const text = readFileSync(join(TOP, guide), 'utf8');
      const files =
        text.match(
          /(?<![\w/])(?:agent|bench|bin|cli|deploy|docs|kubernetes|lib|server|sidecar|spec|web|xds)\/[\w./*-]*[\w*]/g,
        ) ?? [];
      return files
        .filter((path) => !/\*|NAME/.test(path) && !existsSync(join(TOP, path)))
        .filter((path) => !allRoutes().some((route) => route.path.startsWith(`/v1/${path}`)))
        .map((path) => `${guide}: ${path}`);
    });
    assert.deepEqual(missing, []);
  });

  it('list every metric: docs/monitoring/metrics.md is as `npm run metrics` writes it', () => {
    const text = readFileSync(join(TOP, 'docs/monitoring/metrics.md'), 'utf8');
    assert.equal(text.slice(text.indexOf(METRICS_BEGIN)), metricsTable());
  });

  for (const page of ['alerts.yml', 'grafana.json']) {
    it(`warn of nothing and draw nothing that is not measured: docs/monitoring/${page}`, () => {
      const text = readFileSync(join(TOP, 'docs/monitoring', page), 'utf8');
      const named = text.match(/\b(?:pro)?consul_\w+/g) ?? [];
      const shown = new Set(
        allMetrics().flatMap(([, metric]) => {
          const name = exposedName(metric.name, metric);
          return isOwn(metric.name) ? [name] : [`consul_${name}`];
        }),
      );
      const unknown = named.filter((name) => !shown.has(name.replace(/_(bucket|sum|count)$/, '')));
      assert.ok(named.length > 9);
      assert.deepEqual(unknown, []);
    });
  }

  it('say what to do for each alert, and look at nothing that is not measured', () => {
    const read = (page: string) => readFileSync(join(TOP, 'docs/monitoring', page), 'utf8');
    const alerts = read('alerts.yml').match(/(?<=alert: )\w+/g) ?? [];
    const runbook = read('runbook.md');
    assert.deepEqual(runbook.match(/(?<=^## )\w+/gm), alerts);
    const shown = read('metrics.md');
    const named = runbook.match(/\bproconsul_\w+/g) ?? [];
    assert.deepEqual(
      named.filter((name) => !shown.includes(`\`${name}`)),
      [],
    );
  });

  it('draw what docs/dashboard.ts says: docs/monitoring/grafana.json is as `npm run dashboard` writes it', () => {
    const text = readFileSync(join(TOP, 'docs/monitoring/grafana.json'), 'utf8');
    assert.equal(text, dashboardText());
  });

  it('list every route and command: docs/compat.md is as `npm run compat` writes it', async () => {
    const text = readFileSync(join(TOP, 'docs/compat.md'), 'utf8');
    assert.equal(text.slice(text.indexOf(TABLE_BEGINS)), await compatTable());
  });

  it('say of every route what it does', () => {
    assert.deepEqual(
      allRoutes().filter(({ does }) => does.trim() === ''),
      [],
    );
  });
});
