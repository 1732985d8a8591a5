/** What checks that look at programs share: those programs, and whether all servers know how they are. */
import { MOODS, type Mood, Target } from '../target.ts';
import { Clients } from './clients.ts';

const LOOK_MS = 500;
/** For so long a program has been as it is, and nothing has gone wrong: then everybody knows. */
const STABLE_MS = 4000;
export const HEALED_MS = 20_000;

/** A check of the catalog that looks at a program. */
export interface Looked {
  readonly node: string;
  readonly check: string;
  readonly kind: 'http' | 'tcp';
  readonly target: Target;
}

export abstract class Looks extends Clients {
  protected readonly looked: Looked[] = [];

  protected target(): Target {
    const { world, network } = this.cluster;
    const target = new Target(world, network);
    target.become('well');
    return target;
  }

  protected anyMood(): Mood {
    const { random } = this.cluster.world;
    return MOODS[Math.floor(random.next() * MOODS.length)] ?? 'well';
  }

  /** From outside, as nobody could. */
  protected async watch(untilMs: number, isSeen: (looked: Looked) => boolean): Promise<void> {
    const { world } = this.cluster;
    while (world.now < untilMs) {
      if (this.isTime()) this.judge(isSeen);
      await world.sleep(LOOK_MS);
    }
  }

  /** Whether all is to be known by now. */
  protected isTime(): boolean {
    return this.cluster.calmMs > HEALED_MS;
  }

  protected judge(isSeen: (looked: Looked) => boolean = () => true): void {
    for (const looked of this.looked) if (isSeen(looked)) this.#judge(looked);
  }

  #judge({ node, check, kind, target }: Looked): void {
    const expected = target.status(kind, STABLE_MS);
    if (expected === undefined) return;
    for (const { machine, process, downSince } of this.cluster.servers) {
      // One that begins has nothing yet.
      if (process === undefined || downSince !== undefined) continue;
      const row = process.state.catalog.check(node, check);
      if (row?.Status === expected) continue;
      const what = `${check} of ${node} at ${machine.name}: ${row?.Status}, not ${expected}`;
      this.violations.add('a check is not as what it looks at', what);
    }
  }
}
