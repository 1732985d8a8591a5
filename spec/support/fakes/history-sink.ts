import assert from 'node:assert/strict';
import type { Entry } from '../../../server/commands.ts';
import {
  type LogSink,
  type Position,
  type Snapshot,
  START,
} from '../../../server/log/event-log.ts';
import { positionOf } from '../../../server/log/next-entry.ts';

const BEGINNING: Snapshot = { position: START, lines: [] };

/** A state that is the whole history: its snapshots carry it, and no index may mean two things. */
export class HistorySink implements LogSink {
  position: Position = START;
  ids: string[] = [];
  restores = 0;
  /** Every index that was ever applied here, with its hash; across forks too. */
  readonly everSeen = new Map<number, string>();
  /** Indexes that stood for one entry, and later for another. */
  readonly reusedIndexes: number[] = [];

  apply(entries: readonly Entry[]): void {
    for (const entry of entries) {
      const { position } = this;
      const next = entry.index === position.index + 1;
      const jump = entry.index > position.index && entry.epoch > position.epoch;
      assert(next || jump, `index ${entry.index} after ${position.index}`);
      const seen = this.everSeen.get(entry.index);
      if (seen !== undefined && seen !== entry.hash) this.reusedIndexes.push(entry.index);
      this.everSeen.set(entry.index, entry.hash);
      this.ids.push(entry.id);
      this.position = positionOf(entry);
    }
  }

  async restore(
    { position, lines }: Snapshot = BEGINNING,
    entries: AsyncIterable<readonly Entry[]> | readonly [] = [],
  ): Promise<void> {
    this.restores++;
    const ids: string[] = [];
    for await (const line of lines) ids.push(JSON.parse(line) as string);
    this.ids = ids;
    this.position = position;
    for await (const batch of entries) this.apply(batch);
  }

  snapshot(): Snapshot {
    return { position: this.position, lines: this.ids.map((id) => JSON.stringify(id)) };
  }
}
