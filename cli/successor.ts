/**
 * Another process in this one's place, without a moment in which nobody listens: it is begun with the same words,
 * is handed the sockets, and says when it is ready. Until then nothing changes; from then on this one may end.
 */
import type { ChildProcess } from 'node:child_process';
import { type Environment, startSuccessor } from '../lib/child.ts';
import type { Clock } from '../lib/clock.ts';
import { ProconsulError } from '../lib/errors.ts';
import type { Handle } from '../lib/listening.ts';

/** Set for it: what else begins a process may speak to it in another way. */
export const SUCCEEDS = 'PROCONSUL_SUCCEEDS';
/** For all that it has to learn before it can take calls. */
const READY_MS = 60_000;
const TOLD_TO_END = 'this one is told to end';
/** For one that is not wanted after all. */
const ENDING_MS = 5000;

export interface Said {
  readonly wants?: 'sockets';
  readonly isReady?: true;
  readonly at?: string;
  readonly isLast?: true;
}

/** Where this process listens. */
export interface Open {
  /** As the kernel has it: whoever is given that may listen there too. */
  share(): ReadonlyMap<string, Handle>;
  /** Whoever was given it has gone. */
  alone(): void;
}

export interface Succeeding {
  readonly words: readonly string[];
  readonly env: Environment;
  readonly clock: Pick<Clock, 'after'>;
  readonly sockets: Open;
  /** This process is to end, and so is whatever was to come after it. */
  readonly signal: AbortSignal;
}

/** Resolves when it has taken over. Rejects with a ProconsulError where it has not, once it is gone: this one goes on. */
export function handOver({ words, env, clock, sockets, signal }: Succeeding): Promise<number> {
  // What drains already has nobody in its place.
  if (signal.aborted) return Promise.reject(new ProconsulError('unavailable', TOLD_TO_END));
  return new Promise((resolve, reject) => {
    const child = startSuccessor(words, { ...env, [SUCCEEDS]: '1' });
    const over = (why: string) => {
      cancel();
      signal.removeEventListener('abort', told);
      child.removeAllListeners();
      child.on('error', () => undefined);
      const isGone = why === '' ? child.unref() : end(child, clock);
      if (child.connected) child.disconnect();
      if (isGone === undefined) resolve(child.pid ?? 0);
      else
        void isGone.then(() => {
          sockets.alone();
          reject(new ProconsulError('unavailable', why));
        });
    };
    const told = () => over(TOLD_TO_END);
    signal.addEventListener('abort', told, { once: true });
    const cancel = clock.after(READY_MS, () => over('it was not ready in time'));
    child.once('error', ({ message }) => over(message));
    child.once('exit', (code, signal) => over(`it ended (${signal ?? code})`));
    child.on('message', ({ wants, isReady }: Said) => {
      if (wants === 'sockets') give(child, sockets.share());
      if (isReady === true) over('');
    });
  });
}

/**
 * As it has been told, or else at once: at its last step it may have begun to take calls. Resolves when it is gone: as long as it
 * has the sockets, whoever is in line there without this one is taken by nobody.
 */
function end(child: ChildProcess, clock: Succeeding['clock']): Promise<void> {
  const { pid, exitCode, signalCode } = child;
  if (pid === undefined || exitCode !== null || signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    const cancel = clock.after(ENDING_MS, () => child.kill('SIGKILL'));
    child.once('exit', () => {
      cancel();
      resolve();
    });
    child.kill('SIGTERM');
  });
}

/** A process at the other end of a channel: one that this one has begun, or the one that began it. */
type Other = Pick<NodeJS.Process, 'send'> | Pick<ChildProcess, 'send'>;

function give(other: Other, sockets: ReadonlyMap<string, Handle>): void {
  const send = (said: Said, handle?: Handle) => {
    other.send?.(said, handle as never, {}, () => undefined);
  };
  for (const [at, handle] of sockets) send({ at }, handle);
  send({ isLast: true });
}

/**
 * The agent that runs this process may ask for its sockets, for another that it begins in this one's place. While this one
 * waits for some itself, that one waits too.
 */
export function offer(sockets: Promise<Open>): void {
  if (process.send === undefined) return;
  process.on('message', ({ wants }: Said) => {
    if (wants === 'sockets') void sockets.then((open) => give(process, open.share()));
  });
  // What is not asked keeps nothing from its end; while this one asks, there is nothing else that keeps it.
  void sockets.then(() => process.channel?.unref());
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

/** Undefined where this process is nobody's successor. `isKept`: whoever began it may have more to say. */
export async function predecessor(
  env: Environment,
  isKept: boolean,
): Promise<Predecessor | undefined> {
  if (env[SUCCEEDS] !== '1' || process.send === undefined) return undefined;
  const sockets = new Map<string, Handle>();
  let heard: NodeJS.MessageListener = () => undefined;
  await new Promise<void>((resolve) => {
    heard = (said, handle: unknown) => {
      const { at, isLast } = said as Said;
      if (at !== undefined && handle !== undefined) keep(sockets, at, handle as Handle);
      if (isLast === true) resolve();
    };
    process.on('message', heard);
    process.once('disconnect', resolve);
    tell({ wants: 'sockets' });
  });
  const leave = () => {
    process.off('message', heard);
    if (process.connected && !isKept) process.disconnect();
  };
  return {
    sockets,
    ready: () => tell({ isReady: true }, leave),
    leave,
  };
}

/** Of several before this one, two may have the same: what nobody closes would listen for good, and take nobody. */
function keep(sockets: Map<string, Handle>, at: string, handle: Handle): void {
  if (sockets.has(at)) handle.close();
  else sockets.set(at, handle);
}

/** Whoever has gone meanwhile is told nothing. */
function tell(said: Said, told: () => void = () => undefined): void {
  if (process.connected) process.send?.(said, undefined, {}, told);
}
