/** The names of all keys. One hash tag: in a Cluster they must lie on one node. */
export interface Keys {
  /** run, epoch, idx, hash, t, next, floor, floorhash, want, round; sealed, when the epoch began; seals, all epochs. */
  readonly meta: string;
  /** The stream. */
  readonly log: string;
  /** A sorted set: proposal id → index. */
  readonly ids: string;
  /** Until an epoch begins: server → what it holds. */
  readonly candidates: string;
  /** Server → when it was last seen, and how far it has applied. */
  readonly servers: string;
  /** The one that counts: its position and, in fields by number, its chunks. */
  readonly snapshot: string;
  /** A stream of one entry, whose id is an epoch and its newest round: who waits for entries hears of it at once. */
  readonly bell: string;
  readonly snapshotLock: string;
  readonly leases: string;
  readonly leaseTtls: string;
  /** What of Redis's time counts for leases: last, asked, unheard, silences, grace, sealed, sealed_at. */
  readonly leaseClock: string;
  /** One that is being written, or was replaced and may yet be read; it always has an expiry. */
  snapshotOf(id: string): string;
}

export function keysOf(datacenter: string): Keys {
  const tag = `{proconsul:${datacenter}}`;
  return {
    meta: `${tag}:meta`,
    log: `${tag}:log`,
    ids: `${tag}:ids`,
    candidates: `${tag}:seal`,
    servers: `${tag}:servers`,
    snapshot: `${tag}:snapshot`,
    bell: `${tag}:bell`,
    snapshotLock: `${tag}:snapshot-lock`,
    leases: `${tag}:leases`,
    leaseTtls: `${tag}:lease-ttls`,
    leaseClock: `${tag}:lease-clock`,
    snapshotOf: (id) => `${tag}:snapshot:${id}`,
  };
}
