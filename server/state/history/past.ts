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
  checks: PastCheck[] = [];
  #byId: Map<string, PastCheck> | undefined;

  constructor(of: Pick<Past, 'node' | 'id' | 'service'>) {
    this.node = of.node;
    this.id = of.id;
    this.service = of.service;
  }

  check(id: string): PastCheck | undefined {
    if (this.checks.length > FEW) return this.#lookup().get(fold(id));
    return this.checks.find((each) => each.id === id || fold(each.id) === fold(id));
  }

  add(check: PastCheck): void {
    // Mostly there is one: a list that grows by itself has room for sixteen more.
    if (this.checks.length > FEW) this.checks.push(check);
    else this.checks = this.checks.concat(check);
    this.#byId?.set(fold(check.id), check);
  }

  remove(check: PastCheck): void {
    this.checks = this.checks.filter((each) => each !== check);
    this.#byId = undefined;
  }

  #lookup(): Map<string, PastCheck> {
    this.#byId ??= new Map(this.checks.map((check) => [fold(check.id), check]));
    return this.#byId;
  }
}
