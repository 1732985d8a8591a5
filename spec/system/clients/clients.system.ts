/**
 * Short conversations of real client libraries, unchanged, with a running Proconsul. Each library is
 * installed from its registry into a folder that goes again; Go and Python must be there.
 *
 *   node --import tsx spec/system/clients/clients.system.ts [go|go-acl|npm|python-consul|py-consul …]
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { killProconsuls, startProconsul } from '../../support/servers/proconsul.ts';

const INSTALL_MS = 300_000;
const TALK_MS = 60_000;

type Command = readonly [string, ...string[]];

interface Library {
  readonly conversation: string;
  /** What the server is started with beside -dev. */
  readonly flags?: readonly string[];
  readonly install: readonly Command[];
  readonly talk: (address: string) => Command;
}

const python = (name: string): Library => ({
  conversation: 'conversation.py',
  install: [
    ['python3', '-m', 'venv', 'venv'],
    ['venv/bin/pip', 'install', '--quiet', name],
  ],
  talk: () => ['venv/bin/python', 'conversation.py'],
});

const go = (conversation: string, flags: readonly string[] = []): Library => ({
  conversation,
  flags,
  install: [
    ['go', 'mod', 'init', 'conversation'],
    // 1.35 wants a newer Go than Debian and most images have.
    ['go', 'get', 'github.com/hashicorp/consul/api@v1.34.3'],
    ['go', 'mod', 'tidy'],
    ['go', 'build', '-o', 'conversation', '.'],
  ],
  talk: () => ['./conversation'],
});

const LIBRARIES: Readonly<Record<string, Library>> = {
  go: go('conversation.go'),
  'go-acl': go('acl.go', ['-hcl', 'acl { enabled = true default_policy = "deny" }']),
  npm: {
    conversation: 'conversation.mjs',
    install: [['npm', 'install', '--no-audit', '--no-fund', '--silent', 'consul@2']],
    talk: (address) => ['node', 'conversation.mjs', address],
  },
  'python-consul': python('python-consul'),
  'py-consul': python('py-consul'),
};

const say = (line: string) => void process.stdout.write(`${line}\n`);

const asked = process.argv.slice(2);
for (const [name, library] of Object.entries(LIBRARIES)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  say(`== ${name}`);
  const server = await startProconsul(['-dev', ...(library.flags ?? [])]);
  if (!talk(library, `127.0.0.1:${server.port}`)) process.exitCode = 1;
  await killProconsuls();
}

function talk({ conversation, install, talk: command }: Library, address: string): boolean {
  const run = (step: Command, cwd: string, ms: number) => runAt(address, step, cwd, ms);
  const folder = mkdtempSync(join(tmpdir(), 'client-'));
  try {
    const source = fileURLToPath(new URL(conversation, import.meta.url));
    copyFileSync(source, join(folder, conversation));
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
    [`CONSUL_HTTP_ADDR=${address}`, command, ...args],
    options,
  );
  if (status !== 0) return `${stdout}${stderr}${error?.message ?? ''}`.trimEnd();
  if (stdout !== '') say(stdout.trimEnd());
  return undefined;
}
