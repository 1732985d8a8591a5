/**
 * Keeps a second process out of a folder. Node has no flock, and a file with a pid is wrong where it
 * matters most: in containers everybody has pid 1. So the lock is a listening Unix socket in the
 * folder, which the kernel closes however its process ends; whoever can connect to it sees a live
 * owner, across containers too.
 *
 * The sockets are numbered, and the owner is who has the highest number. A process takes the number
 * after one that is certainly dead (a closed socket never opens again) by link(2), which only one
 * can do, and the highest number is never removed, only followed: no two can own the folder, in
 * whatever order they look, link and clean up.
 */

import { randomUUID } from 'node:crypto';
import {
  type FileHandle,
  link,
  open,
  readdir,
  readFile,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../../lib/clock.ts';
import { ProconsulError } from '../../../lib/errors.ts';

const NAME = /^lock-(\d+)$/;
const OTHERS = /^lock-(\d+)(\.owner)?$/;
/** Each round means that another process came first; so many in a row do not happen. */
const MAX_ROUNDS = 16;
/** Closed, or gone and followed by a higher number. */
const DEAD = new Set(['ECONNREFUSED', 'ENOENT']);
/** The kernel's limit for a socket's path is 108 on Linux and 104 elsewhere. */
const MAX_SOCKET_PATH = 100;

export type Unlock = () => Promise<void>;

/** Rejects when another process has the folder, with its pid in the text. */
export async function lockFolder(folder: string): Promise<Unlock> {
  const handle = await open(folder, 'r');
  let server: Server | undefined;
  try {
    const sockets = socketFolder(folder, handle);
    const own = `lock-${randomUUID()}`;
    server = await listen(join(sockets, own), folder);
    await claim({ folder, sockets, own });
    await unlink(join(folder, own));
  } catch (error) {
    // Which removes `own` as well.
    await close(server);
    throw error;
  } finally {
    await handle.close();
  }
  return () => close(server);
}

interface Claim {
  readonly folder: string;
  /** The same folder, under a name that is short enough for sockets. */
  readonly sockets: string;
  readonly own: string;
}

async function claim({ folder, sockets, own }: Claim): Promise<void> {
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const highest = await highestLock(folder);
    if (highest > 0 && (await isAlive(join(sockets, `lock-${highest}`)))) {
      throw await inUse(folder, highest);
    }
    const next = highest + 1;
    if (!(await tryLink(join(folder, own), join(folder, `lock-${next}`)))) continue;
    // Someone may have taken a higher number and removed this one just before: then it is theirs.
    if ((await highestLock(folder)) !== next) {
      await unlink(join(folder, `lock-${next}`)).catch(ignoreMissing);
      continue;
    }
    const owner = `pid ${process.pid} on ${hostname()}, since ${new Date(systemClock.now()).toISOString()}`;
    // Only for people to read; on a full disk there is no room for it.
    await writeFile(join(folder, `lock-${next}.owner`), owner).catch(() => undefined);
    await removeBelow(folder, next);
    return;
  }
  throw new ProconsulError('unavailable', `too many processes want to lock ${folder}`);
}

async function highestLock(folder: string): Promise<number> {
  const numbers = (await readdir(folder)).map((name) => Number(NAME.exec(name)?.[1] ?? 0));
  return Math.max(0, ...numbers);
}

async function removeBelow(folder: string, number: number): Promise<void> {
  for (const name of await readdir(folder)) {
    const other = OTHERS.exec(name)?.[1];
    if (other === undefined || Number(other) >= number) continue;
    await unlink(join(folder, name)).catch(ignoreMissing);
  }
}

async function tryLink(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw unlockable(to, error);
  }
}

/** A process that is stopped is alive too: the kernel lets us connect to it. */
function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (cause) => {
      const code = codeOf(cause);
      if (DEAD.has(code)) resolve(false);
      else if (code === 'EAGAIN') resolve(true);
      else reject(new ProconsulError('unavailable', `connect to ${path}`, { cause }));
    });
  });
}

function listen(path: string, folder: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (cause) => {
      reject(unlockable(folder, cause));
    });
    server.listen(path, () => {
      // A lock that nobody gave back is no reason to go on living.
      server.unref();
      resolve(server);
    });
  });
}

function close(server: Server | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (server === undefined || !server.listening) resolve();
    else server.close(() => resolve());
  });
}

function socketFolder(folder: string, handle: FileHandle): string {
  const path = join(folder, `lock-${randomUUID()}`);
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH) return folder;
  if (process.platform === 'linux') return `/proc/self/fd/${handle.fd}`;
  throw new ProconsulError('invalid', `${folder} is too long a path for the lock in it`);
}

/** Another process has the folder. */
export class FolderInUse extends ProconsulError {}

async function inUse(folder: string, number: number): Promise<FolderInUse> {
  const owner = await readFile(join(folder, `lock-${number}.owner`), 'utf8').catch(() => 'unknown');
  return new FolderInUse('unavailable', `${folder} is used by another process (${owner})`);
}

/** Some network and foreign file systems have no sockets or no hard links. */
function unlockable(path: string, cause: unknown): ProconsulError {
  return new ProconsulError('unavailable', `${path}: no lock can be made there`, { cause });
}

function codeOf(error: unknown): string {
  return String((error as { code?: unknown }).code);
}

function ignoreMissing(error: unknown): void {
  if (codeOf(error) !== 'ENOENT') throw error;
}
