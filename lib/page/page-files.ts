/** The files of the web page, as they were built: all of them are small, and held in memory once they are asked for. */
import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { ProconsulError } from '../errors.ts';

export interface PageFile {
  readonly type: string;
  readonly body: Buffer;
  /** The same compressed, where that is worth it. */
  readonly gzip: Buffer | undefined;
}

/** By name below the page's own path. */
export type PageFiles = ReadonlyMap<string, PageFile>;

export const INDEX = 'index.html';
/** What is in there has a hash of its bytes in its name. */
export const HASHED = 'assets/';
const GZIP = '.gz';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** A name with a `.gz` behind it is the same file compressed. */
export function pageFiles(bytes: ReadonlyMap<string, Buffer>): PageFiles {
  const files = new Map<string, PageFile>();
  for (const [name, body] of bytes) {
    const type = TYPES[extname(name)];
    if (type !== undefined) files.set(name, { type, body, gzip: bytes.get(name + GZIP) });
  }
  return files;
}

export async function readPage(folder: string): Promise<PageFiles> {
  try {
    // A build puts the index there last: what it names is there.
    const index = await readFile(join(folder, INDEX));
    const names = await readdir(folder, { recursive: true, withFileTypes: true });
    const found = names.filter((each) => each.isFile()).map((each) => nameIn(folder, each));
    const bytes = found.map(
      async (name): Promise<[string, Buffer]> => [
        name,
        name === INDEX ? index : await readFile(join(folder, name)),
      ],
    );
    return pageFiles(new Map(await Promise.all(bytes)));
  } catch (cause) {
    throw new ProconsulError('internal', `the page's files cannot be read in ${folder}`, { cause });
  }
}

function nameIn(folder: string, { parentPath, name }: { parentPath: string; name: string }) {
  return join(parentPath, name).slice(folder.length + 1);
}
