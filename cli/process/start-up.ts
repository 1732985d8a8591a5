/** What must hold before a process begins its work, and what went wrong when it could not. */
import { existsSync } from 'node:fs';
import { chmod, chown } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Config } from '../../lib/config/config.ts';
import { describeChain, ProconsulError } from '../../lib/errors.ts';
import { hostPort } from '../../lib/ip.ts';
import type { Logger } from '../../lib/logger.ts';
import { makeFolder } from '../../lib/make-folder.ts';
import { FolderInUse, lockFolder, type Unlock } from '../../server/log/file/folder-lock.ts';

/**
 * Makes `data_dir` where it is missing and keeps every other process out of it: two of them would
 * have one node id, and write over each other's journal. Returns what gives it back.
 */
export async function holdDataDir(dataDir: string, logger: Logger): Promise<Unlock> {
  if (dataDir === '') return async () => undefined;
  await makeFolder(dataDir).catch((cause: unknown) => {
    throw new ProconsulError('invalid', `data_dir ${dataDir} cannot be made`, { cause });
  });
  try {
    return await lockFolder(dataDir);
  } catch (error) {
    if (error instanceof FolderInUse) {
      throw new ProconsulError('invalid', `data_dir: ${error.message}`, { cause: error.cause });
    }
    // Some file systems know no sockets or hard links. The event log asks for a lock of its own;
    // for the rest it is no reason not to start.
    logger.warn(`agent: nothing keeps a second process out of data_dir: ${describeChain(error)}`);
    return async () => undefined;
  }
}

/** Gives the HTTP sockets the owner and the permissions that `unix_sockets` names. */
export async function applySocketRights({ http, socket }: Config['listen']): Promise<void> {
  for (const at of http) {
    if (!('path' in at)) continue;
    const { user, group, mode } = socket;
    if (user !== '' || group !== '') await chown(at.path, idOf(user), idOf(group));
    if (mode !== '') await chmod(at.path, Number.parseInt(mode, 8));
  }
}

/** -1 leaves it as it is. */
function idOf(text: string): number {
  return text === '' ? -1 : Number(text);
}

const LISTEN_FAULTS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'it is in use',
  EADDRNOTAVAIL: 'this machine has no such address',
  EACCES: 'this user may not',
};

/** An error with the key of the configuration that led to it: of a socket, or of a file in data_dir. */
export function explainStart(error: unknown, { ports, dataDir }: Config): unknown {
  if (!(error instanceof Error)) return error;
  const { code = '', syscall = '', port, address = '' } = error as NodeJS.ErrnoException & Where;
  const fault = LISTEN_FAULTS[code];
  if (fault === undefined || !/^(listen|bind)$/.test(syscall)) return withDataDir(error, dataDir);
  const keys: Readonly<Record<string, number>> = {
    'ports.http': ports.http,
    'ports.https': ports.https,
    'ports.dns': ports.dns,
    'ports.server': ports.server,
    'ports.serf_lan': ports.serfLan,
  };
  const key = Object.keys(keys).find((name) => keys[name] === port) ?? 'addresses.http';
  const isPath = port === undefined || port < 0;
  const at = isPath ? address : hostPort(address, port);
  const why = isPath ? (pathFault(address) ?? fault) : fault;
  return new ProconsulError('invalid', `${key}: cannot listen at ${at}: ${why}`);
}

function withDataDir(error: Error, dataDir: string): Error {
  const text = describeChain(error);
  if (dataDir === '' || !text.includes(dataDir) || NAMES_A_KEY.test(text)) return error;
  return new ProconsulError('invalid', 'data_dir cannot be used', { cause: error });
}

const NAMES_A_KEY = /^(?:data_dir|pid_file)\b/;

/** Node says EACCES of a folder that is not there, and EADDRINUSE of any file. */
function pathFault(path: string): string | undefined {
  if (!existsSync(dirname(path))) return `there is no folder ${dirname(path)}`;
  return existsSync(path) ? 'a file that is no socket is in its place' : undefined;
}

interface Where {
  readonly address?: string;
  readonly port?: number;
}
