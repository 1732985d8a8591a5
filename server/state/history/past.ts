/** What is remembered of an instance, or of a node (which has no id): whether it was there, and its checks. */
import { fold } from '../topic-names.ts';
import { NONE, type Track } from './changes.ts';

/** Beyond so many they are looked up by their names. */
const FEW = 16;

export class PastCheck implements Track {
  readonly id: string;
  first = NONE;
  last = NONE;
  count = 0;

  constructor(id: string) {
    this.id = id;
  }
}

export class Past implements Track {
  readonly node: string;
  /** '' of a node. */
  readonly id: string;
  readonly service: string;
  /** When it was there, and when not. */
  first = NONE;
  last = NONE;
  count = 0;
  /** Of what was before not all is known: a check went that nobody remembers. */
  since = 0;
  /** Mostly there is one, and a list of it would take as much again. */
  #checks: PastCheck | readonly PastCheck[] | Map<string, PastCheck> = NO_CHECKS;

  constructor(of: Pick<Past, 'node' | 'id' | 'service'>) {
    this.node = of.node;
    this.id = of.id;
    this.service = of.service;
  }

  /** In the order in which they came. */
  get checks(): readonly PastCheck[] {
    const checks = this.#checks;
    if (checks instanceof PastCheck) return [checks];
    return checks instanceof Map ? [...checks.values()] : checks;
  }

  check(id: string): PastCheck | undefined {
    const checks = this.#checks;
    if (checks instanceof Map) return checks.get(fold(id));
    if (checks instanceof PastCheck) return isNamed(checks, id) ? checks : undefined;
    return checks.find((each) => isNamed(each, id));
  }

  add(check: PastCheck): void {
    if (this.#checks instanceof Map) this.#checks.set(fold(check.id), check);
    else this.#keep([...this.checks, check]);
  }

  remove(check: PastCheck): void {
    if (this.#checks instanceof Map) this.#checks.delete(fold(check.id));
    else this.#keep(this.checks.filter((each) => each !== check));
  }

  #keep(checks: readonly PastCheck[]): void {
    const [only = NO_CHECKS] = checks;
    if (checks.length < 2) this.#checks = only;
    else if (checks.length <= FEW) this.#checks = checks;
    else this.#checks = new Map(checks.map((check) => [fold(check.id), check]));
  }
}

const NO_CHECKS: readonly PastCheck[] = [];

function isNamed(check: PastCheck, id: string): boolean {
  return check.id === id || fold(check.id) === fold(id);
}
