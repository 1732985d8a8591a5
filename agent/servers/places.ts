/**
 * How many requests to servers may be under way, by what they are for: however much clients ask, the
 * agent's own beats, its writes and DNS have places of their own. Nothing waits for a place, for then it
 * would wait behind others' requests: where none is free that is said at once.
 */
import type { Cancel } from '../../lib/clock.ts';
import { ProconsulError } from '../../lib/errors.ts';

export type Way = 'beat' | 'sync' | 'acl' | 'dns' | 'client' | 'watch';

/** Each has a connection to itself meanwhile. */
const MAX_UNDER_WAY: Readonly<Record<Way, number>> = {
  /** One at a time, and those that were given up on and are not yet closed. */
  beat: 16,
  /** Anti-entropy bounds itself to a quarter; alias checks look at other nodes. */
  sync: 256,
  /** Tokens that are looked up, which bound themselves. */
  acl: 512,
  /** Distinct names at one moment; beyond it they are SERVFAIL, and resolvers ask again. */
  dns: 1024,
  /** Writes and reads of clients, over in milliseconds. */
  client: 512,
  /** Queries that wait, and answers that are kept fresh: files and memory at both ends. */
  watch: 4096,
};

export const WAYS = Object.keys(MAX_UNDER_WAY) as readonly Way[];

/** Of a way's places one client may have all but this part: others find one. */
const KEPT_FREE = 1 / 8;

/** What a request takes a place of. */
export interface Place {
  readonly way: Way;
  /** The address that it is asked for, where that is not this agent itself. */
  readonly client?: string | undefined;
}

interface Taken {
  all: number;
  /** How many of them are for whom. */
  readonly ofClients: Map<string, number>;
}

export class Places {
  readonly #taken: ReadonlyMap<Way, Taken> = new Map(
    WAYS.map((way) => [way, { all: 0, ofClients: new Map() }]),
  );

  underWay(way: Way): number {
    return this.#of(way).all;
  }

  /** Whether one more finds a place. */
  isFree(place: Place): boolean {
    return whoseAreFull(this.#of(place.way), place) === undefined;
  }

  /** Takes one, which is to be given back once. Throws 'busy' where none is free. */
  take(place: Place): Cancel {
    const taken = this.#of(place.way);
    const full = whoseAreFull(taken, place);
    if (full !== undefined) {
      throw new ProconsulError('busy', `Too many requests: ${full} are under way to servers`);
    }
    const { ofClients } = taken;
    const { client = '' } = place;
    taken.all++;
    ofClients.set(client, (ofClients.get(client) ?? 0) + 1);
    return () => {
      taken.all--;
      const left = (ofClients.get(client) ?? 1) - 1;
      if (left > 0) ofClients.set(client, left);
      else ofClients.delete(client);
    };
  }

  #of(way: Way): Taken {
    return this.#taken.get(way) as Taken;
  }
}

/** Who has taken all that there are, in words; undefined where one is free. */
function whoseAreFull({ all, ofClients }: Taken, { way, client }: Place): string | undefined {
  const max = MAX_UNDER_WAY[way];
  const own = client === undefined ? 0 : (ofClients.get(client) ?? 0);
  if (all < max && own < max * (1 - KEPT_FREE)) return undefined;
  return all < max ? `${own} of your address` : `${all} of this agent`;
}
