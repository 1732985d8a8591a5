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
/** For one that is not wanted after all. */
const ENDING_MS = 5000;

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
  /** This process is to end, and so is whatever was to come after it. */
  readonly signal: AbortSignal;
}

/** Resolves when it has taken over. Rejects with a ProconsulError where it has not: it is gone then, and this one goes on. */
export function handOver({ words, env, clock, sockets, signal }: Succeeding): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = startSuccessor(words, { ...env, [MARK]: '1' });
    const over = (why: string) => {
      cancel();
      signal.removeEventListener('abort', told);
      child.removeAllListeners();
      child.on('error', () => undefined);
      if (why === '') child.unref();
      else end(child, clock);
      if (child.connected) child.disconnect();
      if (why === '') resolve(child.pid ?? 0);
      else reject(new ProconsulError('unavailable', why));
    };
    const told = () => over('this one is told to end');
    signal.addEventListener('abort', told, { once: true });
    const cancel = clock.after(READY_MS, () => over('it was not ready in time'));
    child.once('error', ({ message }) => over(message));
    child.once('exit', (code, signal) => over(`it ended (${signal ?? code})`));
    child.on('message', ({ wants, isReady }: Said) => {
      if (wants === 'sockets') give(child, sockets);
      if (isReady === true) over('');
    });
  });
}

/** As it has been told, or else at once: at its last step it may have begun to take calls. */
function end(child: ChildProcess, clock: Succeeding['clock']): void {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const cancel = clock.after(ENDING_MS, () => child.kill('SIGKILL'));
  child.once('exit', cancel);
  child.kill('SIGTERM');
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

/** Whoever asks before somebody can see to it is heard then: a signal that nobody expects would end the process. */
export function renewals(onRenewal: (tell: () => void) => void): (tell: () => void) => void {
  let isAsked = false;
  let see = () => {
    isAsked = true;
  };
  onRenewal(() => see());
  return (tell) => {
    see = tell;
    if (isAsked) tell();
  };
}

export interface Predecessor {
  readonly sockets: ReadonlyMap<string, Handle>;
  /** Calls are taken here now. */
  ready(): void;
  /** There is nothing more to say: until then this process does not end. */
  leave(): void;
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
    ready: () => tell({ isReady: true }, leave),
    leave,
  };
}

function leave(): void {
  process.removeAllListeners('message');
  if (process.connected) process.disconnect();
}

/** Whoever has gone meanwhile is told nothing. */
function tell(said: Said, told: () => void = () => undefined): void {
  if (process.connected) process.send?.(said, undefined, {}, told);
}
