/**
 * A pair of connections to one Redis process, one of them for the tail's blocking reads. Both are
 * to the same process for certain (the same run_id), and both end together: so no half of the log
 * is ever spoken to on an old master while the other half has moved on. It knows the names of the
 * keys too: whoever has a link needs nothing else to speak to Redis.
 */
import type { Clock } from '../../../../lib/clock.ts';
import { ProconsulError } from '../../../../lib/errors.ts';
import type { Logger } from '../../../../lib/logger.ts';
import type { Sample } from '../../../../lib/metrics/sample.ts';
import { Connection } from './connection.ts';
import type { Keys } from './keys.ts';
import { BLOCK_MS, COMMAND_TIMEOUT_MS } from './limits.ts';
import { redisLogin, unreachable } from './masters.ts';
import type { Address, RedisOptions } from './options.ts';

export class Link {
  readonly commands: Connection;
  readonly tail: Connection;
  readonly info: RedisInfo;
  readonly keys: Keys;
  readonly #aborted = new AbortController();

  constructor(commands: Connection, tail: Connection, info: RedisInfo, keys: Keys) {
    this.commands = commands;
    this.tail = tail;
    this.info = info;
    this.keys = keys;
    commands.onClose(() => this.close());
    tail.onClose(() => this.close());
  }

  get address(): Address {
    return this.commands.address;
  }

  get closed(): boolean {
    return this.#aborted.signal.aborted;
  }

  /** Aborts when the link ends, for whatever reason. */
  get signal(): AbortSignal {
    return this.#aborted.signal;
  }

  /** Safe to call twice; whatever is under way is rejected. */
  close(): void {
    if (this.closed) return;
    this.#aborted.abort();
    this.commands.close();
    this.tail.close();
  }
}

export interface OpenOptions {
  /** Where the master may be, the likeliest first. */
  readonly find: () => Promise<Address[]>;
  /** Gives the attempt up. */
  readonly signal: AbortSignal;
  readonly redis: RedisOptions;
  readonly keys: Keys;
  readonly clock: Clock;
  /** Told how long each answer took, but for those of the tail, which waits for news. */
  readonly roundTrips?: Sample | undefined;
}

/** Rejects 'unavailable' when no master can be reached now, or when the signal aborts first. */
export async function openLink({ signal, ...options }: OpenOptions): Promise<Link> {
  let abort = () => undefined as unknown;
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(notReady('there is news of the master'));
    signal.addEventListener('abort', abort);
  });
  const opening = tryMasters(options);
  try {
    return await Promise.race([opening, aborted]);
  } catch (error) {
    // A frozen master may hold up the attempt for a while yet; nobody waits for what comes of it.
    opening.then(
      (late) => late.close(),
      () => undefined,
    );
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

async function tryMasters(options: Omit<OpenOptions, 'signal'>): Promise<Link> {
  let cause: unknown;
  for (const address of await options.find()) {
    try {
      return await openAt(address, options);
    } catch (error) {
      cause = error;
    }
  }
  throw unreachable('there is no master of Redis', cause);
}

type Target = Pick<OpenOptions, 'redis' | 'keys' | 'clock' | 'roundTrips'>;

async function openAt(address: Address, target: Target): Promise<Link> {
  const { redis, keys, clock, roundTrips } = target;
  const login = redisLogin(redis);
  const opened: Connection[] = [];
  try {
    const commands = await Connection.open(address, login, {
      clock,
      ...(roundTrips && { roundTrips }),
    });
    opened.push(commands);
    const tail = await Connection.open(address, login, {
      clock,
      timeoutMs: BLOCK_MS + COMMAND_TIMEOUT_MS,
    });
    opened.push(tail);
    const [info, tailInfo] = await Promise.all([readInfo(commands), readInfo(tail)]);
    if (info.runId !== tailInfo.runId) throw notReady('two processes answer at one address');
    if (info.role !== 'master') throw notReady('it is a replica');
    if (info.loading) throw notReady('it is loading its data');
    return new Link(commands, tail, info, keys);
  } catch (error) {
    for (const connection of opened) connection.close();
    throw error;
  }
}

async function readInfo(connection: Connection): Promise<RedisInfo> {
  return parseInfo(String(await connection.call('INFO', [])));
}

function notReady(why: string): ProconsulError {
  return new ProconsulError('unavailable', `Redis is not ready: ${why}`);
}

/** What INFO says that matters to the log. */
export interface RedisInfo {
  readonly runId: string;
  readonly version: string;
  readonly role: string;
  readonly loading: boolean;
  readonly evictionPolicy: string;
  readonly appendOnly: boolean;
}

function parseInfo(text: string): RedisInfo {
  const fields = new Map<string, string>();
  for (const line of text.split('\n')) {
    const at = line.indexOf(':');
    if (at > 0) fields.set(line.slice(0, at), line.slice(at + 1).trim());
  }
  const runId = fields.get('run_id');
  if (runId === undefined) {
    throw new ProconsulError('invalid', "the user of Redis may not read INFO's server section");
  }
  return {
    runId,
    // Valkey says redis_version:7.2.4 too, and supports what that one did.
    version: fields.get('redis_version') ?? '',
    role: fields.get('role') ?? '',
    loading: fields.get('loading') === '1',
    evictionPolicy: fields.get('maxmemory_policy') ?? '',
    appendOnly: fields.get('aof_enabled') === '1',
  };
}

/**
 * Throws 'invalid' where the log could not keep its promises: a Redis that evicts was seen to hand
 * out index 1 again. Warns where it may lose what a crash of the machine takes with it;
 * a logger is handed over when that is to be said.
 */
export function checkSuitable(info: RedisInfo, logger?: Logger): void {
  const [major = 0] = info.version.split('.').map(Number);
  if (major < 7) {
    throw new ProconsulError('invalid', `Redis ${info.version} is too old, 7.0 is needed`);
  }
  if (info.evictionPolicy !== 'noeviction') {
    const policy = info.evictionPolicy || 'unknown';
    throw new ProconsulError(
      'invalid',
      `Redis may evict the log (maxmemory-policy is ${policy}); set maxmemory-policy noeviction`,
    );
  }
  if (!info.appendOnly) {
    logger?.warn('redis: appendonly is off: a crash of Redis loses what no server remembers');
  }
}
