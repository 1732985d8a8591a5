/**
 * What a server says of itself to Redis many times a second: that it is here, in which epoch, and how
 * far it has applied.
 */
import { randomUUID } from 'node:crypto';
import { defineScript } from '../link/connection.ts';
import type { Session } from '../link/session.ts';
import { PRELUDE } from './scripts.ts';

interface InUse {
  readonly session: Session;
  readonly epoch: number;
}

export class CheckIn {
  readonly server: string;
  /** Tells two processes apart that have the same server id. */
  readonly process: string = randomUUID();
  #session: Session | undefined;
  #round = 0;

  constructor(server: string) {
    this.server = server;
  }

  /** As the scripts take them: the epoch, the server, how far it has applied, the round, the process. */
  argsOf({ session, epoch }: InUse, applied: number): (string | number)[] {
    const round = session === this.#session ? this.#round : 0;
    return [epoch, this.server, applied, round, this.process];
  }

  /**
   * Redis has answered in a round: what is said from now on was said in this one or later. A clock
   * could not show that: what was sent long ago is stamped by a Redis that stood still when it reads it.
   * True where the round is a new one.
   */
  heard({ session }: InUse, round: number): boolean {
    if (session !== this.#session) {
      this.#session = session;
      this.#round = 0;
    }
    const isNew = round > this.#round;
    if (isNew) this.#round = round;
    return isNew;
  }
}

/** ARGV, as CheckIn makes them: epoch, server, applied, round, process. */
const CHECKS_IN = `
local now = now_ms()
if is_used(ARGV[2], ARGV[5], now) then return { 'TWICE' } end
-- A Redis that is full can be read from all the same.
redis.pcall('HSET', KEYS[4], ARGV[2],
  table.concat({ int(now), ARGV[3], ARGV[1], ARGV[4], ARGV[5] }, ' '))
`;

/**
 * One key more: the snapshot.
 * Answers OK, the last index and its hash, the wanted snapshot's index, that of the one there is, the
 * round, and of every server its name, the milliseconds since it was seen, how far it had applied; else
 * EPOCH, DAMAGED or TWICE.
 */
export const CHECK = defineScript(`${PRELUDE}
local m = meta()
if m.run ~= run_id() or m.epoch ~= ARGV[1] then return { 'EPOCH' } end
if not consistent(m) then return { 'DAMAGED' } end
${CHECKS_IN}
local servers = {}
local all = redis.call('HGETALL', KEYS[4])
for i = 1, #all, 2 do
  local seen, applied = string.match(all[i + 1], '^(%d+) (%d+)')
  if seen then
    servers[#servers + 1] = all[i]
    servers[#servers + 1] = int(now - tonumber(seen))
    servers[#servers + 1] = applied
  end
end
return { 'OK', m.idx, m.hash, m.want, redis.call('HGET', KEYS[5], 'idx') or '0', int(m.round), servers }
`);

/**
 * Answers OK, the round, and of every server in this epoch when it was seen, how far it had applied, and
 * in which round it said so; else EPOCH or TWICE. What a server has applied in an older epoch may be
 * another history.
 */
export const REPORT = defineScript(`${PRELUDE}
local m = meta()
if m.run ~= run_id() or m.epoch ~= ARGV[1] then return { 'EPOCH' } end
${CHECKS_IN}
local reports = {}
local all = redis.call('HGETALL', KEYS[4])
for i = 1, #all, 2 do
  local seen, applied, epoch, round = string.match(all[i + 1], '^(%d+) (%d+) (%d+) (%d+) ')
  if epoch == m.epoch then
    reports[#reports + 1] = seen
    reports[#reports + 1] = applied
    reports[#reports + 1] = round
  end
end
return { 'OK', int(m.round), reports }
`);
