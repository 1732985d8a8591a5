/** A folder as a .tar.gz, file by file: none of them is held in memory. */
import { createReadStream, createWriteStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join, posix, sep } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { createTarPacker } from 'modern-tar';

/** Under the folder's `name` in the archive, which is for its owner's eyes. Replaces no file. */
export async function packFolder(folder: string, name: string, archive: string): Promise<void> {
  const { readable, controller } = createTarPacker();
  const write = async () => {
    for (const path of await filesIn(folder)) {
      const { size, mtime } = await stat(join(folder, path));
      const inside = posix.join(name, ...path.split(sep));
      const file = controller.add({ name: inside, size, mtime, mode: 0o600 });
      // What is added to it from now on would not fit into the size that was said.
      const end = Math.max(0, size - 1);
      const bytes = size === 0 ? [] : createReadStream(join(folder, path), { end });
      const writer = file.getWriter();
      for await (const chunk of bytes as AsyncIterable<Buffer>) await writer.write(chunk);
      await writer.close();
    }
    controller.finalize();
  };
  write().catch((error: unknown) => controller.error(error));
  const tar = Readable.fromWeb(readable as Parameters<typeof Readable.fromWeb>[0]);
  await pipeline(tar, createGzip(), createWriteStream(archive, { flags: 'wx', mode: 0o600 }));
}

async function filesIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
  return paths.sort();
}
