/** What is changed under load, one thing after another, and what became of the calls meanwhile. */
import { sleep } from '../sleep.ts';
import type { Program, Rounds } from './rounds.ts';

/** Time for what was changed to show itself. */
const PHASE_MS = 2000;
/** Who had no call for so long gets none. */
const ALONE_MS = 200;

export interface PhasesOptions {
  readonly rounds: Rounds;
  /** Of how many callers: a program that is killed loses what they have with it. */
  readonly callers: number;
  /** Until everybody has heard of a change. */
  readonly heardMs: number;
  readonly say: (line: string) => void;
  /** Stands before each line. */
  readonly title?: string;
}

export class Phases {
  readonly #options: PhasesOptions;
  readonly #programs = new Map<string, Program>();
  /** Phases in which more calls failed than may. */
  bad = 0;

  constructor(options: PhasesOptions) {
    this.#options = options;
  }

  /** Until the calls of the phase are over; what the act says comes into its line. */
  async phase(what: string, mayFail: number, act: () => Promise<string | undefined>) {
    const { rounds } = this.#options;
    const from = performance.now();
    const told = (await act()) ?? '';
    await sleep(PHASE_MS);
    const { all, failed } = rounds.since(from);
    const isGood = failed.length <= mayFail && all.length > 0;
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
    const { rounds, callers, heardMs } = this.#options;
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
    // Those that it has are lost with it; what it refuses after that goes to another.
    await this.phase('one is killed, and taken out as its check would', callers, async () => {
      this.signal('c', 'SIGKILL');
      await rounds.put('/v1/agent/service/deregister/c');
      return undefined;
    });
  }

  /** One comes and goes so many times: how long it takes from each change to its first call. */
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
      const [p50, p99] = [0.5, 0.99].map((share) =>
        quantile(
          took.map((ms) => ({ ms })),
          share,
        ).toFixed(0),
      );
      return `from a change to its first call p50 ${p50} ms, p99 ${p99} ms`;
    });
  }

  #say(line: string): void {
    const { say, title } = this.#options;
    say(title === undefined ? line : `${title}: ${line}`);
  }
}

function quantile(all: readonly { readonly ms: number }[], share: number): number {
  const sorted = all.map(({ ms }) => ms).sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length * share)] ?? 0;
}
