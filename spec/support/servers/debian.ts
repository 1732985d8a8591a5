/**
 * A bare Debian, made of its packages by mmdebstrap, since no image can be pulled: what debian:SUITE is, and
 * with this machine's Node what node:20 is. Needs root, and Debian's mirror.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface DebianOptions {
  /** Does not exist yet. */
  readonly root: string;
  readonly suite: string;
  readonly packages?: readonly string[];
}

/** Why none can be made here; undefined when one can. */
export function whyNoDebian(): string | undefined {
  if (process.getuid?.() !== 0) return 'needs root, to make a Debian';
  if (!existsSync('/usr/bin/mmdebstrap')) return 'needs mmdebstrap: apt-get install mmdebstrap';
  return undefined;
}

export function makeDebian({ root, suite, packages = [] }: DebianOptions): void {
  const include = packages.length === 0 ? [] : [`--include=${packages.join(',')}`];
  const args = ['--quiet', '--variant=minbase', '--format=directory', ...include, suite, root];
  execFileSync('mmdebstrap', args, { stdio: ['ignore', 'inherit', 'inherit'] });
}

/** Node and npm, where the images called node have them, and their user. */
export function addNode(root: string, node = process.execPath): void {
  const local = join(root, 'usr/local');
  execFileSync('cp', ['-L', node, join(local, 'bin/node')]);
  const npm = realpathSync(execFileSync('which', ['npm'], { encoding: 'utf8' }).trim());
  const modules = join(local, 'lib/node_modules');
  mkdirSync(modules, { recursive: true });
  cpSync(dirname(dirname(npm)), join(modules, 'npm'), { recursive: true });
  for (const name of ['npm', 'npx']) {
    symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(local, 'bin', name));
  }
  execFileSync('chroot', [root, 'useradd', '--create-home', '--uid=1000', 'node']);
}

/** The folder as an image's layer. */
export function tarOf(root: string, file: string): string {
  execFileSync('tar', ['-C', root, '--numeric-owner', '-cf', file, '.']);
  return file;
}

/** Fills the cache of npm for root, so that `npm ci` in there finds all of package-lock.json without a network. */
export function addPackages(root: string, top: string): void {
  const folder = join(root, 'tmp/packages');
  mkdirSync(folder);
  for (const name of ['package.json', 'package-lock.json']) {
    cpSync(join(top, name), join(folder, name));
  }
  const cache = join(root, 'root/.npm');
  execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', `--cache=${cache}`], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  rmSync(folder, { recursive: true });
}
