/**
 * Short conversations of real client libraries, unchanged, with a running Proconsul. Each library is
 * installed from its registry into a folder that goes again; one whose language is not there is skipped by
 * its name. Those of access control call all that their library has for it.
 *
 *   node --import tsx spec/system/clients/clients.system.ts [go|go-acl|npm|npm-acl|py-acl|java-acl …]
 */
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync, sign } from 'node:crypto';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { killProconsuls, startProconsul } from '../../support/servers/proconsul.ts';

const INSTALL_MS = 300_000;
const TALK_MS = 60_000;

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
}

const BOSS = '11111111-1111-4111-8111-111111111111';
const UNDER_TOKENS = ['-hcl', 'acl { enabled = true default_policy = "deny" }'];
const WITH_BOSS = [...UNDER_TOKENS, '-hcl', `acl { tokens { initial_management = "${BOSS}" } }`];

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

const go = (conversation: readonly string[], flags: readonly string[] = []): Library => ({
  conversation,
  needs: 'go',
  flags,
  install: [
    ['go', 'mod', 'init', 'conversation'],
    // 1.35 wants a newer Go than Debian and most images have.
    ['go', 'get', 'github.com/hashicorp/consul/api@v1.34.5'],
    ['go', 'mod', 'tidy'],
    ['go', 'build', '-o', 'conversation', '.'],
  ],
  talk: () => ['./conversation'],
});

const npm = (conversation: string, flags: readonly string[] = []): Library => ({
  conversation: [conversation],
  needs: 'npm',
  flags,
  install: [['npm', 'install', '--no-audit', '--no-fund', '--silent', 'consul@2']],
  talk: (address) => ['node', conversation, address],
});

const LIBRARIES: Readonly<Record<string, Library>> = {
  go: go(['conversation.go']),
  'go-acl': go(['acl.go', 'acl-methods.go'], UNDER_TOKENS),
  npm: npm('conversation.mjs'),
  'npm-acl': npm('acl.mjs', UNDER_TOKENS),
  'python-consul': python('python-consul'),
  'py-consul': python('py-consul'),
  'py-acl': python('py-consul', 'acl.py', UNDER_TOKENS),
  'java-acl': {
    conversation: ['Acl.java', 'pom.xml'],
    needs: 'mvn',
    flags: WITH_BOSS,
    install: [['mvn', '-q', '-B', 'dependency:copy-dependencies', '-DoutputDirectory=lib']],
    talk: () => ['java', '-cp', 'lib/*', 'Acl.java'],
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

const asked = process.argv.slice(2);
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

function talk({ conversation, install, talk: command }: Library, address: string): boolean {
  const run = (step: Command, cwd: string, ms: number) => runAt(address, step, cwd, ms);
  const folder = mkdtempSync(join(tmpdir(), 'client-'));
  try {
    for (const file of conversation) {
      copyFileSync(fileURLToPath(new URL(file, import.meta.url)), join(folder, file));
    }
    for (const step of install) {
      const failure = run(step, folder, INSTALL_MS);
      if (failure !== undefined) {
        say(`not installed: ${step.join(' ')}\n${failure}`);
        return false;
      }
    }
    const failure = run(command(address), folder, TALK_MS);
    if (failure !== undefined) say(failure);
    return failure === undefined;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What it said when it failed; what it says otherwise is shown. */
function runAt(
  address: string,
  [command, ...args]: Command,
  cwd: string,
  timeout: number,
): string | undefined {
  const options = { cwd, timeout, encoding: 'utf8' } as const;
  // The caller's whole environment but for where Consul is: registries may be set up there.
  const { status, stdout, stderr, error } = spawnSync(
    'env',
    [`CONSUL_HTTP_ADDR=${address}`, `BOSS=${BOSS}`, ...KNOWN, command, ...args],
    options,
  );
  if (status !== 0) return `${stdout}${stderr}${error?.message ?? ''}`.trimEnd();
  if (stdout !== '') say(stdout.trimEnd());
  return undefined;
}
