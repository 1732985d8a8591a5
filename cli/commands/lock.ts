import type { ChildProcess } from 'node:child_process';
import { posix } from 'node:path';
import { childFault, startChild } from '../../lib/child.ts';
import { pause, systemClock } from '../../lib/clock.ts';
import { NS_PER_MS, parseDuration } from '../../lib/duration.ts';
import { ProconsulError } from '../../lib/errors.ts';
import { type Command, explained, type Invocation } from '../command.ts';
import type { FlagValues } from '../flag-values.ts';
import { KeyLock } from '../key-lock.ts';
import { KeySemaphore } from '../key-semaphore.ts';
import type { HeldLock } from '../lock-session.ts';

/** Between the request to end and the end, for a child whose lock is lost. */
const KILL_GRACE_MS = 5000;
const CHILD_FAILED = 2;

export const command: Command = {
  synopsis: '[options] prefix child...',
  details: 'The lock is at the prefix. A program whose lock is lost is told to end.',
  examples: [
    'locks/report ./make-report.sh',
    '-timeout=10s -child-exit-code locks/report ./make-report.sh',
  ],
  http: 'query',
  flags: new Map([
    ['child-exit-code', { kind: 'bool', help: 'Exit with 2 where the program fails.' }],
    [
      'monitor-retry',
      { kind: 'int', help: 'Failed looks before the lock counts as lost (3 by default).' },
    ],
    ['n', { kind: 'int', help: 'So many may hold it at once (1 by default).' }],
    ['name', { kind: 'string', help: 'Name of the session.' }],
    ['pass-stdin', { kind: 'bool', help: 'The program reads the standard input.' }],
    ['shell', { kind: 'bool', help: 'Run the program by a shell (the default).' }],
    ['timeout', { kind: 'string', help: 'How long to wait for the lock, as 10s; 0 is for ever.' }],
    ['try', { kind: 'string', help: 'As -timeout.' }],
    ['verbose', { kind: 'bool', help: 'Say each step.' }],
  ]),

  async run(invocation) {
    const { flags, args, host, client } = invocation;
    const [prefix, ...words] = args;
    refuseBadFlags(flags);
    if (prefix === undefined || words.length === 0) {
      throw new ProconsulError('invalid', 'Key prefix and child command must be specified');
    }
    const timeoutMs = timeoutOf(flags);
    const limit = flags.has('n') ? Number(flags.text('n')) : 1;
    const options = {
      sessionName: flags.text('name') || `Consul lock for '${words.join(' ')}' at '${prefix}'`,
      monitorRetries: flags.has('monitor-retry') ? Number(flags.text('monitor-retry')) : 3,
      clock: systemClock,
      client,
      signal: host.signal,
    };
    const say = sayer(invocation);
    const key = posix.join(prefix, '.lock').replace(/^\//, '');
    const folder = posix.dirname(key);
    if (limit === 1) say(`Setting up lock at path: ${key}`);
    else say(`Setting up semaphore (limit ${limit}) at prefix: ${folder}`);
    const held =
      limit === 1
        ? new KeyLock({ ...options, key })
        : new KeySemaphore({ ...options, prefix: folder, limit });
    return await under(held, invocation, { words, timeoutMs });
  },
};

interface Task {
  readonly words: readonly string[];
  readonly timeoutMs: number;
}

async function under(held: HeldLock, invocation: Invocation, task: Task): Promise<number> {
  const { flags, host } = invocation;
  const say = sayer(invocation);
  let fault = '';
  try {
    say('Attempting lock acquisition');
    const acquired = await explained('Lock acquisition failed', held.acquire(task.timeoutMs));
    if (!acquired) {
      const why = 'Shutdown triggered or timeout during lock acquisition';
      throw new ProconsulError('unavailable', why);
    }
    say('Starting handler');
    fault = await runChild(held, invocation, task.words);
    if (fault !== '') host.printError(`Error running handler: ${fault}\n`);
  } finally {
    say('Child terminated, releasing lock');
    const removed = await explained('Lock release failed', held.release());
    say(removed ? 'Cleanup succeeded' : 'Cleanup aborted, lock in use');
  }
  if (held.lost.aborted) return 1;
  return fault !== '' && flags.isSet('child-exit-code') ? CHILD_FAILED : 0;
}

/** Resolves when the child has ended, by itself or because the lock or this process has to go. */
async function runChild(
  held: HeldLock,
  { flags, host }: Invocation,
  words: readonly string[],
): Promise<string> {
  const child = startChild({
    words,
    shell: !flags.has('shell') || flags.isSet('shell'),
    env: { ...host.env, CONSUL_LOCK_HELD: 'true' },
    ...(flags.isSet('pass-stdin') ? { input: 'inherit' } : {}),
  });
  const ended = new AbortController();
  const end = () => void endChild(child, ended.signal);
  const onLost = () => {
    host.printError('Lock lost, killing child\n');
    end();
  };
  held.lost.addEventListener('abort', onLost, { once: true });
  host.signal.addEventListener('abort', end, { once: true });
  if (held.lost.aborted) onLost();
  if (host.signal.aborted) end();
  const fault = await childFault(child);
  ended.abort();
  held.lost.removeEventListener('abort', onLost);
  host.signal.removeEventListener('abort', end);
  return fault;
}

async function endChild(child: ChildProcess, ended: AbortSignal): Promise<void> {
  child.kill('SIGTERM');
  await pause(systemClock, KILL_GRACE_MS, ended);
  if (!ended.aborted) child.kill('SIGKILL');
}

function sayer({ flags, host }: Invocation): (text: string) => void {
  return (text) => {
    if (flags.isSet('verbose')) host.print(`${text}\n`);
  };
}

function refuseBadFlags(flags: FlagValues): void {
  const holders = flags.has('n') ? Number(flags.text('n')) : 1;
  const refuse = (why: string) => new ProconsulError('invalid', why);
  if (holders < 1) throw refuse('Lock holder limit must be positive');
  if (Number(flags.text('monitor-retry')) < 0) {
    throw refuse("Number for 'monitor-retry' must be >= 0");
  }
}

function timeoutOf(flags: FlagValues): number {
  const name = flags.has('timeout') ? 'timeout' : 'try';
  const text = flags.text(name) || '0';
  const ns = parseDuration(text);
  if (ns !== undefined && ns >= 0) return ns / NS_PER_MS;
  const quoted = JSON.stringify(text);
  const why = `time: invalid duration ${quoted}`;
  throw new ProconsulError('invalid', `invalid value ${quoted} for flag -${name}: ${why}`);
}
