/** Saves snapshots for this server, and makes room in a Redis that takes no more writes. */
import type { Clock } from '../../../../lib/clock.ts';
import { noLeader } from '../../../../lib/errors.ts';
import type { Logger } from '../../../../lib/logger.ts';
import type { Snapshot } from '../../event-log.ts';
import { FULL_RETRY_MS } from '../link/limits.ts';
import { SnapshotStore } from '../records/snapshot-store.ts';
import type { History } from '../repair/history.ts';
import type { LinkGate } from './link-gate.ts';

export interface SnapshotKeeperDeps {
  readonly gate: LinkGate;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A snapshot of at least this index is needed. */
  readonly onNeeded: (index: number) => void;
}

export class SnapshotKeeper {
  readonly #deps: SnapshotKeeperDeps;
  /** When room may be made again. */
  #roomAt = Number.NEGATIVE_INFINITY;

  constructor(deps: SnapshotKeeperDeps) {
    this.#deps = deps;
  }

  /** As EventLog.saveSnapshot. */
  async save(snapshot: Snapshot, { ring }: History): Promise<void> {
    const epochLink = this.#deps.gate.current;
    if (epochLink === undefined) throw noLeader();
    const store = new SnapshotStore(epochLink.link);
    await store.save(snapshot, { epoch: epochLink.epoch, keepAfter: ring.base.index });
  }

  /** What a snapshot holds may go, and a new snapshot lets more of it go. */
  async makeRoom({ position: { index } }: History): Promise<void> {
    const { gate, clock, logger, onNeeded } = this.#deps;
    const now = clock.monotonic();
    if (gate.current === undefined || now < this.#roomAt) return;
    this.#roomAt = now + FULL_RETRY_MS;
    logger.error('redis: it takes no writes: it is full, or cannot save; see its own log');
    const { link, epoch } = gate.current;
    // Servers keep in memory what the stream then lacks for a repair.
    const trimmed = new SnapshotStore(link).trim({ epoch, keepAfter: index });
    await trimmed.catch(() => undefined);
    onNeeded(index);
  }
}
