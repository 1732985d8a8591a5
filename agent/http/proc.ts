/** What Linux says of the machine in its files, read as far as they are there. */
import { readdir, readFile } from 'node:fs/promises';

/** '' where there is none, as on other systems. */
async function textOf(path: string): Promise<string> {
  return await readFile(path, 'utf8').catch(() => '');
}

/** `name: value` or `name = value`, line by line, by the name in small letters. */
function pairs(text: string, separator: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const line of text.split('\n')) {
    const at = line.indexOf(separator);
    if (at > 0) found.set(line.slice(0, at).trim().toLowerCase(), line.slice(at + 1).trim());
  }
  return found;
}

/** Figures of the memory in bytes, by the kernel's names in small letters. */
export async function memoryFigures(): Promise<(name: string) => number> {
  const found = pairs(await textOf('/proc/meminfo'), ':');
  return (name) => {
    const [figure = '', unit] = (found.get(name) ?? '0').split(' ');
    return Number.parseInt(figure, 10) * (unit === 'kB' ? 1024 : 1);
  };
}

/** Each processor's own lines. */
export async function processors(): Promise<readonly ReadonlyMap<string, string>[]> {
  const blocks = (await textOf('/proc/cpuinfo')).split('\n\n');
  return blocks.map((block) => pairs(block, ':')).filter((found) => found.has('processor'));
}

/** What the system calls itself. */
export async function distribution() {
  const found = pairs(await textOf('/etc/os-release'), '=');
  const value = (name: string) => (found.get(name) ?? '').replace(/^"(.*)"$/, '$1');
  const id = value('id');
  const family = value('id_like').split(' ', 1)[0] || id;
  return { platform: id, family, version: value('version_id') };
}

export async function machineId(): Promise<string> {
  return (await textOf('/etc/machine-id')).trim();
}

export async function countProcesses(): Promise<number> {
  const names = await readdir('/proc').catch(() => []);
  return names.filter((name) => /^\d+$/.test(name)).length;
}

/** The type of the file system that holds a path: that of the mount which is deepest. */
export async function fileSystemOf(path: string): Promise<string> {
  const mounts = (await textOf('/proc/self/mounts')).split('\n').map((line) => line.split(' '));
  const holds = (at: string) => path === at || path.startsWith(at === '/' ? at : `${at}/`);
  const [deepest] = mounts
    .filter(([, at = '']) => at !== '' && holds(at))
    .sort(([, a = ''], [, b = '']) => b.length - a.length);
  return deepest?.[2] ?? '';
}
