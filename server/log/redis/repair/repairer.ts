/** Begins an epoch: first puts the stream in order, then lets this Redis take writes. */
import { randomUUID } from 'node:crypto';

import { ProconsulError } from '../../../../lib/errors.ts';
import type { Logger } from '../../../../lib/logger.ts';
import { type Position, START } from '../../event-log.ts';
import type { Script } from '../link/connection.ts';
import { DAMAGE_SCAN_ENTRIES, REPAIR_MAX_ENTRIES, SCRIPT_MAX_BYTES } from '../link/limits.ts';
import type { Link } from '../link/link.ts';
import { SnapshotStore } from '../records/snapshot-store.ts';
import {
  entryAt,
  follows,
  parseStreamItem,
  type RawEntry,
  readAfter,
  readItemsAfter,
  type StreamItem,
  streamId,
} from '../records/stream.ts';
import type { Plan } from './epoch-plan.ts';
import { formatEpochs } from './epochs.ts';
import type { History } from './history.ts';
import type { Losses } from './losses.ts';
import { BEGIN, CUT, REPAIR, RESET, repairKeys } from './repair-scripts.ts';
import type { View } from './view.ts';

export interface RepairerDeps {
  readonly link: Link;
  readonly history: History;
  readonly logger: Logger;
  readonly losses: Losses;
}

/** Enough that no two epochs ever have the same. */
const MARK_CHARS = 16;

type Beginning = Extract<Plan, { kind: 'begin' }>;

export class Repairer {
  readonly #deps: RepairerDeps;
  /** How many entries Redis got from this server. */
  putBack = 0;

  constructor(deps: RepairerDeps) {
    this.#deps = deps;
  }

  /** Does as much as it can until another server has changed something; the caller looks again. */
  async begin(view: View, plan: Beginning): Promise<void> {
    const { logger, history } = this.#deps;
    const state = await this.#prepare(view, plan);
    if (state === undefined) return;
    const isOurs = plan.first === 'repair' || plan.first === 'replace';
    const next = Math.max(plan.next, isOurs ? history.position.index + 1 : 0);
    const mark = randomUUID().replaceAll('-', '').slice(0, MARK_CHARS);
    const before = isOurs ? formatEpochs(history.epochs) : '';
    const answer = await this.#run(BEGIN, [state, plan.epoch, next, mark, before]);
    if (answer === undefined) return;
    const { epoch, first: how } = plan;
    logger.debug('redis: this server began an epoch', { epoch, how, next });
  }

