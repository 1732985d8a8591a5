/** What there is for a client, by who it says that it is. */
import { ProconsulError } from '../lib/errors.ts';
import { RegisteredWorld } from './mesh/registered-world.ts';
import type { Place } from './names.ts';
import { OpenWorld } from './open-world.ts';
import { MAX_NAME } from './resource.ts';
import type { World } from './world.ts';

/** As a request says it. */
export interface ClientNode {
  readonly id: string;
  /** Which program it is. */
  readonly user_agent_name?: string;
  readonly metadata?: { readonly fields?: Readonly<Record<string, unknown>> } | null;
}

export interface WorldsOptions extends Place {
  /** Who may call a service of which no intention says anything. */
  readonly callsByDefault: boolean;
}

/** What bootstraps by `connect envoy` say, and Consul's: then the id is that of a proxy. */
const MARK = 'namespace';
/** What bootstraps say with which an Envoy takes patterns of more than 100 steps. */
const LONG_PATTERNS = 'long_patterns';

export class Worlds {
  readonly #place: Place;
  readonly #callsByDefault: boolean;

  constructor({ callsByDefault, ...place }: WorldsOptions) {
    this.#place = place;
    this.#callsByDefault = callsByDefault;
  }

  /** Throws where it is longer than any name: all that is made for it is named by it. */
  of({ id, metadata, user_agent_name: program = '' }: ClientNode): World {
    const said = metadata?.fields;
    if (said?.[MARK] === undefined) return new OpenWorld(this.#place, program);
    if (id.length > MAX_NAME)
      throw new ProconsulError('invalid', `an id of more than ${MAX_NAME} characters`);
    const takesLongPatterns = said[LONG_PATTERNS] !== undefined;
    const { domain } = this.#place;
    return new RegisteredWorld({
      ...{ id, domain, takesLongPatterns },
      callsByDefault: this.#callsByDefault,
    });
  }
}
