import { dirname } from 'node:path';
import type { Random } from '../../../lib/random.ts';
import { type File, type FileSystem, syncing } from '../../../server/log/file/file-system.ts';

const SECTOR_BYTES = 512;

/**
 * What an operation meets. 'short' is a write of which half is done; other operations pass it.
 * 'dead' is a process that does nothing any more, while its disk still holds what it has written.
 */
export type Fault = 'EIO' | 'ENOSPC' | 'short' | 'dead';

/**
 * Asked before each operation, which is named as it is in FileSystem and File. `grows` says whether
 * it makes a file, or one longer.
 */
export type FaultOf = (op: string, path: string, grows: boolean) => Fault | undefined;

type Change = { readonly position: number; readonly bytes: Buffer } | { readonly size: number };

/**
 * Files in memory that can lose power: what was synced stays, and of the rest any part, sector by
 * sector. A sync that fails loses what it should have written, while reads still show it: so does
 * Linux.
 */
export class MemoryFileSystem implements FileSystem {
  faultOf: FaultOf = () => undefined;
  readonly #files = new Map<string, Inode>();
  #durable = new Map<string, Inode>();
  /** Changes of names, in order, as a journal writes them. */
  #renamings: Map<string, Inode>[] = [];

  async makeFolder(): Promise<void> {}

  async list(folder: string): Promise<string[]> {
    this.#meet('list', folder);
    const inside = [...this.#files.keys()].filter((path) => dirname(path) === folder);
    return inside.map((path) => path.slice(folder.length + 1));
  }

  async create(path: string): Promise<File> {
    this.#meet('create', path, true);
    const inode = new Inode();
    this.#files.set(path, inode);
    this.#named();
    return this.#file(path, inode);
  }

  async open(path: string): Promise<File> {
    this.#meet('open', path);
    return this.#file(path, this.#inode(path));
  }

  /** A write meets two operations: to do it, and to sync it. */
  async openDurable(path: string): Promise<File> {
    return syncing(await this.open(path));
  }

  async rename(from: string, to: string): Promise<void> {
    this.#meet('rename', to);
    const inode = this.#inode(from);
    this.#files.delete(from);
    this.#files.set(to, inode);
    this.#named();
  }

  async remove(path: string): Promise<void> {
    this.#meet('remove', path);
    this.#inode(path);
    this.#files.delete(path);
    this.#named();
  }

  async syncFolder(path: string): Promise<void> {
    this.#meet('syncFolder', path);
    this.#durable = new Map(this.#files);
    this.#renamings = [];
  }

  /** The power goes and comes back: what a process finds that starts then. */
  losePower(random: Random): void {
    const states = [this.#durable, ...this.#renamings];
    const kept = states[Math.floor(random.next() * states.length)] ?? this.#durable;
    this.#files.clear();
    for (const [path, inode] of kept) this.#files.set(path, inode);
    for (const inode of new Set(kept.values())) inode.losePower(random);
    this.#durable = new Map(this.#files);
    this.#renamings = [];
  }

  /** A file as it is read now; a change of it is durable. */
  content(path: string): Buffer {
    return Buffer.from(this.#inode(path).content);
  }

  setContent(path: string, bytes: Buffer): void {
    const inode = new Inode();
    inode.content = Buffer.from(bytes);
    inode.sync();
    this.#files.set(path, inode);
    this.#durable.set(path, inode);
  }

  /** Other bytes in the same file, for those who have it open. */
  damage(path: string, bytes: Buffer): void {
    this.#inode(path).content = Buffer.from(bytes);
  }

  paths(): string[] {
    return [...this.#files.keys()].sort();
  }

  #named(): void {
    this.#renamings.push(new Map(this.#files));
  }

  #inode(path: string): Inode {
    const inode = this.#files.get(path);
    if (inode === undefined) throw Object.assign(new Error(`ENOENT ${path}`), { code: 'ENOENT' });
    return inode;
  }

  #meet(op: string, path: string, grows = false): boolean {
    const fault = this.faultOf(op, path, grows);
    if (fault === 'short') return op === 'write';
    if (fault !== undefined) throw Object.assign(new Error(`${fault} ${op}`), { code: fault });
    return false;
  }

  #file(path: string, inode: Inode): File {
    const meet = (op: string, grows = false) => this.#meet(op, path, grows);
    return {
      async size() {
        meet('size');
        return inode.content.length;
      },
      async read(bytes, position) {
        meet('read');
        return inode.content.copy(bytes, 0, position, position + bytes.length);
      },
      async write(bytes, position) {
        const grows = position + bytes.length > inode.content.length;
        const done = meet('write', grows) ? bytes.subarray(0, bytes.length >> 1) : bytes;
        inode.change({ position, bytes: Buffer.from(done) });
        return done.length;
      },
      async truncate(size) {
        meet('truncate');
        inode.change({ size });
      },
      async sync() {
        try {
          meet('sync');
        } catch (error) {
          if ((error as { code?: unknown }).code !== 'dead') inode.loseChanges();
          throw error;
        }
        inode.sync();
      },
      async close() {
        meet('close');
      },
    };
  }
}

class Inode {
  content: Buffer = Buffer.alloc(0);
  #durable: Buffer = Buffer.alloc(0);
  #changes: Change[] = [];

  change(change: Change): void {
    this.content = changed(this.content, change);
    this.#changes.push(change);
  }

  /** Only what was changed since the last sync, failed or not, is written. */
  sync(): void {
    if (this.#durable.length === 0 && this.#changes.length === 0) this.#durable = this.content;
    for (const change of this.#changes) this.#durable = changed(this.#durable, change);
    this.#changes = [];
  }

  loseChanges(): void {
    this.#changes = [];
  }

  losePower(random: Random): void {
    for (const change of this.#changes) {
      for (const part of sectorsOf(change)) {
        if (random.next() < 0.5) this.#durable = changed(this.#durable, part);
      }
    }
    this.#changes = [];
    this.content = Buffer.from(this.#durable);
  }
}

function changed(before: Buffer, change: Change): Buffer {
  const size = 'size' in change ? change.size : change.position + change.bytes.length;
  const after = Buffer.alloc('size' in change ? size : Math.max(before.length, size));
  before.copy(after);
  if ('bytes' in change) change.bytes.copy(after, change.position);
  return after;
}

function* sectorsOf(change: Change): Generator<Change> {
  if ('size' in change) {
    yield change;
    return;
  }
  const { position, bytes } = change;
  for (let at = 0; at < bytes.length; ) {
    const length = SECTOR_BYTES - ((position + at) % SECTOR_BYTES);
    yield { position: position + at, bytes: bytes.subarray(at, at + length) };
    at += length;
  }
}
