/** A disk for a log that nobody reads again: it takes what is written, and keeps nothing. */
import type { Disk } from '../../server/log/file/file-log.ts';
import type { File } from '../../server/log/file/file-system.ts';

export function nowhere(): Disk {
  const file: File = {
    size: async () => 0,
    read: async () => 0,
    write: async (bytes) => {
      await new Promise((resolve) => setImmediate(resolve));
      return bytes.length;
    },
    truncate: async () => undefined,
    sync: async () => undefined,
    close: async () => undefined,
  };
  const open = async () => file;
  const nothing = async () => undefined;
  return {
    fileSystem: {
      makeFolder: nothing,
      list: async () => [],
      ...{ create: open, open, openDurable: open },
      ...{ rename: nothing, remove: nothing, syncFolder: nothing },
    },
    lock: async () => nothing,
  };
}
