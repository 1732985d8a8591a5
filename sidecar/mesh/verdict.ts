/** Whether a caller may call, or which of its requests: what the agent says of the intentions. */
import { ProconsulError } from '../../lib/errors.ts';
import { goesByPath } from '../by-path.ts';
import { ALWAYS, type Asked, type Tests, testsOf } from '../http/matching.ts';
import { Tried } from '../http/tried.ts';
import { listIn, objectIn, type Said } from '../said.ts';
import { readPath } from './readings.ts';

/** A list goes by the request: it has to be HTTP for that. */
export type Verdict = boolean | PermissionList;

/** Of an intention: the first that is about a request decides. */
export class PermissionList {
  readonly #permissions: readonly Permission[];
  readonly #byDefault: boolean;
  readonly #judgesPaths: boolean;
  /** Of all that were judged. */
  readonly cost = new Tried();
  /** Why some cannot be told here, each by its pattern. */
  readonly unclear: readonly string[];

  /** `byDefault`: what counts for a request that none is about. */
  constructor(json: unknown, byDefault: boolean) {
    this.#permissions = listIn(json).map((said, at) => permissionIn(said, at, this.cost));
    this.#byDefault = byDefault;
    this.#judgesPaths = listIn(json).some(({ HTTP }) => goesByPath(objectIn(HTTP)));
    this.unclear = this.#permissions.flatMap(({ unclear }) => unclear ?? []);
  }

  /** The request as it may go on: a path that permissions go by, as the one that was judged. */
  permitted<T extends Asked>(asked: T): T | Refusal {
    const judged = this.#judgedFor(asked);
    if (judged === undefined) return 'unclear';
    const { path, ways } = judged;
    if (!ways.every((way) => this.#allows(way, asked))) return 'denied';
    return path === asked.path ? asked : { ...asked, path };
  }

  #allows(way: readonly Permission[], asked: Asked): boolean {
    const decides = way.find(({ byRest }) => byRest(asked));
    return decides?.isAllowing ?? this.#byDefault;
  }

  #judgedFor(asked: Asked): Judged | undefined {
    const { path } = asked;
    if (!this.#judgesPaths) return { path, ways: [this.#aboutPath(asked)] };
    const read = readPath(path, this.cost);
    if (read === undefined) return undefined;
    if (read.readings.length === 1) {
      const { path: on } = read;
      return { path: on, ways: [this.#aboutPath({ ...asked, path: on, came: path })] };
    }
    const ways = new Map<string, readonly Permission[]>();
    for (const reading of read.readings) {
      this.cost.add(this.#permissions.length);
      const way = this.#aboutPath({ ...asked, path: reading, came: path });
      ways.set(way.map(({ at }) => at).join(), way);
    }
    return { path: read.path, ways: [...ways.values()] };
  }

  /** Those that are about such a path, as far as it may depend on the rest of a request which of them decides. */
  #aboutPath(asked: Asked): readonly Permission[] {
    const about: Permission[] = [];
    for (const permission of this.#permissions) {
      if (!permission.byPath(asked)) continue;
      about.push(permission);
      if (permission.byRest === ALWAYS) break;
    }
    return about;
  }
}

/** It may not; or nobody can say which path it means. */
export type Refusal = 'denied' | 'unclear';

interface Judged {
  /** With which it goes on. */
  readonly path: string;
  /** One for each way to read it that makes a difference. */
  readonly ways: readonly (readonly Permission[])[];
}

interface Permission extends Tests {
  /** Its place among them. */
  readonly at: number;
  readonly isAllowing: boolean;
  readonly unclear?: string;
}

/** What cannot be told here, such as a token of a user, lets nobody in, and keeps out whom it may be about. */
function permissionIn(said: Said, at: number, cost: Tried): Permission {
  const isAllowing = said['Action'] === 'allow';
  const unknown = { at, isAllowing, byPath: ALWAYS, byRest: isAllowing ? () => false : ALWAYS };
  if (said['JWT'] !== undefined || said['HTTP'] === undefined) return unknown;
  try {
    return {
      at,
      isAllowing,
      ...testsOf(objectIn(said['HTTP']), isAllowing ? 'allow' : 'deny', cost),
    };
  } catch (error) {
    if (!(error instanceof ProconsulError)) throw error;
    const comesTo = isAllowing ? 'lets nobody in' : 'denies everybody';
    return { ...unknown, unclear: `${error.message}: its permission ${comesTo}` };
  }
}

/** Of one service: nearly all callers come under the same permissions. */
const MAX_LISTS = 256;

/** As /v1/agent/connect/authorize answers; a Consul that says no list says no. */
export class Verdicts {
  /** By their text: each is compiled once, for whomever and however often it is said. */
  readonly #lists = new Map<string, PermissionList>();

  in(json: unknown): Verdict {
    const { Authorized, Permissions, Default } = objectIn(json);
    if (Authorized === true) return true;
    if (!Array.isArray(Permissions) || Permissions.length === 0) return false;
    const text = JSON.stringify([Permissions, Default === true]);
    const list = this.#lists.get(text) ?? new PermissionList(Permissions, Default === true);
    // The one that was said last stays longest.
    this.#lists.delete(text);
    this.#lists.set(text, list);
    const [oldest] = this.#lists.keys();
    if (this.#lists.size > MAX_LISTS && oldest !== undefined) this.#lists.delete(oldest);
    return list;
  }
}
