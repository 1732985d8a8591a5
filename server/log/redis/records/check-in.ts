/**
 * What a server says of itself to Redis many times a second: that it is here, in which epoch, and how
 * far it has applied. What the others have said comes back with the same message.
 */
import { randomUUID } from 'node:crypto';
import { ProconsulError } from '../../../../lib/errors.ts';
import { defineScript } from '../link/connection.ts';
import type { Link } from '../link/link.ts';
import { dailyKeys, PRELUDE } from './scripts.ts';

/** ARGV, as CheckIn makes them: epoch, server, applied, round, process. */
const CHECKS_IN = `
local now = now_ms()
if is_used(ARGV[2], ARGV[5], now) then return { 'TWICE' } end
local said = table.concat({ int(now), ARGV[3], ARGV[1], ARGV[4], ARGV[5] }, ' ')
-- A Redis that is full can be read from all the same, and under a quorum for that must hear who votes: from a
-- script that has taken something away it takes what comes after.
if type(redis.pcall('HSET', KEYS[4], ARGV[2], said)) == 'table' then
  redis.pcall('HDEL', KEYS[4], ARGV[2])
  redis.pcall('HSET', KEYS[4], ARGV[2], said)
end
`;

/**
 * One key more: the snapshot.
 * Answers OK, the last index and its hash, the wanted snapshot's index, that of the one there is, the
 * round, and of every server its name, the milliseconds since it was seen, how far it had applied; else
 * EPOCH, DAMAGED or TWICE.
 */
const CHECK = defineScript(`${PRELUDE}
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
local snapshot = redis.call('HGET', KEYS[5], 'idx')
-- Of a log that has lost its beginning it was all that a server could start from.
local want = not snapshot and m.floor ~= '0' and m.idx or m.want
return { 'OK', m.idx, m.hash, want, snapshot or '0', int(m.round), servers }
`);

/**
 * Answers OK, the round, and of every server in this epoch when it was seen, how far it had applied, and
 * in which round it said so; else EPOCH or TWICE. What a server has applied in an older epoch may be
 * another history.
 */
const REPORT = defineScript(`${PRELUDE}
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

/** A link whose Redis is in an epoch, and whose history this server has taken part in. */
export interface EpochLink {
  readonly link: Link;
  readonly epoch: number;
}

/** A server as Redis has last heard of it. */
export interface SeenServer {
  readonly server: string;
  readonly silentMs: number;
  readonly applied: number;
}

/** How the log stands in Redis. */
export interface LogStanding {
  readonly index: number;
  readonly hash: string;
  /** A snapshot of this index or a later one is needed; 0 when none is. */
  readonly wantedSnapshot: number;
  /** The index of the snapshot that is there; 0 when there is none. */
  readonly snapshot: number;
  readonly peers: readonly SeenServer[];
}

/** What a server in this epoch has said last. */
export interface Report {
  /** By Redis's clock. */
  readonly seen: number;
  readonly applied: number;
  /** The newest that it had heard of. */
  readonly round: number;
}

export class CheckIn {
  readonly server: string;
  /** Tells two processes apart that have the same server id. */
  readonly process: string = randomUUID();
  readonly #onRound: (epochLink: EpochLink) => void;
  #link: Link | undefined;
  #round = 0;

  /** `onRound`: somebody waits for a majority's word, and what is said from now on counts. */
  constructor(server: string, onRound: (epochLink: EpochLink) => void = () => undefined) {
    this.server = server;
    this.#onRound = onRound;
  }

  /** Checks in, and looks at the log. Rejects 'unavailable' when Redis is not in this epoch. */
  async look(epochLink: EpochLink, applied: number): Promise<LogStanding> {
    const { commands, keys } = epochLink.link;
    const args = this.#argsOf(epochLink, applied);
    const reply = await commands.run(CHECK, [...dailyKeys(keys), keys.snapshot], args);
    const [answer, ...seen] = reply as [string, string, string, string, string, string, string[]];
    if (answer !== 'OK') throw notInEpoch(answer);
    const [index, hash, wanted, snapshot, round, peers] = seen;
    this.heard(epochLink, Number(round));
    return {
      index: Number(index),
      hash,
      wantedSnapshot: Number(wanted),
      snapshot: Number(snapshot),
      peers: parsePeers(peers),
    };
  }

  /** Checks in, and asks what the servers of this epoch have said. Rejects likewise. */
  async report(epochLink: EpochLink, applied: number): Promise<Report[]> {
    const { commands, keys } = epochLink.link;
    const reply = await commands.run(REPORT, dailyKeys(keys), this.#argsOf(epochLink, applied));
    const [answer, round, flat = []] = reply as [string, string?, string[]?];
    if (answer !== 'OK') throw notInEpoch(answer);
    this.heard(epochLink, Number(round));
    return parseReports(flat);
  }

  /** As the scripts take them: the epoch, the server, how far it has applied, the round, the process. */
  #argsOf({ link, epoch }: EpochLink, applied: number): (string | number)[] {
    const round = link === this.#link ? this.#round : 0;
    return [epoch, this.server, applied, round, this.process];
  }

  /**
   * Redis has spoken in a round: what is said from now on was said in this one or later. A clock
   * could not show that: what was sent long ago is stamped by a Redis that stood still when it reads it.
   * By whatever it was told, a round that is new has to be answered.
   */
  heard(epochLink: EpochLink, round: number): void {
    const { link } = epochLink;
    if (link !== this.#link) {
      this.#link = link;
      this.#round = 0;
    }
    if (round <= this.#round) return;
    this.#round = round;
    this.#onRound(epochLink);
  }
}

function notInEpoch(answer: string): ProconsulError {
  return new ProconsulError('unavailable', `Redis is in no epoch of this server: ${answer}`);
}

function parsePeers(flat: readonly string[]): SeenServer[] {
  const peers: SeenServer[] = [];
  for (let i = 0; i + 2 < flat.length; i += 3) {
    const [server = '', silentMs, applied] = flat.slice(i, i + 3);
    peers.push({ server, silentMs: Number(silentMs), applied: Number(applied) });
  }
  return peers;
}

function parseReports(flat: readonly string[]): Report[] {
  const reports: Report[] = [];
  for (let i = 0; i + 2 < flat.length; i += 3) {
    const [seen, applied, round] = flat.slice(i, i + 3).map(Number);
    reports.push({ seen: seen ?? 0, applied: applied ?? 0, round: round ?? 0 });
  }
  return reports;
}
