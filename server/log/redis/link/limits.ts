/** Every limit of the Redis log, each with its reason. */

/** A connection that is not there by then is tried anew; on one network it takes a millisecond. */
export const CONNECT_TIMEOUT_MS = 1000;
/**
 * Redis answers within milliseconds or is frozen, cut off or failing over. A frozen master is left
 * by then: to go on waiting for it is what lost 86 % of the writes in a 4 s freeze.
 */
export const COMMAND_TIMEOUT_MS = 1000;
/** XREAD cannot see that the stream was lost, so it must not wait for long. */
export const BLOCK_MS = 500;
/** What one read brings: an entry has some hundred bytes mostly, and 700 KB at a value's limit. */
export const READ_MAX_ENTRIES = 512;
export const READ_MAX_BYTES = 4 * 1024 * 1024;
/** What XREAD brings, which cannot count bytes; where there is more, reads by bytes follow. */
export const WAKE_MAX_ENTRIES = 16;
/** How often the meta record is compared: damage is to be detected within a second. */
export const CHECK_INTERVAL_MS = 200;
/** A tail that is this far behind what Redis has for certain is stuck. */
export const TAIL_STALL_MS = 2000;

/** No promise of `append` and `readIndex` is pending longer than 2 s; some is left for the event loop. */
export const PROPOSAL_BUDGET_MS = 1800;
/**
 * For this long after Redis was lost a write waits for its return, which a failover needs; then
 * Redis counts as down, and writes are refused at once.
 */
export const FAILOVER_GRACE_MS = 4000;
/** Redis runs one script at a time: 512 entries take it some 5 ms. */
export const SCRIPT_MAX_ENTRIES = 512;
/** Redis holds a script's arguments in memory at once. */
export const SCRIPT_MAX_BYTES = 4 * 1024 * 1024;
/** A proposal is retried for 2 s; 100,000 are 5 s at the highest rate measured, and take 10 MB. */
export const REMEMBERED_PROPOSALS = 100_000;

/** What a server keeps to repair Redis with: an entry may go when it is older and further back. */
export const RING_MIN_MS = 60_000;
export const RING_MIN_ENTRIES = 100_000;
/** Above all a bound on memory: 100,000 entries of common size. */
export const RING_MAX_BYTES = 96 * 1024 * 1024;

/** Servers that live have this long to show what they hold before an epoch begins without them. */
export const SETTLE_MS = 1000;
/** Who should begin an epoch and does not within this time is overtaken by the next one. */
export const TAKEOVER_MS = 1500;
export const SETTLE_POLL_MS = 25;
/** A server that was seen this long before the last sign of life of any is waited for. */
export const PRESENT_MS = 1500;
/** Who uses a Redis says so five times a second, or more often. */
export const USING_MS = 800;
/** A server that was silent this long no longer holds back the trimming; it will load a snapshot. */
export const ABSENT_MS = 60_000;
/** After a fork, or when a loss cannot be ruled out, indexes go on above all that anybody has seen. */
export const FORK_GAP = 2 ** 20;
/** A repair of 100,000 entries is 50 scripts of some 20 ms, not one of a second. */
export const REPAIR_MAX_ENTRIES = 2000;
/** How much of a wrong end of the stream is looked through for an entry that is known. */
export const DAMAGE_SCAN_ENTRIES = 2000;

/** The first retry is quick since a failover is short; the last is one that a Redis can bear. */
export const RECONNECT_MIN_MS = 25;
export const RECONNECT_MAX_MS = 500;

/** A replica that was told to become the master is one within this time, or will not be. */
export const PROMISE_MS = 2000;

/** Appends share the connection: none waits for longer than a quarter of a megabyte takes. */
export const SNAPSHOT_CHUNK_BYTES = 256 * 1024;
/** A snapshot that nobody completes goes by itself, and one that was replaced when it was read. */
export const SNAPSHOT_TTL_MS = 600_000;
/**
 * Entries of so many bytes since the last snapshot ask for the next, however few they are: a stream
 * takes Redis's memory, and a server that starts reads all of it.
 */
export const SNAPSHOT_DUE_BYTES = 64 * 1024 * 1024;
/** How often room is made in a Redis that is full: a snapshot takes a second or more. */
export const FULL_RETRY_MS = 5000;
/** Who writes a snapshot renews this with every chunk. */
export const SNAPSHOT_LOCK_MS = 15_000;
/** How long a start waits for another server to replace what is missing from a damaged log. */
export const DAMAGE_WAIT_MS = 10_000;
