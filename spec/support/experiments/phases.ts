/** What is changed under load, one thing after another, and what became of the calls meanwhile. */
import { loadavg } from 'node:os';
import { sleep } from '../sleep.ts';
import type { Answered, Program, Rounds } from './rounds.ts';

/** Time for what was changed to show itself. */
const PHASE_MS = 2000;
/** Who had no call for so long gets none. */
const ALONE_MS = 200;
/** A program that is killed may still be connected to for so long. */
const DYING_MS = 100;
/** Of fewer changes the 99th percentile is the worst, and chance: it is told, and not judged. */
const JUDGED_CHANGES = 100;

export interface PhasesOptions {
  readonly rounds: Rounds;
  /** Of how many callers: a program that is killed loses what they have with it. */
  readonly callers: number;
  /** Until everybody has heard of a change. */
  readonly heardMs: number;
  readonly say: (line: string) => void;
  /** Stands before each line. */
  readonly title?: string;
  /**
   * Within it 99 of 100 changes are to have their first call, on a machine that does nothing else: what it did before is told
   * with the verdict. Undefined where nobody promises it.
   */
  readonly soonMs?: number;
  /**
   * What a program that is killed takes with it: calls that were under way, and none that began later; or nothing, where
   * calls are tried again. Undefined: as many calls as there are callers, whenever they began.
   */
  readonly loses?: 'under way' | 'nothing';
}

export class Phases {
  readonly #options: PhasesOptions;
  readonly #programs = new Map<string, Program>();
  /** Of the machine, without the callers. */
  readonly #loadBefore = loadavg()[0] ?? Number.NaN;
  /** Phases in which more calls failed than may. */
  bad = 0;

  constructor(options: PhasesOptions) {
    this.#options = options;
  }

  /** Until the calls of the phase are over; what the act says comes into its line. */
  async phase(
    what: string,
    mayFail: number,
    act: () => Promise<string | undefined>,
    isExcused: (failed: Answered) => boolean = () => true,
  ) {
    const { rounds } = this.#options;
    const from = performance.now();
    const told = (await act()) ?? '';
    await sleep(PHASE_MS);
    const { all, failed } = rounds.since(from);
    const isGood = failed.length <= mayFail && failed.every(isExcused) && all.length > 0;
    if (!isGood) this.bad++;
    const p99 = `p99 ${quantile(all, 0.99).toFixed(1)} ms`;
    const counts = `${all.length} calls, ${failed.length} failed, ${p99}`;
    this.#say(`${what}: ${counts} ${told}${isGood ? '' : '  FAILED'}`);
    for (const why of new Set(failed.map((each) => each.why))) this.#say(`  ${why}`);
    if (isGood) return;
    for (const each of rounds.listedSince(from)) this.#say(`  the agent listed ${each}`);
  }

  /** Begins one, and registers it. */
  async add(name: string): Promise<void> {
    const program = await this.#options.rounds.run(name);
    this.#programs.set(name, program);
    await this.#options.rounds.register(program);
  }

  /** One is killed: what it had may be lost with it, and what it refuses goes to another. */
  async killed(what: string, name: string, act: (kill: () => void) => Promise<string | undefined>) {
    const { callers, loses } = this.#options;
    let until = Number.POSITIVE_INFINITY;
    const kill = () => {
      this.signal(name, 'SIGKILL');
      until = performance.now() + DYING_MS;
    };
    const wasUnderWay = ({ at, ms }: Answered) => loses === undefined || at - ms < until;
    await this.phase(what, loses === 'nothing' ? 0 : callers, () => act(kill), wasUnderWay);
  }

  signal(name: string, how: NodeJS.Signals): void {
    this.#programs.get(name)?.process.kill(how);
  }

  /** With how long it took from before it was registered. */
  async added(name: string): Promise<string> {
    const { rounds } = this.#options;
    const program = await rounds.run(name);
    this.#programs.set(name, program);
    const from = performance.now();
    await rounds.register(program);
    const ms = await rounds.untilAnswers(name, from);
    return `first call ${ms.toFixed(0)} ms after it was registered`;
  }

  /** Changes that are planned: nobody may lose a call. Then a program is killed. `a` to `d` come and go. */
  async usual(): Promise<void> {
    const { rounds, heardMs } = this.#options;
    await this.phase('three programs', 0, async () => undefined);
    await this.phase('a fourth is added', 0, () => this.added('d'));
    await this.phase('one is deregistered, and ends', 0, async () => {
      await rounds.put('/v1/agent/service/deregister/a');
      await sleep(heardMs);
      this.signal('a', 'SIGTERM');
      return undefined;
    });
    await this.phase('one is put into maintenance, and killed', 0, async () => {
      await rounds.put('/v1/agent/service/maintenance/b?enable=true');
      await sleep(heardMs);
      this.signal('b', 'SIGKILL');
      return undefined;
    });
    await this.killed('one is killed, and taken out as its check would', 'c', async (kill) => {
      kill();
      await rounds.put('/v1/agent/service/deregister/c');
      return undefined;
    });
  }

  /** One comes and goes so many times: how long it takes from each change to its first call, judged where there are enough. */
  async changes(name: string, times: number): Promise<void> {
    const { rounds } = this.#options;
    await this.phase(`one comes and goes ${times} times`, 0, async () => {
      const program = await rounds.run(name);
      const took: number[] = [];
      for (let i = 0; i < times; i++) {
        const from = performance.now();
        await rounds.register(program);
        took.push(await rounds.untilAnswers(name, from));
        await rounds.put(`/v1/agent/service/deregister/${name}`);
        await rounds.untilLeftAlone(name, ALONE_MS);
      }
      program.process.kill('SIGTERM');
      return this.#judgedSoon(took);
    });
  }

  #judgedSoon(took: readonly number[]): string {
    const { soonMs } = this.#options;
    const all = took.map((ms) => ({ ms }));
    const [p50, p99] = [quantile(all, 0.5), quantile(all, 0.99)];
    const told = `from a change to its first call p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms`;
    if (soonMs === undefined || took.length < JUDGED_CHANGES) return told;
    const isGood = p99 < soonMs;
    if (!isGood) this.bad++;
    const verdict = isGood ? `(below ${soonMs})` : `FAILED: not below ${soonMs}`;
    return `${told} ${verdict}; load of the machine before: ${this.#loadBefore.toFixed(1)}`;
  }

  #say(line: string): void {
    const { say, title } = this.#options;
    say(title === undefined ? line : `${title}: ${line}`);
  }
}

function quantile(all: readonly { readonly ms: number }[], share: number): number {
  const sorted = all.map(({ ms }) => ms).sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}
