/**
 * Rights by their keys, compiled once for all tokens that come to the same. What is long is compiled in
 * slices, while everybody else is served.
 */
import { ByteCache } from '../byte-cache.ts';
import { ProconsulError } from '../errors.ts';
import { MAX_TOKEN_RULES } from '../limits.ts';
import { inSlices, Work } from '../slices.ts';
import { compiling, type DefaultPolicy, type RuleSet } from './compile-rights.ts';
import { PERMISSION_DENIED } from './refusals.ts';
import type { Rights } from './rights.ts';

/** What rights take beside their rules, and how much longer rules are once they are compiled. */
const RIGHTS_BYTES = 4096;
const COMPILED_FACTOR = 8;

export interface RightsCacheOptions {
  readonly maxBytes: number;
  readonly defaultPolicy: DefaultPolicy;
  /** Some had to make room: whoever has them keeps them alive, and nobody may. */
  readonly onEvict: () => void;
}

export class RightsCache {
  readonly #defaultPolicy: DefaultPolicy;
  readonly #rights: ByteCache<string, Rights>;
  readonly #underWay = new Map<string, Promise<Rights>>();

  constructor({ maxBytes, defaultPolicy, onEvict }: RightsCacheOptions) {
    this.#defaultPolicy = defaultPolicy;
    this.#rights = new ByteCache({ maxBytes, onEvict });
  }

  /** Throws, or rejects, where a text cannot be read, and where they are too long together. */
  of(key: string, sets: readonly RuleSet[]): Rights | Promise<Rights> {
    const known = this.#rights.get(key)?.value ?? this.#underWay.get(key);
    return known ?? this.#compile(key, sets);
  }

  #compile(key: string, sets: readonly RuleSet[]): Rights | Promise<Rights> {
    const length = sets.reduce((sum, { text }) => sum + text.length, 0);
    if (length > MAX_TOKEN_RULES) throw tooLong(length);
    const keep = (rights: Rights) => {
      this.#rights.keep(key, rights, RIGHTS_BYTES + COMPILED_FACTOR * length);
      return rights;
    };
    const made = inSlices(() => compiling(sets, this.#defaultPolicy));
    if (!(made instanceof Work)) return keep(made);
    // Whoever asks next wants them too.
    made.want();
    const later = made.result.then(keep).finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, later);
    return later;
  }
}

function tooLong(length: number): ProconsulError {
  const why = `the rules of this token are ${length} characters long, more than ${MAX_TOKEN_RULES}`;
  return new ProconsulError('forbidden', `${PERMISSION_DENIED}: ${why}`);
}
