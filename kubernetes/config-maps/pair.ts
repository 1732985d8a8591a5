/** A prefix of keys and a ConfigMap that are kept in step, while it is this sync's turn. */
import { type Clock, pause } from '../../lib/clock.ts';
import { messageOf, ProconsulError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import { Notices } from '../../lib/notices.ts';
import type { Random } from '../../lib/random.ts';
import { retryMs } from '../../lib/retries.ts';
import { Waiters } from '../../lib/waiters.ts';
import { AllAtOnce, type Gone } from '../all-at-once.ts';
import type { Mirror } from '../api/mirror.ts';
import type { Said } from '../api/shapes.ts';
import { CHANGED_EACH_TIME, PutBacks } from '../put-backs.ts';
import { type Fence, mirrorIn, type WayDeps } from '../way.ts';
import { agreedOf, intended } from './agreed.ts';
import { bytesOf, type Contents, type Keys, keysIn } from './contents.ts';
import { KeptKeys } from './kept-keys.ts';
import { KeptMap, type SeenMap } from './kept-map.ts';
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

/** What is to be written, and over what: nothing that came since. */
interface Plan {
  readonly keys: Keys;
  readonly seen: SeenMap;
  readonly wanted: Merged;
}

export class Pair {
  readonly #rule: MapRule;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #notices: Notices;
  readonly #waiters: Waiters;
  readonly #keys: KeptKeys;
  readonly #map: KeptMap;
  readonly #onRead: () => void;
  readonly #putBacks: PutBacks;
  readonly #allAtOnce: AllAtOnce;
  readonly mirror: Mirror<Said>;
  /** Something of it is to be looked at. */
  isChanged = true;
  #isFresh = false;
  /** Names that the store has had in this turn: who sees one go knows that somebody took it out. */
  readonly #witnessed = new Set<string>();
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
    this.#allAtOnce = new AllAtOnce(clock, {
      look: () => this.#gone(this.#plan()),
      begun: (text) => logger.warn(`k8s: of what ${shownMap(rule)} has ${text}`),
      over: () => this.#look(),
    });
    this.#putBacks = new PutBacks(clock);
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

  get isHolding(): boolean {
    return this.#allAtOnce.isHolding;
  }

  async read(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#keys.run(signal), this.mirror.run(signal)]);
  }

  /** Until the signal is aborted; rejects with ProconsulError 'rejected' where the lock is another's. */
  async work(fence: Fence, signal: AbortSignal): Promise<void> {
    this.#isFresh = false;
    this.#witnessed.clear();
    try {
      await this.#work(fence, signal);
    } finally {
      // What is believed by then may be of a store that has come back empty since.
      this.#allAtOnce.stop();
    }
  }

  async #work(fence: Fence, signal: AbortSignal): Promise<void> {
    let failures = 0;
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
    // What is told from here on is looked at again.
    this.isChanged = false;
    // Another had the turn until now, or nobody knows what became of a write.
    if (!this.#isFresh || this.#map.isDoubtful) await this.#readAnew(signal);
    this.#isFresh = true;
    if (!this.#map.isDoubtful) await this.#settle(fence, signal);
    if (!this.isChanged && !this.#map.isDoubtful) await this.#waiters.wait(IDLE_MS, signal);
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
    this.#witness();
    const plan = this.#kept(await this.#sure(this.#plan(), fence, signal));
    if (plan === undefined) return;
    const fault = this.#faultOf(plan);
    if (fault !== undefined) {
      this.#notices.tell('', `${shownMap(this.#rule)} ${fault}`);
      return;
    }
    const writesIt = writesMap(this.#rule);
    const before = this.written;
    this.#tell(plan.wanted.conflicts, writesIt ? plan.keys.leftOut : []);
    if (writesKeys(this.#rule)) await this.#writeBoth(plan, fence, signal);
    else {
      await this.#keys.forget(fence, signal);
      if (await this.#map.write(plan.seen, plan.wanted.map, 0, signal)) this.written++;
    }
    const { keys, map } = plan.wanted;
    if (this.written > before && this.#putBacks.wrote('', [[...keys], [...map]]))
      throw new ProconsulError('unavailable', CHANGED_EACH_TIME);
    this.#notices.clear('');
  }

  /** Of what neither has any more nothing is kept: names may come and go without end. */
  #witness(): void {
    if (writesKeys(this.#rule)) return;
    const map = this.#map.now.contents;
    for (const name of this.#witnessed) if (map?.has(name) !== true) this.#witnessed.delete(name);
    for (const name of this.#keys.now?.contents.keys() ?? []) this.#witnessed.add(name);
  }

  /** What went at once stays in the map, and the rest comes; where the map says too what is so, undefined: all waits. */
  #kept(plan: Plan): Plan | undefined {
    if (this.#faultOf(plan) !== undefined) return plan;
    const { keys, seen, wanted } = plan;
    for (const name of wanted.map.keys()) this.#allAtOnce.isThere(name);
    const { gone } = this.#gone(plan);
    if (!this.#allAtOnce.holds(gone)) return plan;
    if (writesKeys(this.#rule)) return undefined;
    const map = new Map([...(seen.contents ?? [])].filter(([name]) => gone.includes(name)));
    return { keys, seen, wanted: { ...wanted, map: new Map([...map, ...wanted.map]) } };
  }

  async #writeBoth(plan: Plan, fence: Fence, signal: AbortSignal): Promise<void> {
    const [kept, { keys, seen, wanted }] = [this.#keys, plan];
    const isThere = seen.contents !== undefined;
    const is = { keys: keys.contents, map: seen.contents ?? new Map() };
    const writesIt = writesMap(this.#rule) && seen.differs(wanted.map);
    const now = agreedOf(wanted, wanted.isKept);
    // Of a map that is not there what was agreed stays: it goes with the next one that does not have it.
    const before = kept.agreed.names;
    const agreements = {
      agreed: isThere ? now : before,
      intended: isThere || writesIt ? intended(kept.agreed, is, wanted, wanted.isKept) : before,
    };
    const writing = { seen: keys, contents: wanted.keys, isAll: !writesIt, ...agreements };
    this.written += await kept.write(writing, fence, signal);
    const { serial } = kept.agreed;
    if (writesIt && (await this.#map.write(seen, wanted.map, serial, signal))) this.written++;
    if (isThere || writesIt) await kept.agree(now, fence, signal);
  }

  /** Nothing goes from the map before it is sure that its key is gone. */
  async #sure(plan: Plan, fence: Fence, signal: AbortSignal): Promise<Plan> {
    if (this.#faultOf(plan) !== undefined) return plan;
    const gone = this.#goneBy(plan);
    if (gone.length === 0) return plan;
    await this.#keys.readGone(gone, signal);
    // Else nothing that is written here says whose turn it is.
    if (!writesKeys(this.#rule)) await this.#keys.confirm(fence, signal);
    const sure = this.#plan();
    if (this.#goneBy(sure).every((name) => gone.includes(name))) return sure;
    throw new ProconsulError('busy', 'more keys went meanwhile');
  }

  /**
   * Where others have come in their place it is no loss. Few names are held too that nobody was seen to take out:
   * where keys alone say what is so nothing else tells a store that has lost them.
   */
  #gone(plan: Plan): Gone {
    const [had, gone] = [plan.seen.contents?.size ?? 0, this.#goneBy(plan)];
    const left = plan.wanted.map.size;
    const isSeen = writesKeys(this.#rule) || gone.every((name) => this.#witnessed.has(name));
    return { had, gone: left * 2 < had ? gone : [], ...(!isSeen && { few: 0 }) };
  }

  #goneBy({ seen, wanted }: Plan): readonly string[] {
    const names = writesMap(this.#rule) ? [...(seen.contents?.keys() ?? [])] : [];
    return names.filter((name) => !wanted.map.has(name));
  }

  #faultOf({ seen, wanted }: Plan): string | undefined {
    if (writesMap(this.#rule) && seen.isOthers) return 'is left alone: somebody else made it';
    const fault = faultOf(wanted.map);
    return fault && `stays as it is: ${fault}`;
  }

  #plan(): Plan {
    const [rule, seen, { agreed }] = [this.#rule, this.#map.now, this.#keys];
    const keys = this.#keys.now ?? keysIn([], '');
    this.#keys.knows(seen.serial);
    const found = { keys: keys.contents, map: seen.contents, agreed, mapSerial: seen.serial };
    if (rule.direction !== 'both' || !this.#keys.isBehind)
      return { keys, seen, wanted: merged(rule.direction, found) };
    this.#notices.tell('behind', `${rule.prefix}: the store was restored, and the keys count`);
    return { keys, seen, wanted: merged('from-kv', found) };
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
