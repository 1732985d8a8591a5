/**
 * A machine's disk, as the file log uses it: each operation takes its time, so that a process can die
 * between any two of them; what was not synced may be gone after a loss of power, sector by sector.
 */
import { type File, type FileSystem, syncing } from '../../../server/log/file/file-system.ts';
import {
  type Fault,
  type FaultOf,
  MemoryFileSystem,
} from '../../support/fakes/memory-file-system.ts';
import type { Machine } from './machine.ts';
import type { World } from './world.ts';

const LOOK_MS = 0.05;
const SYNC_MS = 1;

/** What fails so soon after its disk does is of that. */
export const BLAMED_MS = 5000;
/** As by systemd, of a process that has ended by itself. */
export const STARTED_AGAIN_MS = 500;

/** What takes room on a disk. */
const TAKES_ROOM: ReadonlySet<string> = new Set(['create', 'write']);
const CHANGES: ReadonlySet<string> = new Set(
  'create write truncate sync rename remove syncFolder'.split(' '),
);
const WHOLE: FaultOf = () => undefined;

const DISKS = new WeakMap<Machine, SimDisk>();

/** Undefined for a machine that has none. */
export function diskOf(machine: Machine): SimDisk | undefined {
  return DISKS.get(machine);
}

export class SimDisk implements FileSystem {
  readonly #world: World;
  readonly #files = new MemoryFileSystem();
  /** Of the process that runs. */
  openFiles = 0;
  /** When it last failed. */
  failedAt = Number.NEGATIVE_INFINITY;
  #beforeSync: { left: number; readonly fn: () => void } | undefined;

  constructor(world: World, machine: Machine) {
    this.#world = world;
    DISKS.set(machine, this);
  }

  /** The process is gone, and with the power all that was not synced. */
  crash(losesPower: boolean): void {
    this.openFiles = 0;
    if (losesPower) this.#files.losePower(this.#world.random);
  }

  /** Whether any of the texts stands on it, as whoever steals it would find out. */
  holds(texts: readonly string[]): boolean {
    const files = this.#files.paths().map((path) => this.#files.content(path));
    return files.some((bytes) => texts.some((text) => bytes.includes(text)));
  }

  /** Nothing more has room on it. */
  fill(): void {
    this.#meet((op, grows) =>
      TAKES_ROOM.has(op) && (grows || op === 'create') ? 'ENOSPC' : undefined,
    );
  }

  /** Everything fails that is asked of it. */
  breakDown(): void {
    this.#meet(() => 'EIO');
  }

  /** The n-th thing from now that is to change something, or to make a change durable, fails. */
  failOnce(n: number): void {
    let left = n;
    this.#meet((op) => {
      if (!CHANGES.has(op) || --left > 0) return undefined;
      this.mend();
      return 'EIO';
    });
  }

  /** As before: what was lost stays lost. */
  mend(): void {
    this.#files.faultOf = WHOLE;
  }

  /** What was to meet it has not, and does not any more. */
  disarm(): void {
    this.mend();
    this.#beforeSync = undefined;
  }

  #meet(faultOf: (op: string, grows: boolean) => Fault | undefined): void {
    this.#files.faultOf = (op, _, grows) => {
      const fault = faultOf(op, grows);
      if (fault !== undefined) this.failedAt = this.#world.now;
      return fault;
    };
  }

  /** Calls `fn` right before the n-th sync of a file from now: what it was to sync is written, and no more. */
  beforeSync(n: number, fn: () => void): void {
    this.#beforeSync = { left: n, fn };
  }

  has(path: string): Promise<boolean> {
    return this.#take(LOOK_MS, async () => this.#files.paths().includes(path));
  }

  makeFolder(_: string): Promise<void> {
    return this.#take(LOOK_MS, () => this.#files.makeFolder());
  }

  list(folder: string): Promise<string[]> {
    return this.#take(LOOK_MS, () => this.#files.list(folder));
  }

  create(path: string): Promise<File> {
    return this.#take(LOOK_MS, async () => this.#slow(await this.#files.create(path)));
  }

  open(path: string): Promise<File> {
    return this.#take(LOOK_MS, async () => this.#slow(await this.#files.open(path)));
  }

  async openDurable(path: string): Promise<File> {
    return syncing(await this.open(path));
  }

  rename(from: string, to: string): Promise<void> {
    return this.#take(LOOK_MS, () => this.#files.rename(from, to));
  }

  remove(path: string): Promise<void> {
    return this.#take(LOOK_MS, () => this.#files.remove(path));
  }

  syncFolder(path: string): Promise<void> {
    return this.#take(SYNC_MS, () => this.#files.syncFolder(path));
  }

  #slow(file: File): File {
    this.openFiles++;
    return {
      size: () => this.#take(LOOK_MS, () => file.size()),
      read: (bytes, position) => this.#take(LOOK_MS, () => file.read(bytes, position)),
      write: (bytes, position) => this.#take(LOOK_MS, () => file.write(bytes, position)),
      truncate: (size) => this.#take(LOOK_MS, () => file.truncate(size)),
      sync: () => {
        this.#aboutToSync();
        return this.#take(SYNC_MS, () => file.sync());
      },
      close: () =>
        this.#take(LOOK_MS, () => {
          this.openFiles--;
          return file.close();
        }),
    };
  }

  #aboutToSync(): void {
    const before = this.#beforeSync;
    if (before === undefined || --before.left > 0) return;
    this.#beforeSync = undefined;
    before.fn();
  }

  /** On the machine that asks, as long as its process lives. */
  async #take<T>(ms: number, work: () => Promise<T>): Promise<T> {
    const takes = ms * (0.5 + this.#world.random.next());
    // Who dies right before it never hears of it.
    this.#world.mayStep(this.#world.here);
    await new Promise<void>((resolve) => void this.#world.after(takes, resolve));
    return await work();
  }
}
