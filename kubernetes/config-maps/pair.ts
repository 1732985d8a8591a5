/** A prefix of keys and a ConfigMap that are kept in step, while it is this sync's turn. */
import { type Clock, pause } from '../../lib/clock.ts';
import { messageOf, ProconsulError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import { Notices } from '../../lib/notices.ts';
import type { Random } from '../../lib/random.ts';
import { retryMs } from '../../lib/retries.ts';
import { Waiters } from '../../lib/waiters.ts';
import type { Mirror } from '../api/mirror.ts';
import type { Said } from '../api/shapes.ts';
import { type Fence, mirrorIn, type WayDeps } from '../way.ts';
import { agreedOf, intended } from './agreed.ts';
import { bytesOf, type Contents } from './contents.ts';
import { KeptKeys } from './kept-keys.ts';
import { KeptMap } from './kept-map.ts';
import { type Merged, merged } from './merged.ts';
import {
  MAX_MAP_BYTES,
  MAX_NAMES,
  type MapRule,
  shownMap,
  writesKeys,
  writesMap,
} from './rules.ts';

/** Nothing comes of it to look once more. */
const IDLE_MS = 3600_000;
/** Several changes of a moment are one write. */
const QUIET_MS = 50;

export class Pair {
  readonly #rule: MapRule;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #notices: Notices;
  readonly #waiters: Waiters;
  readonly #keys: KeptKeys;
  readonly #map: KeptMap;
  readonly #onRead: () => void;
  readonly mirror: Mirror<Said>;
  /** Something of it is to be looked at. */
  isChanged = true;
  #isFresh = false;
  /** Names that were in conflict when this was last told. */
  #told: readonly string[] = [];
  /** Keys and maps that were taken of this one, and how often one was not. */
  written = 0;
  refused = 0;

  constructor(deps: WayDeps, rule: MapRule) {
    const { api, catalog, clock, random, logger } = deps;
    this.#rule = rule;
    this.#clock = clock;
    this.#random = random;
    this.#notices = noticesOf(logger);
    this.#waiters = new Waiters(clock);
    this.#onRead = deps.onRead;
    const changed = () => this.#look();
    this.#map = new KeptMap(api, rule);
    this.mirror = mirrorIn(
      { ...deps, onRead: changed },
      rule.namespace,
      this.#map.mirrored(changed),
    );
    this.#keys = new KeptKeys({ catalog, clock, random }, rule, {
      changed,
      lost: (why) => this.#notices.tell('keys', `cannot read the keys of ${rule.prefix}: ${why}`),
    });
  }

  /** Before, what is not there may only not have been read yet. */
  get isWhole(): boolean {
    return this.#keys.now !== undefined && this.mirror.isWhole;
  }

  async read(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#keys.run(signal), this.mirror.run(signal)]);
  }

  /** Until the signal is aborted; rejects with ProconsulError 'rejected' where the lock is another's. */
  async work(fence: Fence, signal: AbortSignal): Promise<void> {
    let failures = 0;
    this.#isFresh = false;
    while (!signal.aborted) {
      try {
        await this.#step(fence, signal);
        failures = 0;
      } catch (error) {
        if (!(error instanceof ProconsulError) || error.code === 'rejected') throw error;
        if (!signal.aborted) await this.#failed(error, ++failures, signal);
      }
    }
  }

  async #step(fence: Fence, signal: AbortSignal): Promise<void> {
    // Another had the turn until now, or nobody knows what became of a write.
    if (!this.#isFresh || this.#map.isDoubtful) await this.#readAnew(signal);
    this.#isFresh = true;
    this.isChanged = false;
    await this.#settle(fence, signal);
    if (!this.isChanged) await this.#waiters.wait(IDLE_MS, signal);
    await pause(this.#clock, QUIET_MS, signal);
  }

  async #failed(error: ProconsulError, failures: number, signal: AbortSignal): Promise<void> {
    this.#isFresh = false;
    this.refused++;
    // Who lost a race once looks again.
    if (error.code !== 'busy' || failures > 1) {
      const both = `${shownMap(this.#rule)} and ${this.#rule.prefix}`;
      this.#notices.tell('', `${both}: ${messageOf(error)}`);
    }
    await pause(this.#clock, retryMs(failures, this.#random), signal);
  }

  async #readAnew(signal: AbortSignal): Promise<void> {
    await this.#keys.readAnew(signal);
    await this.#map.readAnew(signal);
  }

  #look(): void {
    this.isChanged = true;
    this.#onRead();
    this.#waiters.wakeAll();
  }

  async #settle(fence: Fence, signal: AbortSignal): Promise<void> {
    if (!this.isWhole) return;
    const [rule, map] = [this.#rule, this.#map];
    if (writesMap(rule) && map.isOthers) {
      this.#notices.tell('', `${shownMap(rule)} is left alone: somebody else made it`);
      return;
    }
    const wanted = await this.#wanted(signal);
    if (wanted === undefined) return;
    this.#tell(wanted.conflicts, writesMap(rule) ? (this.#keys.now?.leftOut ?? []) : []);
    if (writesKeys(rule)) await this.#writeBoth(wanted, fence, signal);
    else {
      await this.#keys.forget(fence, signal);
      if (await map.write(wanted.map, 0, signal)) this.written++;
    }
    this.#notices.clear('');
  }

  async #writeBoth(wanted: Merged, fence: Fence, signal: AbortSignal): Promise<void> {
    const [keys, map, isThere] = [this.#keys, this.#map, this.#map.contents !== undefined];
    const is = { keys: keys.now?.contents ?? new Map(), map: map.contents ?? new Map() };
    const writesIt = writesMap(this.#rule) && map.differs(wanted.map);
    const agreed = agreedOf(wanted, wanted.isKept);
    // Of a map that is not there what was agreed stays: it goes with the next one that does not have it.
    const agreements = {
      agreed: isThere ? agreed : keys.agreed.names,
      intended:
        isThere || writesIt ? intended(keys.agreed, is, wanted, wanted.isKept) : keys.agreed.names,
    };
    this.written += await keys.write(wanted.keys, agreements, !writesIt, fence, signal);
    if (writesIt && (await map.write(wanted.map, keys.agreed.serial, signal))) this.written++;
    if (isThere || writesIt) await keys.agree(agreed, fence, signal);
  }

  /** Undefined where it cannot be had. Nothing goes from the map before it is sure that its key is gone. */
  async #wanted(signal: AbortSignal): Promise<Merged | undefined> {
    const wanted = this.#merged();
    const fault = faultOf(wanted.map);
    if (fault !== undefined) {
      this.#notices.tell('', `${shownMap(this.#rule)} stays as it is: ${fault}`);
      return undefined;
    }
    const gone = this.#goneFrom(wanted);
    if (gone.length === 0) return wanted;
    await this.#keys.readGone(gone, signal);
    const sure = this.#merged();
    if (this.#goneFrom(sure).every((name) => gone.includes(name))) return sure;
    throw new ProconsulError('busy', 'more keys went meanwhile');
  }

  #goneFrom({ map }: Merged): readonly string[] {
    const names = writesMap(this.#rule) ? [...(this.#map.contents?.keys() ?? [])] : [];
    return names.filter((name) => !map.has(name));
  }

  #merged(): Merged {
    const [rule, map, { now, agreed }] = [this.#rule, this.#map, this.#keys];
    this.#keys.knows(map.serial);
    const found = { keys: now?.contents ?? new Map(), map: map.contents, agreed };
    if (rule.direction !== 'both' || !this.#keys.isBehind) return merged(rule.direction, found);
    this.#notices.tell('behind', `${rule.prefix}: the store was restored, and the keys count`);
    return merged('from-kv', found);
  }

  #tell(conflicts: readonly string[], leftOut: readonly string[]): void {
    const { prefix, direction } = this.#rule;
    const what =
      direction === 'both'
        ? 'were both changed: the key counts'
        : 'differ: somebody else wrote the key';
    const of = (name: string) => `${prefix}${name} and what ${shownMap(this.#rule)} has of it`;
    for (const name of this.#told) if (!conflicts.includes(name)) this.#notices.clear(`/${name}`);
    for (const name of conflicts) this.#notices.tell(`/${name}`, `${of(name)} ${what}`);
    this.#told = conflicts;
    if (leftOut.length === 0) this.#notices.clear('left out');
    else {
      const some = `${leftOut.length} of its keys, as ${leftOut[0]}`;
      this.#notices.tell('left out', `${prefix}: no ConfigMap can have ${some}`);
    }
  }
}

function noticesOf(logger: Logger): Notices {
  return new Notices((text) => logger.warn(`k8s: ${text}`));
}

/** Half a configuration is none: what does not fit is not written at all. */
function faultOf(map: Contents): string | undefined {
  if (map.size > MAX_NAMES) return `${map.size} keys are more than ${MAX_NAMES}`;
  const bytes = bytesOf(map);
  return bytes > MAX_MAP_BYTES ? `${bytes} bytes are more than ${MAX_MAP_BYTES}` : undefined;
}
