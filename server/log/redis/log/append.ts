/**
 * Writes batches: the same proposals again and again until they are in the log, or time is up. One may be sent while the one
 * before it is under way; but never is it in the log where that is not: `apply` takes a proposal for a repetition when a
 * later one of the same server was there first.
 */
import { byDeadline, type Clock } from '../../../../lib/clock.ts';
import { ProconsulError } from '../../../../lib/errors.ts';
import type { Proposal } from '../../event-log.ts';
import { LOG_TIME } from '../../log-clock.ts';
import { defineScript } from '../link/connection.ts';
import {
  PROPOSAL_BUDGET_MS,
  REMEMBERED_PROPOSALS,
  SCRIPT_MAX_BYTES,
  SCRIPT_MAX_ENTRIES,
} from '../link/limits.ts';
import type { EpochLink } from '../records/check-in.ts';
import { dailyKeys, PRELUDE } from '../records/scripts.ts';
import type { LinkGate } from './link-gate.ts';

const REFUSED = 'Redis refused to append';
const BEHIND = 'BEHIND';

/**
 * ARGV: epoch, the proposal that must be in the log already ('' for none), then id and payload of each.
 * Answers EPOCH when this process is not in that epoch, DAMAGED when the stream does not end where
 * the meta record says, BEHIND where that one is not in it; nothing is written then. Else OK, the last index and its hash: every
 * proposal is in the log.
 */
const APPEND = defineScript(`${PRELUDE}${LOG_TIME}
local m = meta()
if m.run ~= run_id() or m.epoch ~= ARGV[1] then return { 'EPOCH' } end
local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
if last then
  if last[1] ~= m.idx .. '-0' then return { 'DAMAGED' } end
elseif m.floor ~= m.idx then
  return { 'DAMAGED' }
end
if ARGV[2] ~= '' and not redis.call('ZSCORE', KEYS[3], ARGV[2]) then return { '${BEHIND}' } end
local t = int(log_time(tonumber(m.t), now_ms()))
local idx, hash, next = m.idx, m.hash, tonumber(m.next)
local answer = 'OK'
for i = 3, #ARGV, 2 do
  local id, payload = ARGV[i], ARGV[i + 1]
  if not redis.call('ZSCORE', KEYS[3], id) then
    local n = int(next)
    local h = redis.sha1hex(hash .. ' ' .. n .. ' ' .. m.epoch .. ' ' .. t .. ' ' .. id .. ' ' .. payload)
    -- Fails at the first entry or never: where the stream's last id was moved above ours, or where
    -- Redis refuses to write at all.
    local added = redis.pcall('XADD', KEYS[2], n .. '-0',
      'e', m.epoch, 't', t, 'p', id, 'h', h, 'c', payload)
    if type(added) == 'table' and added.err then
      if idx == m.idx and not string.find(added.err, 'equal or smaller') then
        return redis.error_reply(added.err)
      end
      answer = 'DAMAGED'
      break
    end
    redis.call('ZADD', KEYS[3], n, id)
    idx, hash, next = n, h, next + 1
  end
end
if idx ~= m.idx then
  redis.call('HSET', KEYS[1], 'idx', idx, 'hash', hash, 't', t, 'next', int(next))
  redis.call('ZREMRANGEBYRANK', KEYS[3], 0, ${-REMEMBERED_PROPOSALS - 1})
end
return { answer, idx, hash }
`);

/** An entry as Redis names it. The index alone is not enough: another history may use it too. */
export interface Written {
  readonly index: number;
  readonly hash: string;
}

/**
 * Waits until an entry is committed by whatever policy there is: applied by this server at least,
 * for what no server has applied a repair cannot put back. False when the link or time ends, or
 * when this server has applied another entry at that index.
 */
export type Committed = (
  epochLink: EpochLink,
  written: Written,
  deadline: number,
) => Promise<boolean>;

export interface AppenderDeps {
  readonly gate: LinkGate;
  readonly clock: Clock;
  readonly committed: Committed;
  /** Redis takes no writes although it is the right one: it is full, mostly. */
  readonly onRefused: () => void;
}

/** Id and payload in turn, as the script takes them. */
type ScriptArgs = string[];

/** What the script is told in one call. */
interface Call {
  /** What must be in the log already; '' for nothing. */
  readonly after: string;
  readonly args: ScriptArgs;
}

/** A batch from its call until it is settled. */
interface Sent {
  readonly lastId: string;
  /** Where the end of it was sent and nothing is known yet: whatever is sent there now comes behind it. */
  by: EpochLink | undefined;
  readonly settled: Promise<void>;
}

export class Appender {
  readonly #gate: LinkGate;
  readonly #clock: Clock;
  readonly #committed: Committed;
  readonly #onRefused: () => void;
  #newest: Sent | undefined;

  constructor({ gate, clock, committed, onRefused }: AppenderDeps) {
    this.#gate = gate;
    this.#clock = clock;
    this.#committed = committed;
    this.#onRefused = onRefused;
  }

