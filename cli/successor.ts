/**
 * Another process in this one's place, without a moment in which nobody listens: it is begun with the same words,
 * is handed the sockets, and says when it is ready. Until then nothing changes; from then on this one may end.
 */
import type { ChildProcess } from 'node:child_process';
import type { Server } from 'node:net';
import { type Environment, startSuccessor } from '../lib/child.ts';
import type { Clock } from '../lib/clock.ts';
import { ProconsulError } from '../lib/errors.ts';
import type { Handle } from '../lib/listening.ts';

/** Set for it: what else begins a process may speak to it in another way. */
const MARK = 'PROCONSUL_SUCCEEDS';
/** For all that it has to learn before it can take calls. */
const READY_MS = 60_000;

interface Said {
  readonly wants?: 'sockets';
  readonly isReady?: true;
  readonly at?: string;
  readonly isLast?: true;
}

export interface Succeeding {
  readonly words: readonly string[];
  readonly env: Environment;
  readonly clock: Pick<Clock, 'after'>;
  readonly sockets: ReadonlyMap<string, Server>;
}

/** Resolves when it has taken over. Rejects with a ProconsulError where it has not: it is gone then, and this one goes on. */
export function handOver({ words, env, clock, sockets }: Succeeding): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = startSuccessor(words, { ...env, [MARK]: '1' });
    const over = (why: string) => {
      cancel();
      child.removeAllListeners();
      child.on('error', () => undefined);
      if (why === '') child.unref();
      else child.kill('SIGKILL');
      if (child.connected) child.disconnect();
      if (why === '') resolve(child.pid ?? 0);
      else reject(new ProconsulError('unavailable', why));
    };
    const cancel = clock.after(READY_MS, () => over('it was not ready in time'));
    child.once('error', ({ message }) => over(message));
    child.once('exit', (code, signal) => over(`it ended (${signal ?? code})`));
    child.on('message', ({ wants, isReady }: Said) => {
      if (wants === 'sockets') give(child, sockets);
      if (isReady === true) over('');
    });
  });
}

function give(child: ChildProcess, sockets: ReadonlyMap<string, Server>): void {
  const failed = () => undefined;
  for (const [at, server] of sockets) {
    // The socket alone: a server would take calls there before anybody could answer them.
    const { _handle } = server as unknown as { readonly _handle: Server };
    child.send({ at } satisfies Said, _handle, failed);
  }
  child.send({ isLast: true } satisfies Said, failed);
}

export interface Predecessor {
  readonly sockets: ReadonlyMap<string, Handle>;
  /** Calls are taken here now. */
  ready(): void;
}

/** Undefined where this process is nobody's successor. */
export async function predecessor(env: Environment): Promise<Predecessor | undefined> {
  if (env[MARK] !== '1' || process.send === undefined) return undefined;
  const sockets = new Map<string, Handle>();
  await new Promise<void>((resolve) => {
    process.on('message', ({ at, isLast }: Said, handle: unknown) => {
      if (at !== undefined && handle !== undefined) sockets.set(at, handle as Handle);
      if (isLast === true) resolve();
    });
    process.once('disconnect', resolve);
    tell({ wants: 'sockets' });
  });
  return {
    sockets,
    ready: () =>
      tell({ isReady: true }, () => {
        process.removeAllListeners('message');
        if (process.connected) process.disconnect();
      }),
  };
}

/** Whoever has gone meanwhile is told nothing. */
function tell(said: Said, told: () => void = () => undefined): void {
  if (process.connected) process.send?.(said, undefined, {}, told);
}
