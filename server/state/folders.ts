/**
 * The folders that keys lie in, by their slashes: which of them hold a key, and when anything in one
 * last changed. What asks for a key or a prefix that is not there follows the folder around it.
 */

/** A folder that lies deeper is not told apart: who asks for something in it follows one above. */
const MAX_DEPTH = 16;

interface Folder {
  index: number;
  keys: number;
  /** What is left of deleted keys keeps the folder's index. */
  graves: number;
}

export class Folders {
  readonly #folders = new Map<string, Folder>();

  get size(): number {
    return this.#folders.size;
  }

  /** The last change that is remembered of what lies in it; 0 for none. */
  indexOf(folder: string): number {
    return this.#folders.get(folder)?.index ?? 0;
  }

  keysIn(folder: string): number {
    return this.#folders.get(folder)?.keys ?? 0;
  }

  /** The innermost folder around a key or prefix that holds any key; '' is the outermost of all. */
  around(name: string): string {
    // A name that ends with a slash is itself a folder: what is around it ends before.
    for (const end of ends(name.slice(0, -1)).reverse()) {
      const folder = name.slice(0, end);
      if (this.keysIn(folder) > 0) return folder;
    }
    return '';
  }

  /** A key came or went; what is left of one that went is counted as its grave. */
  countKeys(key: string, by: 1 | -1): void {
    this.#each(key, (folder, name) => {
      folder.keys += by;
      // The entry that brought it may be taken back: nothing is left of it then.
      if (isEmpty(folder) && folder.index === 0) this.#folders.delete(name);
    });
  }

  countGraves(key: string, by: 1 | -1): void {
    this.#each(key, (folder, name) => {
      folder.graves += by;
      if (isEmpty(folder)) this.#folders.delete(name);
    });
  }

  /** Something about the key changed at this index. */
  changed(key: string, index: number): void {
    this.#each(key, (folder) => {
      folder.index = Math.max(folder.index, index);
    });
  }

  #each(key: string, change: (folder: Folder, name: string) => void): void {
    for (const end of [0, ...ends(key)]) {
      const name = key.slice(0, end);
      let folder = this.#folders.get(name);
      if (folder === undefined) {
        folder = { index: 0, keys: 0, graves: 0 };
        this.#folders.set(name, folder);
      }
      change(folder, name);
    }
  }
}

/** Whether Folders knows when anything under this prefix last changed. */
export function isFolder(prefix: string): boolean {
  return prefix === '' || (prefix.endsWith('/') && ends(prefix).at(-1) === prefix.length);
}

/** Where the folders end that a name lies in, the outermost first. */
function ends(name: string): number[] {
  const found: number[] = [];
  let at = name.indexOf('/');
  while (at >= 0 && found.length < MAX_DEPTH) {
    found.push(at + 1);
    at = name.indexOf('/', at + 1);
  }
  return found;
}

function isEmpty({ keys, graves }: Folder): boolean {
  return keys === 0 && graves === 0;
}
