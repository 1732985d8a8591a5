import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ProconsulError } from './errors.ts';

/**
 * Makes a folder and those above it that are missing. Node's own `recursive` never ends where a file
 * system says that the folder is not there although the one above it is, as /proc does, and says
 * "file already exists" of a folder that could not be made because a file is in its place.
 */
export async function makeFolder(path: string, mode = 0o777): Promise<void> {
  try {
    await mkdir(path, mode);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return await mustBeFolder(path, error);
    const above = dirname(path);
    if (code === 'ENOTDIR') await mustBeFolder(above, error);
    if (code !== 'ENOENT' || above === path || above === '/') throw error;
    await makeFolder(above, mode);
    await mkdir(path, mode).catch((again: NodeJS.ErrnoException) => {
      // Another process makes the same ones.
      if (again.code !== 'EEXIST') throw again;
    });
  }
}

async function mustBeFolder(path: string, cause: unknown): Promise<void> {
  const there = await stat(path).catch(() => undefined);
  if (there?.isDirectory() === true) return;
  throw new ProconsulError('invalid', `${path} is to be a folder, and is something else`, {
    cause,
  });
}
