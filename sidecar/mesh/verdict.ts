/** Whether a caller may call, or which of its requests: what the agent says of the intentions. */
import { ProconsulError } from '../../lib/errors.ts';
import { type Asked, type Test, testOf } from '../http/matching.ts';
import { listIn, objectIn, type Said } from '../said.ts';
import { readingsOf } from './readings.ts';

/** A list goes by the request: it has to be HTTP for that. */
export type Verdict = boolean | PermissionList;

/** Of an intention: the first that is about a request decides. */
export class PermissionList {
  readonly #permissions: readonly Permission[];
  readonly #byDefault: boolean;
  /** Why some cannot be told here, each by its pattern. */
  readonly unclear: readonly string[];

  /** `byDefault`: what counts for a request that none is about. */
  constructor(json: unknown, byDefault: boolean) {
    this.#permissions = listIn(json).map(permissionIn);
    this.#byDefault = byDefault;
    this.unclear = this.#permissions.flatMap(({ unclear }) => unclear ?? []);
  }

  /** However the program reads its path. */
  allows(asked: Asked): boolean {
    return readingsOf(asked.path).every((path) => this.#allowsAs({ ...asked, path }));
  }

  #allowsAs(asked: Asked): boolean {
    const decides = this.#permissions.find(({ isAbout }) => isAbout(asked));
    return decides?.isAllowing ?? this.#byDefault;
  }
}

interface Permission {
  readonly isAllowing: boolean;
  readonly isAbout: Test;
  readonly unclear?: string;
}

/** What cannot be told here, such as a token of a user, lets nobody in, and keeps out whom it may be about. */
function permissionIn(said: Said): Permission {
  const isAllowing = said['Action'] === 'allow';
  const unknown = { isAllowing, isAbout: () => !isAllowing };
  if (said['JWT'] !== undefined || said['HTTP'] === undefined) return unknown;
  try {
    const isAbout = testOf(objectIn(said['HTTP']), isAllowing ? 'allow' : 'deny');
    return { isAllowing, isAbout };
  } catch (error) {
    if (!(error instanceof ProconsulError)) throw error;
    const comesTo = isAllowing ? 'lets nobody in' : 'denies everybody';
    return { ...unknown, unclear: `${error.message}: its permission ${comesTo}` };
  }
}

/** As /v1/agent/connect/authorize answers; a Consul that says no list says no. */
export function verdictIn(json: unknown): Verdict {
  const { Authorized, Permissions, Default } = objectIn(json);
  if (Authorized === true) return true;
  return Array.isArray(Permissions) && Permissions.length > 0
    ? new PermissionList(Permissions, Default === true)
    : false;
}
