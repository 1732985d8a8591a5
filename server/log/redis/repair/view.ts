/** What a server sees of a Redis that it is about to use, and who else looks at it. */
import { PRESENT_MS, USING_MS } from '../link/limits.ts';
import type { Link } from '../link/link.ts';
import type { CheckIn } from '../records/check-in.ts';
import { type EpochStart, parseEpochs } from './epochs.ts';
import type { History } from './history.ts';
import { CANDIDATE_FRESH_MS, repairKeys, VIEW } from './repair-scripts.ts';

/** What a server has applied, as it tells the others before an epoch begins. */
export interface Candidate {
  readonly server: string;
  readonly epoch: number;
  readonly index: number;
  readonly hash: string;
  /** Whether it has a history of its own, from before this epoch. */
  readonly warm: boolean;
  /** The epoch that it has promised to this Redis alone; 0 when none. */
  readonly ballot: number;
  /** As its ballot says. */
  readonly start: number;
}

export interface View {
  readonly run: string;
  readonly epochRun: string;
  readonly epoch: number;
  readonly index: number;
  readonly hash: string;
  readonly t: number;
  readonly next: number;
  /** Where the stream was begun anew; -1 once it was trimmed. */
  readonly floor: number;
  readonly floorHash: string;
  readonly length: number;
  /** Of the stream's first entry; 0 when there is none. */
  readonly firstIndex: number;
  /** Of the entry at this server's own index; '' when there is none. */
  readonly hashAtMine: string;
  /** Whether the stream ends where the meta record says. */
  readonly consistent: boolean;
  /** How long ago the first server saw that an epoch has to begin. */
  readonly sinceMs: number;
  readonly state: string;
  readonly candidates: readonly Candidate[];
  /** Servers that lived when this Redis was last in use. */
  readonly live: readonly string[];
  /** Servers that have used it in its epoch a moment ago. */
  readonly users: readonly string[];
  /** The newest epochs, oldest first. */
  readonly epochs: readonly EpochStart[];
}

/**
 * Looks, and publishes what this server holds where an epoch has to begin. An epoch that is older
 * than what this server has promised to another Redis is ended: all have to begin the next. Undefined where another
 * process, which lives, has the same server id.
 */
export async function lookAt(
  { commands, keys }: Link,
  { server, process }: CheckIn,
  history: History,
): Promise<View | undefined> {
  const { index, hash } = history.position;
  const { run, epoch: promised, elsewhere, start } = history.ballot;
  const held = [server, history.epoch, index, hash, history.warm ? 1 : 0];
  const args = [...held, promised, elsewhere, process, start, run];
  const reply = (await commands.run(VIEW, repairKeys(keys), args)) as readonly unknown[];
  return reply[0] === 'TWICE' ? undefined : parseView(reply);
}

function parseView(reply: readonly unknown[]): View {
  const text = (at: number) => String(reply[at] ?? '');
  const number = (at: number) => Number.parseInt(text(at), 10) || 0;
  const flat = (at: number) => (reply[at] ?? []) as readonly string[];
  const now = number(15);
  return {
    run: text(0),
    epochRun: text(1),
    epoch: number(2),
    index: number(3),
    hash: text(4),
    t: number(5),
    next: number(6),
    floor: number(7),
    floorHash: text(8),
    length: number(10),
    firstIndex: number(11),
    hashAtMine: text(12),
    consistent: text(13) === '1',
    sinceMs: number(14),
    state: text(16),
    candidates: parseCandidates(flat(17), now),
    live: parseLive(flat(18)),
    users: parseUsers(flat(18), text(2), now),
    epochs: parseEpochs(text(19)),
  };
}

function parseCandidates(flat: readonly string[], now: number): Candidate[] {
  const candidates: Candidate[] = [];
  for (const [server, value] of pairs(flat)) {
    if (server.startsWith(':')) continue;
    const [at, epoch, index, warm, ballot, hash = '', start] = value.split(' ');
    if (now - Number(at) > CANDIDATE_FRESH_MS) continue;
    candidates.push({
      server,
      epoch: Number(epoch),
      index: Number(index),
      hash,
      warm: warm === '1',
      ballot: Number(ballot) || 0,
      start: Number(start) || 0,
    });
  }
  return candidates;
}

/** Seen not much before the last sign of life of any server: so old a Redis may be, this is right. */
function parseLive(flat: readonly string[]): string[] {
  const seen = pairs(flat).map(([server, value]) => ({ server, at: Number.parseInt(value, 10) }));
  const last = Math.max(0, ...seen.map(({ at }) => at));
  return seen.filter(({ at }) => at >= last - PRESENT_MS).map(({ server }) => server);
}

/** Each says several times a second how far it has applied, and in which epoch. */
function parseUsers(flat: readonly string[], epoch: string, now: number): string[] {
  const isUsing = (value: string) => {
    const [at, , its] = value.split(' ');
    const age = now - Number(at);
    return its === epoch && age >= 0 && age <= USING_MS;
  };
  return pairs(flat)
    .filter(([, value]) => isUsing(value))
    .map(([server]) => server);
}

function pairs(flat: readonly string[]): [string, string][] {
  const found: [string, string][] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) found.push([flat[i] ?? '', flat[i + 1] ?? '']);
  return found;
}
