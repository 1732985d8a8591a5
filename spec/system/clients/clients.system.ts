/**
 * Short conversations of real client libraries, unchanged, with a running Proconsul. Each library is
 * installed from its registry into a folder that goes again; one whose language is not there is skipped by
 * its name. Those of access control call all that their library has for it. Those called every-… call every
 * method that there is, and find none that fails beside those that docs/clients.md names; with --write they
 * make that page's tables. With --ci a library that no registry gives is skipped too.
 *
 *   node --import tsx spec/system/clients/clients.system.ts [--write|--ci] [go|go-acl|npm|every-go|every-npm …]
 */
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { killProconsuls, startProconsul } from '../../support/servers/proconsul.ts';
import { type Called, type EveryMethod, FaultsPage } from './faults-page.ts';

const INSTALL_MS = 300_000;
const TALK_MS = 120_000;

type Command = readonly [string, ...string[]];

interface Library {
  /** The files that it is in; the first one is run. */
  readonly conversation: readonly string[];
  /** What must be there for it. */
  readonly needs: string;
  /** What the server is started with beside -dev. */
  readonly flags?: readonly string[];
  readonly install: readonly Command[];
  readonly talk: (address: string) => Command;
  /** It says in lines of JSON what came of every method. */
  readonly every?: EveryMethod;
}

const BOSS = '11111111-1111-4111-8111-111111111111';
const UNDER_TOKENS = ['-hcl', 'acl { enabled = true default_policy = "deny" }'];
const WITH_BOSS = [...UNDER_TOKENS, '-hcl', `acl { tokens { initial_management = "${BOSS}" } }`];

/** Some libraries forget the token for some of what they ask. */
const EVERYTHING_ON = [
  '-hcl',
  'acl { enabled = true default_policy = "allow" }',
  '-hcl',
  'enable_debug = true',
  '-encrypt',
  randomBytes(32).toString('base64'),
];

const python = (
  name: string,
  conversation = 'conversation.py',
  flags: readonly string[] = [],
): Library => ({
  conversation: [conversation],
  needs: 'python3',
  flags,
  install: [
    ['python3', '-m', 'venv', 'venv'],
    ['venv/bin/pip', 'install', '--quiet', name],
  ],
  talk: () => ['venv/bin/python', conversation],
});

/** 1.35 wants a newer Go than Debian and most images have. */
const GO_API = 'v1.34.5';

const go = (conversation: readonly string[], flags: readonly string[] = []): Library => ({
  conversation,
  needs: 'go',
  flags,
  install: [
    ['go', 'mod', 'init', 'conversation'],
    ['go', 'get', `github.com/hashicorp/consul/api@${GO_API}`],
    ['go', 'mod', 'tidy'],
    ['go', 'build', '-o', 'conversation', '.'],
  ],
  talk: () => ['./conversation'],
});

const NPM_CONSUL = '2.0.1';

const npm = (conversation: string, flags: readonly string[] = []): Library => ({
  conversation: [conversation],
  needs: 'npm',
  flags,
  install: [['npm', 'install', '--no-audit', '--no-fund', '--silent', `consul@${NPM_CONSUL}`]],
  talk: (address) => ['node', conversation, address],
});

/** As pom.xml has it. */
const JAVA_API = '1.4.5';

const java = (conversation: string, flags: readonly string[]): Library => ({
  conversation: [conversation, 'pom.xml'],
  needs: 'mvn',
  flags,
  install: [['mvn', '-q', '-B', 'dependency:copy-dependencies', '-DoutputDirectory=lib']],
  talk: () => ['java', '-cp', 'lib/*', conversation],
});

