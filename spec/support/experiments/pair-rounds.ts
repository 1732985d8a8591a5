/** Keys and a ConfigMap that users change on both sides, while syncs die, and transactions are refused or not answered. */

import type { CatalogAnswer } from '../../../kubernetes/catalog.ts';
import type { Random } from '../../../lib/random.ts';
import { startPairWorld } from '../kubernetes/pair-world.ts';
import type { Sync } from '../kubernetes/syncs.ts';
import { sleep } from '../sleep.ts';
import { until } from '../until.ts';

type World = Awaited<ReturnType<typeof startPairWorld>>;

const NAMES = Array.from({ length: 90 }, (_, i) => `n${i}`);
const BURSTS = 4;
const KEYS_AT_ONCE = 8;
const OF_MAP_AT_ONCE = 14;
const SETTLE_MS = 60_000;
const REFUSED: CatalogAnswer = { status: 500, index: '', text: 'away', json: undefined };

export class PairRounds {
  readonly #world: World;
  readonly #random: Random;
  readonly #expected = new Map<string, string>();
  #sync: Sync;
  #syncs = 1;
  /** What users did. */
  edits = 0;

  private constructor(world: World, random: Random) {
    this.#world = world;
    this.#random = random;
    this.#sync = world.first;
  }

  static async start(random: Random): Promise<PairRounds> {
    const rounds = new PairRounds(await startPairWorld('both'), random);
    await rounds.#setKey('n0', 'first');
    await rounds.#untilRight();
    return rounds;
  }

  get syncs(): number {
    return this.#syncs;
  }

  /** Each name is changed on one side at most: no change of them may be lost. Rejects where one is. */
  async round(): Promise<void> {
    const left = new Set(NAMES);
    for (let burst = 0; burst < BURSTS; burst++) {
      this.#disturb();
      for (const name of this.#draw(left, KEYS_AT_ONCE)) await this.#setKey(name, this.#value());
      this.#changeMap(this.#draw(left, OF_MAP_AT_ONCE));
      await sleep(100 + this.#random.next() * 400);
      if (this.#random.next() < 0.5) await this.#replaceSync();
    }
    this.#sync.instead = () => undefined;
    await this.#untilRight();
  }

  #disturb(): void {
    this.#sync.lostAnswers = this.#random.next() < 0.5 ? 1 : 0;
    this.#sync.instead = ({ path }) =>
      path === '/v1/txn' && this.#random.next() < 0.4 ? REFUSED : undefined;
  }

  #draw(left: Set<string>, count: number): readonly string[] {
    const drawn = [...left].sort(() => this.#random.next() - 0.5).slice(0, count);
    for (const name of drawn) left.delete(name);
    return drawn;
  }

  /** Undefined deletes. */
  #value(): string | undefined {
    return this.#random.next() < 0.3 ? undefined : `v${this.edits}`;
  }

  #expect(name: string, value: string | undefined): void {
    this.edits++;
    if (value === undefined) this.#expected.delete(name);
    else this.#expected.set(name, value);
  }

  async #setKey(name: string, value: string | undefined): Promise<void> {
    if (value === undefined) await this.#world.drop(name);
    else await this.#world.set(name, value);
    this.#expect(name, value);
  }

  /** As a user does who reads it and writes it over what was read. */
  #changeMap(names: readonly string[]): void {
    const data = new Map(Object.entries(this.#world.data() ?? {}));
    for (const name of names) {
      const value = this.#value();
      if (value === undefined) data.delete(name);
      else data.set(name, value);
      this.#expect(name, value);
    }
    this.#world.make(Object.fromEntries(data));
  }

  async #replaceSync(): Promise<void> {
    await this.#sync.stop();
    this.#sync = this.#world.next(`s${this.#syncs++}`);
  }

  async #untilRight(): Promise<void> {
    let wrong: readonly string[] = [];
    await until(
      async () => {
        wrong = await this.#wrong();
        return wrong.length === 0;
      },
      () => [...wrong, ...this.#sync.logger.lines.slice(-5)].join('\n'),
      SETTLE_MS,
    );
    await this.#world.untilAgreed();
  }

  async #wrong(): Promise<readonly string[]> {
    const [keys, map] = [await this.#world.keys(), this.#world.data() ?? {}];
    const names = new Set([...Object.keys(keys), ...Object.keys(map), ...this.#expected.keys()]);
    return [...names]
      .map((name) => [name, keys[name], map[name], this.#expected.get(name)] as const)
      .filter(([, key, of, wanted]) => key !== wanted || of !== wanted)
      .map(
        ([name, key, of, wanted]) => `${name}: key ${key}, map ${of}, and ought to be ${wanted}`,
      );
  }
}
