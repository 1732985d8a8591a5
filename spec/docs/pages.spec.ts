import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { HTTP_FLAGS } from '../../cli/api-options.ts';
import { COMMANDS, type CommandEntry, type CommandGroup } from '../../cli/command-tree.ts';
import { configHost } from '../../cli/process/config-host.ts';
import { AGENT_FLAGS } from '../../lib/config/agent-flags.ts';
import { loadConfig } from '../../lib/config/load.ts';
import { freePorts } from '../support/servers/free-ports.ts';
import { startWholeAgent } from '../support/servers/whole-agent.ts';
import { type Block, commandsOf, pages } from './pages.ts';

const PAGES = pages();
const BLOCKS = PAGES.flatMap(({ blocks }) => blocks);
const LANGUAGES = ['sh', 'text', 'hcl', 'json', 'yaml', 'js'];
const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));

/** Programs that a page calls and that are not here, as they answer. */
const STRANGERS = {
  etcdctl: `cat <<'END'
{"header":{"revision":7},"kvs":[{"key":"L2NvbmZpZy9saW1pdA==","create_revision":2,"mod_revision":2,"version":1,
"value":"MTAw"},{"key":"c2VydmljZXMvd2ViLzE=","create_revision":3,"mod_revision":3,"version":1}],"count":2}
END`,
  // One that is refused is no example.
  curl: `PATH=/usr/local/bin:/usr/bin:/bin exec curl --fail-with-body --silent --show-error "$@"`,
};

function trimmed(line: string): string {
  return line.trim();
}

function titled({ page, line }: Block): string {
  return `${page}:${line}`;
}

/** In a folder of its own, beside an agent of its own, whose ports stand in place of the usual ones. */
async function run({ text }: Block): Promise<string> {
  const [dns = 0] = await freePorts(1);
  const agent = await startWholeAgent([`-dns-port=${dns}`]);
  const folder = mkdtempSync(join(tmpdir(), 'page-'));
  try {
    mkdirSync(join(folder, 'bin'));
    symlinkSync(resolve('bin/proconsul'), join(folder, 'bin/proconsul'));
    for (const [name, script] of Object.entries(STRANGERS)) {
      writeFileSync(join(folder, 'bin', name), `#!/bin/sh\n${script}\n`);
      chmodSync(join(folder, 'bin', name), 0o755);
    }
    const ports = new Map(
      [...agent.ports, [dns, 8600]].map(([own, usual]) => [`${usual}`, `${own}`]),
    );
    const said = text
      .replaceAll(/\b8[56]00\b/g, (port) => ports.get(port) ?? port)
      .replaceAll('wait=1m', 'wait=10ms');
    const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', said], {
      cwd: folder,
      env: {
        PATH: `${folder}/bin:${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`,
        HOME: folder,
        CONSUL_HTTP_ADDR: `127.0.0.1:${agent.port}`,
      },
    });
    return stdout;
  } finally {
    await agent.stop();
    rmSync(folder, { recursive: true });
  }
}

/** The flags of a command, and the first word that names none of those there are. */
async function flagsOf(
  words: readonly string[],
): Promise<{ flags: ReadonlySet<string>; unknown?: string }> {
  if (words[0] === 'agent') return { flags: new Set(AGENT_FLAGS.keys()) };
  let node: CommandEntry | CommandGroup = COMMANDS;
  for (const word of words) {
    if (!('commands' in node) || word.startsWith('-')) break;
    const next: CommandEntry | CommandGroup | undefined = node.commands.get(word);
    if (next === undefined) return { flags: new Set(), unknown: word };
    node = next;
  }
  if ('commands' in node) return { flags: new Set(['h', 'help', 'version']) };
  const { flags, http } = await node.load();
  return { flags: new Set([...flags.keys(), ...HTTP_FLAGS[http].keys(), 'h', 'help']) };
}

