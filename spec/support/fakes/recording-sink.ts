import assert from 'node:assert/strict';
import { encodeJson } from '../../../lib/json.ts';
import type { Command, Entry } from '../../../server/commands.ts';
import { chainHash } from '../../../server/log/chain.ts';
import {
  type LogSink,
  type Position,
  type Snapshot,
  START,
} from '../../../server/log/event-log.ts';
import { positionOf } from '../../../server/log/next-entry.ts';
import { settle } from './fake-clock.ts';

export interface Restored {
  readonly position: Position;
  readonly lines: readonly string[];
}

const BEGINNING: Snapshot = { position: START, lines: [] };

/** A state of its own that remembers what it was fed, and fails on whatever no log may ever feed. */
export class RecordingSink implements LogSink {
  /** Since the last restore. */
  entries: Entry[] = [];
  restored: Restored | undefined;
  position: Position = START;
  readonly #sealed: boolean;
  #restoring = false;
  #seen = new Set<string>();

  /** In a log that is sealed the hashes are those of sealed payloads, which nobody sees here. */
  constructor(sealed = false) {
    this.#sealed = sealed;
  }

  apply(entries: readonly Entry[]): void {
    assert(!this.#restoring, 'entries came while a snapshot was being restored');
    for (const entry of entries) {
      this.#check(entry);
      this.entries.push(entry);
      this.position = positionOf(entry);
    }
  }

  async restore(
    { position, lines }: Snapshot = BEGINNING,
    entries: AsyncIterable<readonly Entry[]> | readonly [] = [],
  ): Promise<void> {
    assert(!this.#restoring, 'two snapshots at a time');
    assert(position.index >= this.position.index || position.epoch > this.position.epoch);
    this.#restoring = true;
    const kept: string[] = [];
    for await (const line of lines) kept.push(line);
    await settle();
    this.#restoring = false;
    this.restored = { position, lines: kept };
    this.position = position;
    this.entries = [];
    for await (const batch of entries) this.apply(batch);
  }

  get ids(): string[] {
    return this.entries.map(({ id }) => id);
  }

  get commands(): Command[] {
    return this.entries.map(({ command }) => command);
  }

  #check({ index, epoch, t, id, hash, command }: Entry): void {
    const { position } = this;
    assert.equal(index, position.index + 1, 'a gap, or an entry twice');
    assert(epoch >= position.epoch, 'the epoch went back');
    assert(t >= position.t, "the log's clock went back");
    assert(!this.#seen.has(id), `${id} was written twice`);
    this.#seen.add(id);
    if (this.#sealed) return;
    const payload = encodeJson(command);
    assert.equal(hash, chainHash(position.hash, { index, epoch, t, id, payload }));
  }
}
