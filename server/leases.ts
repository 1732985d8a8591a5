/**
 * Leases: sessions' TTLs, agents' heartbeats, servers' presence. They are renewed beside the log,
 * since a heartbeat changes nothing that anybody reads; only an expiry becomes a command.
 *
 * Time in which nobody could be heard is not counted. The keeper (the leader) asks for what has ended
 * every half second; when it has not asked for longer, it stood still, its store was away or it is
 * another one, and whoever renews may have knocked in vain. spec/contract runs over every store.
 */

/** Whatever fails, it rejects with 'unavailable' or 'unknown': it never has anything against who asks. */
export interface Leases {
  /**
   * From now on the lease has `ttlMs` left, whatever it had before. Who is 'patient' may be kept waiting for
   * some milliseconds, so that many who come one by one share a question to the store.
   */
  renew(id: string, ttlMs: number, how?: 'patient'): Promise<void>;
  /** Forgets the lease; nothing happens when there is none. */
  drop(id: string): Promise<void>;
  /** The keeper's, and nobody else's: it must come again within MAX_SILENCE_MS. */
  expired(): Promise<Expired>;
  /** Each lease has at least its grace left from now on. For a new keeper. */
  grace(): Promise<void>;
  /**
   * Milliseconds left of every known lease, 0 of those that have ended. A leader renews whatever
   * the state holds and this does not: leases may be lost, and a lost one would never end.
   */
  remaining(): Promise<ReadonlyMap<string, number>>;
  /** Milliseconds left of one lease, 0 when it has ended; undefined when there is none. */
  left(id: string): Promise<number | undefined>;
}

export interface Expired {
  /**
   * The leases that have ended, never one that has time left. They stay until they are dropped, so
   * that an expiry that did not reach the log is tried again.
   */
  readonly ids: readonly string[];
  /** How long nobody had asked: so much was not counted, and all have their grace. 0 as a rule. */
  readonly unheardMs: number;
  /** About how long until the next one ends, as far as it is not renewed; infinite where there is none. */
  readonly nextMs: number;
}

/** Three of the keeper's ticks; a beat that comes late by as much still finds its lease. */
export const MAX_SILENCE_MS = 1500;
/**
 * What a lease has left after a silence, at least, if it ever had as much: its whole time for an
 * agent and for a session of 10 s. A longer one has in any case what it had before the silence. If
 * it began anew, a server that stalls once a day would keep the locks of 24 h for ever.
 */
export const GRACE_MS = 15_000;
/**
 * A keeper that stalls again and again, without a grace's time in between, must find the dead all
 * the same: after so many silences in a row the next ones are counted.
 */
export const MAX_SILENCES = 5;
