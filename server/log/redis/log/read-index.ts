/** One question to Redis serves all reads that came before it was sent. */
import { byDeadline, type Clock } from '../../../../lib/clock.ts';
import { ProconsulError } from '../../../../lib/errors.ts';
import { defineScript, redisSaid } from '../link/connection.ts';
import { PROPOSAL_BUDGET_MS } from '../link/limits.ts';
import type { EpochLink } from '../records/check-in.ts';
import { dailyKeys, PRELUDE } from '../records/scripts.ts';
import type { LinkGate } from './link-gate.ts';

/**
 * One key more: the bell. ARGV: epoch; 1 where a round is to begin, else 0. Answers OK, the last index and the round; EPOCH:
 * one that others began is not for us; or REFUSED, and why Redis does not write now.
 */
const READ_INDEX = defineScript(`${PRELUDE}
local m = meta()
if m.run ~= run_id() or m.epoch ~= ARGV[1] then return { 'EPOCH' } end
if ARGV[2] == '1' then
  -- Begun anew, for it holds no more than one, and what stands there may be nothing of ours. First, since a Redis
  -- that is full takes what needs room from a script that has taken something away.
  redis.pcall('DEL', KEYS[5])
  local round = redis.pcall('HINCRBY', KEYS[1], 'round', 1)
  if type(round) == 'table' then return { 'REFUSED', round.err } end
  m.round = round
  -- Who does not hear it looks now and then.
  redis.pcall('XADD', KEYS[5], m.epoch .. '-' .. int(m.round), 'r', '1')
end
return { 'OK', m.idx, int(m.round) }
`);

/** What a read asked for, and was told. */
export interface Told {
  readonly round: number;
  readonly index: number;
}

/**
 * Whether the Redis that began this round was still the one that counts, and the index is there for good; false
 * when the link or the time ends before that is known.
 */
export type Confirmed = (epochLink: EpochLink, told: Told, deadline: number) => Promise<boolean>;

export interface ReadIndexDeps {
  readonly gate: LinkGate;
  readonly clock: Clock;
  /** Where each question begins a round of its own, and counts when a majority took part in it. */
  readonly confirmed?: Confirmed;
}

export class ReadIndex {
  readonly #gate: LinkGate;
  readonly #clock: Clock;
  readonly #confirmed: Confirmed | undefined;
  #underWay: Promise<unknown> = Promise.resolve();
  #next: Promise<number> | undefined;

  constructor({ gate, clock, confirmed }: ReadIndexDeps) {
    this.#gate = gate;
    this.#clock = clock;
    this.#confirmed = confirmed;
  }

  /** As EventLog.readIndex. Settles within 2 s. */
  async read(): Promise<number> {
    // A question that is under way may have been answered before our caller's write: not that one.
    this.#next ??= this.#ask(this.#underWay);
    return await this.#next;
  }

  async #ask(before: Promise<unknown>): Promise<number> {
    const deadline = this.#clock.monotonic() + PROPOSAL_BUDGET_MS;
    await byDeadline(
      this.#clock,
      deadline,
      before.catch(() => undefined),
    );
    // From here on it counts as sent: who comes now gets the next one.
    this.#underWay = this.#next ?? Promise.resolve();
    this.#next = undefined;
    for (;;) {
      const epochLink = await this.#gate.wait(deadline);
      const index = epochLink === undefined ? undefined : await this.#run(epochLink, deadline);
      if (index !== undefined) return index;
      if (epochLink === undefined || this.#clock.monotonic() >= deadline) throw notKnown();
      epochLink.link.close();
    }
  }

  async #run(epochLink: EpochLink, deadline: number): Promise<number | undefined> {
    const { link, epoch } = epochLink;
    const args = [epoch, this.#confirmed === undefined ? 0 : 1];
    const asked = link.commands
      .run(READ_INDEX, [...dailyKeys(link.keys), link.keys.bell], args)
      .catch(asFailure);
    const reply = await byDeadline(this.#clock, deadline, asked);
    if (reply === 'late' || reply instanceof ProconsulError) return undefined;
    const [answer, index, round] = reply as [string, string?, string?];
    if (answer === 'REFUSED') return refused(index);
    if (answer !== 'OK') return undefined;
    const told = { round: Number(round), index: Number(index) };
    if (this.#confirmed === undefined) return told.index;
    return (await this.#confirmed(epochLink, told, deadline)) ? told.index : undefined;
  }
}

/** Redis before 7 says in front of an error where in the script it came from. */
const WHERE = /^(?:@user_script: ?\d*:? ?)?-?/;

/** Throws where it is the right Redis that says so, for the next link would lead to it too: not where it leads no more. */
function refused(why = ''): undefined {
  const said = redisSaid(why.replace(WHERE, ''));
  if (said.code !== 'unavailable') throw notKnown(said.message);
  return undefined;
}

function asFailure(error: unknown): ProconsulError {
  if (error instanceof ProconsulError) return error;
  throw error;
}

function notKnown(why?: string): ProconsulError {
  const text = 'Redis cannot tell the newest index now';
  return new ProconsulError('unavailable', why === undefined ? text : `${text}: ${why}`);
}
