/**
 * A pair of connections to one Redis process, one of them for the tail's blocking reads. Both are
 * to the same process for certain (the same run_id), and both end together: so no half of the log
 * is ever spoken to on an old master while the other half has moved on. It knows the names of the
 * keys too: whoever has a link needs nothing else to speak to Redis.
 */
import type { Clock } from '../../../../lib/clock.ts';
import { ProconsulError } from '../../../../lib/errors.ts';
import type { Sample } from '../../../../lib/metrics/sample.ts';
import { Connection } from './connection.ts';
import { type RedisInfo, readInfo } from './info.ts';
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

function notReady(why: string): ProconsulError {
  return new ProconsulError('unavailable', `Redis is not ready: ${why}`);
}
