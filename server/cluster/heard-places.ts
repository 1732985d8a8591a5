/**
 * Where agents stand in the network, as they tell with their beats. Who has moved is written, many at once and no more
 * of them in a second than Consul's servers take; and this server moves itself by the same round trips.
 */
import type { Cancel, Clock } from '../../lib/clock.ts';
import { describeChain } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Coordinate, NodeCoordinate } from '../../lib/model.ts';
import { hasMoved, type PlaceAnswered, type PlaceTold } from '../../lib/place.ts';
import type { Random } from '../../lib/random.ts';
import { Vivaldi } from '../../lib/vivaldi.ts';
import type { Command } from '../commands.ts';
import { coordinateKey } from '../state/coordinates.ts';
import type { Outcome } from '../state/outcome.ts';
import type { State } from '../state/state.ts';
import { fold } from '../state/topic-names.ts';
import { Movers } from './movers.ts';

/** A node's place is written no more often than that, as Consul's agents tell it. */
const WRITTEN_EACH_MS = 15_000;
/** Of all servers together, in a second. */
const PER_SECOND = 64;
/** In one entry of the log. */
const AT_ONCE = 128;

export interface HeardPlacesDeps {
  readonly self: { readonly id: string; readonly node: string };
  readonly state: () => State;
  readonly propose: (command: Command) => Promise<Outcome>;
  readonly clock: Pick<Clock, 'after' | 'monotonic'>;
  readonly random: Pick<Random, 'next'>;
  readonly logger: Logger;
}

export class HeardPlaces {
  readonly #deps: HeardPlacesDeps;
  readonly #vivaldi: Vivaldi;
  readonly #movers = new Movers();
  /** To be written, by folded name: the last that was told. No more than nodes. */
  readonly #moved = new Map<string, NodeCoordinate>();
  #cancel: Cancel | undefined;
  #stopped = false;
  /** How many were. */
  written = 0;

  constructor(deps: HeardPlacesDeps) {
    this.#deps = deps;
    this.#vivaldi = new Vivaldi(deps.random);
  }

  get coordinate(): Coordinate {
    return this.#vivaldi.coordinate;
  }

  /** For an answer that took so long. */
  answered(TookMs: number): PlaceAnswered {
    return { Server: this.#deps.self.id, Coord: this.coordinate, TookMs };
  }

  /** Of a node that is in the catalog, by whoever may be it. */
  take(node: string, { Coord, Server, Seconds }: PlaceTold): void {
    const { self, clock } = this.#deps;
    const isAbout = Server === self.id && Seconds > 0;
    if (isAbout && this.#movers.mayMove(node, clock.monotonic())) {
      const most = this.#movers.mostS(node, this.#vivaldi.stepS(Coord, Seconds));
      this.#vivaldi.observe(Coord, Seconds, most);
      this.#look(self.node, this.coordinate);
    }
    this.#look(node, Coord);
    this.#arm();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  #look(Node: string, Coord: Coordinate): void {
    const { catalog, coordinates } = this.#deps.state();
    // What is not there has no place, and would be written again and again.
    if (catalog.node(Node) === undefined) return;
    const before = coordinates.get(coordinateKey(Node, ''));
    if (hasMoved(before?.Coord, Coord)) this.#moved.set(fold(Node), { Node, Segment: '', Coord });
    else this.#moved.delete(fold(Node));
  }

  #arm(): void {
    if (this.#moved.size === 0 || this.#stopped || this.#cancel !== undefined) return;
    this.#cancel = this.#deps.clock.after(WRITTEN_EACH_MS, () => void this.#write());
  }

  /** What is not written now was told by agents who tell it again. */
  async #write(): Promise<void> {
    const { state, propose, logger } = this.#deps;
    const servers = Math.max(1, state().liveServers.size);
    const most = Math.floor((PER_SECOND * WRITTEN_EACH_MS) / 1000 / servers);
    const due = [...this.#moved].slice(0, most);
    for (const [key] of due) this.#moved.delete(key);
    this.#cancel = undefined;
    this.#arm();
    const rows = due.map(([, row]) => row);
    try {
      for (let at = 0; at < rows.length; at += AT_ONCE) {
        const coordinates = rows.slice(at, at + AT_ONCE);
        await propose({ type: 'update-coordinates', coordinates });
        this.written += coordinates.length;
      }
    } catch (error) {
      logger.debug(`coordinates: they are not written: ${describeChain(error)}`);
    }
  }
}
