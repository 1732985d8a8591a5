/** Names each entry that a fork took away, once: in the logger, and to whoever wants to know. */
import { ProconsulError } from '../../../../lib/errors.ts';
import type { Logger } from '../../../../lib/logger.ts';
import type { Command } from '../../../commands.ts';
import type { PayloadReader } from '../../payload.ts';
import { READ_MAX_ENTRIES } from '../link/limits.ts';
import type { Link } from '../link/link.ts';
import { entryAt, type RawEntry } from '../records/stream.ts';
import { isShared } from './epochs.ts';
import type { History } from './history.ts';
import type { View } from './view.ts';

/** What is said of an entry that a fork took away: enough to do it again by hand. */
export interface LostEntry {
  readonly index: number;
  readonly epoch: number;
  /** The proposal's. */
  readonly id: string;
  readonly type: Command['type'];
  /** The key, node, instance or session that it was about. */
  readonly subject: string;
  /** Milliseconds since 1970. */
  readonly t: number;
}

export type OnLost = (lost: readonly LostEntry[]) => void;

export class Losses {
  readonly #history: History;
  readonly #logger: Logger;
  readonly #onLost: OnLost;
  /** The end of the history whose lost entries were reported. */
  #reportedTip: string | undefined;

  constructor(history: History, logger: Logger, onLost: OnLost) {
    this.#history = history;
    this.#logger = logger;
    this.#onLost = onLost;
  }

  /** Entries that are taken out of Redis, being of a history that does not count. */
  report(entries: readonly RawEntry[]): void {
    if (entries.length === 0) return;
    const lost = entries.map((entry) => describeLost(entry, this.#history.payloads));
    for (const each of lost) this.#logger.error(`redis: lost in a fork: ${formatLost(each)}`);
    this.#onLost(lost);
  }

  /** What this server has applied and the history that counts does not hold; said once. */
  async reportOwn(link: Link, { epochs }: View): Promise<void> {
    const { ring, epochs: its } = this.#history;
    // The restore may have to wait for a snapshot, and then comes here again and again.
    if (this.#reportedTip === ring.tip.hash) return;
    const common = await ring.newestKnown(async ({ index, hash }) => {
      return (await entryAt(link, index))?.hash === hash;
    });
    const oldest = await oldestId(link);
    let after = (common ?? ring.base).index;
    for (;;) {
      const own = ring.after(after, READ_MAX_ENTRIES, Number.POSITIVE_INFINITY);
      const last = own.at(-1);
      if (last === undefined) break;
      after = last.index;
      const args = [link.keys.ids, ...own.map(({ id }) => id)];
      const scores = (await link.commands.call('ZMSCORE', args)) as unknown[];
      // Proposed again, and written in the other history too: not lost. Of a time whose ids Redis has
      // forgotten, it may know at which index it went another way; where it does not, we say so.
      const isKept = (entry: RawEntry) => entry.index < oldest && isShared(entry, its, epochs);
      this.report(own.filter((entry, i) => scores[i] === null && !isKept(entry)));
    }
    this.#reportedTip = ring.tip.hash;
  }
}

/** The index of the oldest entry whose proposal Redis knows. */
async function oldestId({ commands, keys }: Link): Promise<number> {
  const args = [keys.ids, 0, 0, 'WITHSCORES'];
  const [, score] = (await commands.call('ZRANGE', args)) as string[];
  return Number(score ?? Number.POSITIVE_INFINITY);
}

function describeLost(raw: RawEntry, payloads: PayloadReader): LostEntry {
  const { index, epoch, id, t } = raw;
  const command = commandOf(raw, payloads);
  return { index, epoch, id, type: command.type, subject: subjectOf(command), t };
}

function commandOf(raw: RawEntry, payloads: PayloadReader): Command {
  try {
    return payloads.decode(raw);
  } catch (error) {
    if (!(error instanceof ProconsulError)) throw error;
    // Sealed under a key that was taken out since: nobody can say what it was any more.
    return { type: 'void', why: error.message };
  }
}

function formatLost({ index, epoch, id, type, subject, t }: LostEntry): string {
  const time = new Date(t).toISOString();
  return `index ${index} epoch ${epoch} id ${id} ${type} ${JSON.stringify(subject)} at ${time}`;
}

function subjectOf(command: Command): string {
  switch (command.type) {
    case 'kv':
      return command.op.key;
    case 'register':
      return join(command.node.Node, command.service?.ID);
    case 'deregister':
      return join(command.node, command.serviceId ?? command.checkId);
    case 'create-session':
      return command.session.ID;
    case 'destroy-session':
      return command.id;
    case 'expire-sessions':
      return command.ids.join(' ');
    case 'expire-checks':
      return command.checks.map(({ node, id }) => join(node, id)).join(' ');
    case 'txn':
      return command.ops.map((op) => ('kv' in op ? op.kv.key : Object.keys(op).join())).join(' ');
    case 'claim-leadership':
      return command.server;
    default:
      return '';
  }
}

function join(node: string, part: string | undefined): string {
  return part === undefined ? node : `${node}/${part}`;
}