  /** The state after which to begin; undefined when somebody else was at it. */
  async #prepare(view: View, { first }: Beginning): Promise<string | undefined> {
    const { position } = this.#deps.history;
    switch (first) {
      case 'keep':
        return view.state;
      case 'repair':
        return await this.#putBack(view.state, view.index);
      case 'replace':
        return await this.#replace(view);
      case 'salvage':
        this.#deps.logger.warn(
          `redis: the log is damaged, and this server starts at ${position.index}`,
        );
        return await this.#salvage(view);
    }
  }

  /** Our own history from after an index to its end, in as many scripts as it takes. */
  async #putBack(from: string, after: number): Promise<string | undefined> {
    const { history, logger } = this.#deps;
    let state: string | undefined = from;
    let index = after;
    let count = 0;
    while (state !== undefined) {
      const entries = history.ring.after(index, REPAIR_MAX_ENTRIES, SCRIPT_MAX_BYTES);
      const last = entries.at(-1);
      if (last === undefined) break;
      state = await this.#run(REPAIR, [state, ...entries.flatMap(repairArgs)]);
      index = last.index;
      count += entries.length;
    }
    this.putBack += count;
    if (count > 0) logger.debug('redis: put entries back', { count, after });
    return state;
  }

  /** What is in Redis gives way to our own history, from the last entry on that both have. */
  async #replace(view: View): Promise<string | undefined> {
    const { history, logger } = this.#deps;
    const { ring } = history;
    const isThere = async ({ index, hash }: Position) => {
      return (await this.#entryAt(index))?.hash === hash;
    };
    // Mostly the end is there, and something was added; the search expects a common beginning.
    let common: Position | undefined;
    if (await isThere(ring.tip)) {
      await this.#followSound();
      common = ring.tip;
    } else {
      common = await ring.newestKnown(isThere);
    }
    logger.warn(`redis: the log is put right from index ${(common ?? ring.base).index} on`);
    await this.#reportAfter(common ?? ring.base);
    if (common === undefined) return await this.#reset(view, ring.base);
    const { floor, floorHash } = common.index > view.floor ? view : START_FLOOR;
    const state = await this.#cut(view.state, common, floor, floorHash);
    return state === undefined ? undefined : await this.#putBack(state, common.index);
  }

  /** Entries after our own last one that follow from it are in the log, whatever comes then. */
  async #followSound(): Promise<void> {
    const { history, link } = this.#deps;
    for (;;) {
      const entries = await readAfter(link, history.position.index);
      const followed = history.follow(entries);
      if (entries.length === 0 || followed < entries.length) return;
    }
  }

  async #reset(view: View, { index, epoch, hash, t }: Position): Promise<string | undefined> {
    const tip = this.#deps.history.position.index;
    const state = await this.#run(RESET, [view.state, index, epoch, hash, t, tip]);
    return state === undefined ? undefined : await this.#putBack(state, index);
  }

  async #cut(state: string, at: Position, floor: number, floorHash: string) {
    const { index, epoch, hash, t } = at;
    return await this.#run(CUT, [state, index, epoch, hash, t, floor, floorHash]);
  }

  /** Without a history of our own: the longest that can be made of what is there. */
  async #salvage(view: View): Promise<string | undefined> {
    const { link, logger } = this.#deps;
    const end = await this.#soundEnd(view);
    if (end !== undefined) {
      logger.error(`redis: entries after index ${end.index} are damaged and are cut off`);
      return await this.#cut(view.state, end, view.floor, view.floorHash);
    }
    const snapshot = await new SnapshotStore(link).newest();
    if (snapshot !== undefined) {
      const { index, epoch, hash, t } = snapshot.position;
      logger.error(`redis: the stream is gone; entries ${index + 1} to ${view.index} are lost`);
      return await this.#run(RESET, [view.state, index, epoch, hash, t, index]);
    }
    throw new ProconsulError(
      'internal',
      `the log is damaged: its stream does not hold index ${view.index}, there is no snapshot, and no server remembers`,
    );
  }

  /** The entry that the meta record names, else the newest that follows from the one before it. */
  async #soundEnd(view: View): Promise<Position | undefined> {
    const found = await this.#entryAt(view.index);
    if (found?.hash === view.hash) return found;
    const { commands, keys } = this.#deps.link;
    const args = [keys.log, '+', '-', 'COUNT', DAMAGE_SCAN_ENTRIES];
    const items = await commands.call('XREVRANGE', args).catch(() => []);
    const entries = (items as StreamItem[]).map(parseStreamItem);
    return entries.find((entry, i) => {
      const before = entries[i + 1] ?? START;
      return entry !== undefined && follows(before, entry);
    });
  }

  /** Entries that follow from a position on are a history's; all others were never in any. */
  async #reportAfter(position: Position): Promise<void> {
    let from = streamId(position.index);
    let previous = position;
    for (;;) {
      const items = await readItemsAfter(this.#deps.link, from);
      const last = items.at(-1);
      if (last === undefined) return;
      [from] = last;
      const lost: RawEntry[] = [];
      for (const entry of items.map(parseStreamItem)) {
        if (entry === undefined || !follows(previous, entry)) continue;
        lost.push(entry);
        previous = entry;
      }
      this.#deps.losses.report(lost);
      const foreign = items.length - lost.length;
      if (foreign === 0) continue;
      this.#deps.logger.error(`redis: ${foreign} entries of the stream are not of our making`);
    }
  }

  async #entryAt(index: number): Promise<RawEntry | undefined> {
    return await entryAt(this.#deps.link, index);
  }

  /** The new state; undefined when the old one is not what it was. */
  async #run(script: Script, args: readonly (string | number)[]): Promise<string | undefined> {
    const { commands, keys } = this.#deps.link;
    const [answer, state = ''] = (await commands.run(script, repairKeys(keys), args)) as string[];
    if (answer === 'OK') return state;
    if (answer === 'MOVED') return undefined;
    throw new ProconsulError('internal', `Redis refused to repair: ${answer} ${state}`);
  }
}

/** A stream of which no beginning is known. */
const START_FLOOR = { floor: -1, floorHash: '' };

function repairArgs({ index, epoch, t, id, hash, payload }: RawEntry): (string | number)[] {
  return [index, epoch, t, id, hash, payload];
}
