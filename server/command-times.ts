import { Sample } from '../lib/metrics/sample.ts';
import type { Command } from './commands.ts';

type Type = Command['type'];

/** How long something takes with commands, kept apart by what they are: some dozens of kinds. */
export class CommandTimes {
  readonly #byType = new Map<Type, Sample>();

  observe(type: Type, ms: number): void {
    this.of(type).observe(ms);
  }

  of(type: Type): Sample {
    let sample = this.#byType.get(type);
    if (sample === undefined) {
      sample = new Sample();
      this.#byType.set(type, sample);
    }
    return sample;
  }
}
