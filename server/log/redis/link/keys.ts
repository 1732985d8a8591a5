/** The names of all keys. One hash tag: in a Cluster they must lie on one node. */
export interface Keys {
  /** run, epoch, idx, hash, t, next, floor, floorhash, sealed, want. */
  readonly meta: string;
  /** The stream. */
  readonly log: string;
  /** A sorted set: proposal id → index. */
  readonly ids: string;
  /** While a seal is under way: server → what it holds. */
  readonly seal: string;
  /** Server → when it was last seen, and how far it has applied. */
  readonly servers: string;
  readonly snapshot: string;
  readonly snapshotLock: string;
  readonly leases: string;
  readonly leaseTtls: string;
  /** What of Redis's time counts for leases: last, asked, unheard, silences, grace, sealed, sealed_at. */
  readonly leaseClock: string;
  chunk(snapshotId: string, n: number): string;
}

export function keysOf(datacenter: string): Keys {
  const tag = `{proconsul:${datacenter}}`;
  return {
    meta: `${tag}:meta`,
    log: `${tag}:log`,
    ids: `${tag}:ids`,
    seal: `${tag}:seal`,
    servers: `${tag}:servers`,
    snapshot: `${tag}:snapshot`,
    snapshotLock: `${tag}:snapshot-lock`,
    leases: `${tag}:leases`,
    leaseTtls: `${tag}:lease-ttls`,
    leaseClock: `${tag}:lease-clock`,
    chunk: (snapshotId, n) => `${tag}:snapshot:${snapshotId}:${n}`,
  };
}