  /** As EventLog.append. Settles within PROPOSAL_BUDGET_MS. */
  async append(batch: readonly Proposal[]): Promise<void> {
    const deadline = this.#clock.monotonic() + PROPOSAL_BUDGET_MS;
    const before = this.#newest;
    let settle = () => {};
    const settled = new Promise<void>((resolve) => {
      settle = resolve;
    });
    const sent: Sent = { lastId: batch.at(-1)?.id ?? '', by: undefined, settled };
    this.#newest = sent;
    try {
      const scripts = [...scriptsOf(batch)];
      const early = await this.#sendBehind(before, scripts, sent, deadline);
      await before?.settled;
      if (typeof early !== 'number') await this.#writeAll(scripts, sent, deadline, early);
    } finally {
      sent.by = undefined;
      if (this.#newest === sent) this.#newest = undefined;
      settle();
    }
  }

  /** One attempt, where the batch before is on its way by the same link; undefined where there was none. */
  async #sendBehind(
    before: Sent | undefined,
    scripts: readonly ScriptArgs[],
    sent: Sent,
    deadline: number,
  ): Promise<number | ProconsulError | undefined> {
    const [only, more] = scripts;
    const by = before?.by;
    if (before === undefined || by === undefined || by !== this.#gate.current) return undefined;
    if (only === undefined || more !== undefined) return undefined;
    sent.by = by;
    const result = await this.#attempt(by, { after: before.lastId, args: only }, deadline);
    sent.by = undefined;
    // A Redis that is full is the right one all the same.
    const isOfUse = typeof result === 'number' || isBehind(result) || result.code === 'rejected';
    if (!isOfUse) by.link.close();
    return result;
  }

  async #writeAll(
    scripts: readonly ScriptArgs[],
    sent: Sent,
    deadline: number,
    early: ProconsulError | undefined,
  ): Promise<void> {
    let last = 0;
    for (const args of scripts) {
      try {
        last = await this.#write(args, deadline, args === scripts.at(-1) ? sent : undefined, early);
      } catch (error) {
        if (last === 0 || !(error instanceof ProconsulError)) throw error;
        throw new ProconsulError('unknown', 'a part of the batch is written', { cause: error });
      }
    }
  }

  async #write(
    args: ScriptArgs,
    deadline: number,
    end: Sent | undefined,
    early: ProconsulError | undefined,
  ): Promise<number> {
    let failure = early;
    while (failure === undefined || this.#clock.monotonic() < deadline) {
      const epochLink = await this.#gate.wait(deadline);
      if (epochLink === undefined) break;
      if (end !== undefined) end.by = epochLink;
      const result = await this.#attempt(epochLink, { after: '', args }, deadline);
      if (end !== undefined) end.by = undefined;
      if (typeof result === 'number') return result;
      // Once a write may have been made, it may have been made however the retries end.
      if (failure?.code !== 'unknown') failure = result;
      if (result.code === 'rejected') {
        this.#onRefused();
        break;
      }
      // Whatever it was, this link is of no more use: the next one begins with a look at all.
      epochLink.link.close();
    }
    if (failure?.code === 'unknown') {
      throw new ProconsulError('unknown', 'a write may have reached Redis', { cause: failure });
    }
    throw new ProconsulError('unavailable', 'Redis takes no writes now', { cause: failure });
  }

  /** The last index once the proposals are in the log for good, else what is known of them. */
  async #attempt(
    epochLink: EpochLink,
    call: Call,
    deadline: number,
  ): Promise<number | ProconsulError> {
    const written = await byDeadline(this.#clock, deadline, this.#run(epochLink, call));
    if (written === 'late') return new ProconsulError('unknown', 'Redis is too slow');
    if (written instanceof ProconsulError) return written;
    if (await this.#committed(epochLink, written, deadline)) return written.index;
    // It was in Redis; whether it is in what the next link finds, the same ids will tell.
    return new ProconsulError('unknown', 'written, but not confirmed in time');
  }

  async #run({ link, epoch }: EpochLink, { after, args }: Call): Promise<Written | ProconsulError> {
    try {
      const told = [epoch, after, ...args];
      const reply = await link.commands.run(APPEND, dailyKeys(link.keys), told);
      const [answer, index, hash = ''] = reply as [string, string?, string?];
      if (answer === 'OK') return { index: Number(index), hash };
      // DAMAGED with an index may come after some were written; EPOCH never does.
      const code = index === undefined ? 'unavailable' : 'unknown';
      return new ProconsulError(code, `${REFUSED}: ${answer}`);
    } catch (error) {
      if (!(error instanceof ProconsulError)) throw error;
      // An answer of another kind may have come in the middle of the script.
      return error.code === 'internal' ? new ProconsulError('unknown', error.message) : error;
    }
  }
}

function isBehind({ message }: ProconsulError): boolean {
  return message === `${REFUSED}: ${BEHIND}`;
}

function* scriptsOf(batch: readonly Proposal[]): Generator<ScriptArgs> {
  let args: ScriptArgs = [];
  let size = 0;
  for (const { id, payload, bytes } of batch) {
    const full = args.length >= SCRIPT_MAX_ENTRIES * 2 || size + bytes > SCRIPT_MAX_BYTES;
    if (full && args.length > 0) {
      yield args;
      args = [];
      size = 0;
    }
    args.push(id, payload);
    size += bytes;
  }
  if (args.length > 0) yield args;
}