describe('the pages', function () {
  // Every module of the command line is loaded.
  this.timeout(60_000);

  it('say of each block what it is', () => {
    for (const block of BLOCKS) assert.ok(LANGUAGES.includes(block.language), titled(block));
  });

  it('name a spec that is there, or a reason, where a block for a shell is not run here', () => {
    for (const block of BLOCKS.filter(({ mark }) => mark !== undefined)) {
      const [, spec, why] = /^(?:run by (\S+\.ts)|not run: (.+))$/.exec(block.mark ?? '') ?? [];
      assert.ok(spec === undefined ? why !== undefined : existsSync(spec), titled(block));
    }
  });

  it('show no command outside of a fence, where nothing would run it', () => {
    const command = /^ {4}(?:\$ |\w+ )?(?:proconsul|curl|dig|docker|npm|node|bin\/\w+) .*$/gm;
    for (const { path, blocks, text } of PAGES) {
      const fenced = new Set(blocks.flatMap((block) => block.text.split('\n')).map(trimmed));
      for (const [line] of text.matchAll(command)) {
        assert.ok(fenced.has(trimmed(line)), `${path}: ${line}`);
      }
    }
  });

  it('put no secret into a command line', () => {
    for (const page of PAGES) {
      for (const words of commandsOf(page, /^(bin\/)?(proconsul|curl) /)) {
        const command = words.join(' ');
        assert.doesNotMatch(
          command,
          /:\/\/[^/@\s]+:[^/@\s]+@|-(from-)?token[= ]|password=/,
          page.path,
        );
      }
    }
  });

  it('name files, folders and scripts that are there', () => {
    for (const page of PAGES) {
      for (const [, script = ''] of commandsOf(page, /^npm run /).map(([, , name]) => ['', name])) {
        assert.ok(script in scripts, `${page.path}: npm run ${script}`);
      }
      for (const words of commandsOf(page, /^node --import tsx /)) {
        const file = words.find((word) => word.endsWith('.ts')) ?? '';
        assert.ok(existsSync(file) || file.includes('NAME'), `${page.path}: ${words.join(' ')}`);
      }
      for (const [program = ''] of commandsOf(page, /^bin\//))
        assert.ok(existsSync(program), program);
    }
  });

  for (const page of PAGES) {
    it(`name commands and flags that there are: ${page.path}`, async () => {
      for (const [, ...words] of commandsOf(page, /^(bin\/)?proconsul /)) {
        const { flags, unknown } = await flagsOf(words);
        const said = `${page.path}: proconsul ${words.join(' ')}`;
        assert.ok(unknown === undefined || /^[A-Z…]/.test(unknown), `${said}: ${unknown}`);
        for (const [, name = ''] of words.join(' ').matchAll(/(?:^| )--?([a-z][a-z\d-]*)/g)) {
          assert.ok(flags.has(name), `${said}: -${name}`);
        }
      }
    });
  }

  for (const block of BLOCKS.filter(({ language }) => language === 'json')) {
    it(`show JSON that can be read: ${titled(block)}`, () => void JSON.parse(block.text));
  }

  for (const block of BLOCKS.filter(({ language }) => language === 'hcl')) {
    it(`show a configuration that is taken: ${titled(block)}`, () => {
      const argv = ['-data-dir=/tmp', '-bind=127.0.0.1', `-hcl=${block.text}`];
      loadConfig({ argv, host: configHost, redisUrl: undefined });
    });
  }
});

describe('the examples of the pages', function () {
  this.timeout(60_000);
  before(async function () {
    // What they run may have to be built first, on a machine that is busy with others.
    this.timeout(300_000);
    await promisify(execFile)('bin/proconsul', ['version']);
  });

  for (const [at, block] of BLOCKS.entries()) {
    if (block.language !== 'sh' || block.mark !== undefined) continue;
    const needsDig = /\bdig\b/.test(block.text) && !existsSync('/usr/bin/dig');
    const title = `run as they stand: ${titled(block)}`;
    (needsDig ? it.skip : it)(needsDig ? `${title} (needs dig)` : title, async () => {
      const said = await run(block);
      const next = BLOCKS[at + 1];
      if (next?.page === block.page && next.language === 'text') assert.equal(said, next.text);
    });
  }
});