const LIBRARIES: Readonly<Record<string, Library>> = {
  go: go(['conversation.go']),
  'go-acl': go(['acl.go', 'acl-methods.go'], UNDER_TOKENS),
  'every-go': {
    ...go(['every.go', 'every-more.go'], EVERYTHING_ON),
    every: { name: 'Go: github.com/hashicorp/consul/api', version: GO_API },
  },
  npm: npm('conversation.mjs'),
  'npm-acl': npm('acl.mjs', UNDER_TOKENS),
  'every-npm': {
    ...npm('every.mjs', EVERYTHING_ON),
    every: { name: 'Node: consul', version: NPM_CONSUL },
  },
  'every-python': {
    ...python('py-consul==1.8.0', 'every.py', EVERYTHING_ON),
    every: { name: 'Python: py-consul', version: '1.8.0' },
  },
  'python-consul': python('python-consul'),
  'py-consul': python('py-consul'),
  'py-acl': python('py-consul', 'acl.py', UNDER_TOKENS),
  'java-acl': java('Acl.java', WITH_BOSS),
  'every-java': {
    ...java('Every.java', [
      ...EVERYTHING_ON,
      '-hcl',
      `acl { tokens { initial_management = "${BOSS}" } }`,
    ]),
    every: { name: 'Java: com.ecwid.consul:consul-api', version: JAVA_API },
  },
};

/** A token of somebody whom an auth method may know by this key. */
function someoneKnown() {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = Math.floor(Date.now() / 1000);
  const input = `${part({ alg: 'ES256' })}.${part({ team: 'ops', iat: now, exp: now + 3600 })}`;
  const key = { key: privateKey, dsaEncoding: 'ieee-p1363' } as const;
  const signature = sign('sha256', Buffer.from(input), key).toString('base64url');
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  return [`JWT=${input}.${signature}`, `JWT_KEY=${pem}`];
}

const KNOWN = someoneKnown();
const say = (line: string) => void process.stdout.write(`${line}\n`);

const page = new FaultsPage(fileURLToPath(new URL('../../../docs/clients.md', import.meta.url)));
const isWriting = process.argv.includes('--write');
const mayLack = process.argv.includes('--ci');
const asked = process.argv.slice(2).filter((word) => !word.startsWith('--'));
for (const [name, library] of Object.entries(LIBRARIES)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  if (spawnSync('which', [library.needs]).status !== 0) {
    say(`== ${name}: skipped, for there is no ${library.needs} here`);
    continue;
  }
  say(`== ${name}`);
  const server = await startProconsul(['-dev', ...(library.flags ?? [])]);
  if (!talk(library, `127.0.0.1:${server.port}`)) process.exitCode = 1;
  await killProconsuls();
}
if (isWriting) page.write();

function talk(library: Library, address: string): boolean {
  const { conversation, install, talk: command, every } = library;
  const folder = mkdtempSync(join(tmpdir(), 'client-'));
  try {
    for (const file of conversation) {
      copyFileSync(fileURLToPath(new URL(file, import.meta.url)), join(folder, file));
    }
    for (const step of install) {
      const { fault, said } = runAt(address, step, folder, INSTALL_MS);
      if (fault) {
        say(`${mayLack ? 'skipped' : 'failed'}, for this did not run: ${step.join(' ')}\n${said}`);
        return mayLack;
      }
    }
    const { fault, said } = runAt(address, command(address), folder, TALK_MS);
    if (fault || every === undefined) {
      if (said !== '') say(said);
      return !fault;
    }
    return compare(every, said);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Whether the methods that failed are those that the page names. */
function compare(every: EveryMethod, said: string): boolean {
  const called = said.split('\n').map((line) => JSON.parse(line) as Called);
  say(`${called.length} methods, ${called.filter(({ fault }) => fault !== '').length} failed`);
  if (isWriting) {
    page.set(every, called);
    return true;
  }
  const differences = page.differences(every, called);
  for (const line of differences) say(line);
  return differences.length === 0;
}

function runAt(address: string, [command, ...args]: Command, cwd: string, timeout: number) {
  const options = { cwd, timeout, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 } as const;
  // The caller's whole environment but for where Consul is: registries may be set up there.
  const { status, stdout, stderr, error } = spawnSync(
    'env',
    [`CONSUL_HTTP_ADDR=${address}`, `BOSS=${BOSS}`, ...KNOWN, command, ...args],
    options,
  );
  const fault = status !== 0;
  const all = fault ? `${stdout}${stderr}${error?.message ?? ''}` : stdout;
  return { fault, said: all.trimEnd() };
}
