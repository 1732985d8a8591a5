/** Images made of what is on this machine, since nothing is pulled: programs with their libraries. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, realpathSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { PrivateDocker } from './docker.ts';

export interface ImageOptions {
  readonly name: string;
  /** Programs of this machine, which are found under the same paths in the image. */
  readonly programs: readonly string[];
  /** Path in the image → what it is a copy of. */
  readonly files?: Readonly<Record<string, string>>;
  /** Folders that whoever runs in it may write to. */
  readonly writable?: readonly string[];
  /** As in a Dockerfile: 'USER 1000'. */
  readonly changes: readonly string[];
}

const APPLETS = ['sh', 'readlink', 'cat', 'env', 'id', 'ls', 'wget', 'nslookup', 'sleep'];

export async function importImage(docker: PrivateDocker, options: ImageOptions): Promise<void> {
  const root = join(docker.folder, `image-${options.name.replaceAll(/[^a-z0-9]/g, '-')}`);
  mkdirSync(join(root, 'bin'), { recursive: true });
  execFileSync('cp', ['/bin/busybox', join(root, 'bin')]);
  for (const applet of APPLETS) symlinkSync('busybox', join(root, 'bin', applet));
  for (const program of options.programs) {
    for (const path of [program, ...librariesOf(program)]) {
      mkdirSync(join(root, dirname(path)), { recursive: true });
      execFileSync('cp', ['-L', path, join(root, path)]);
    }
  }
  for (const [path, source] of Object.entries(options.files ?? {})) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    cpSync(realpathSync(source), join(root, path), { recursive: true });
  }
  for (const folder of [...(options.writable ?? []), '/tmp']) {
    mkdirSync(join(root, folder), { recursive: true });
    execFileSync('chmod', ['1777', join(root, folder)]);
  }
  execFileSync('tar', ['-C', root, '--owner=0', '--group=0', '-cf', `${root}.tar`, '.']);
  const [repo = '', tag = 'latest'] = options.name.split(':');
  await docker.importTar(`${root}.tar`, repo, options.changes, tag);
  execFileSync('rm', ['-rf', root, `${root}.tar`]);
}

/** As ldd names them, the loader among them. */
function librariesOf(program: string): string[] {
  const lines = execFileSync('ldd', [program], { encoding: 'utf8' }).split('\n');
  return lines.flatMap((line) => /(?:=> )?(\/\S+) \(0x/.exec(line)?.[1] ?? []);
}
