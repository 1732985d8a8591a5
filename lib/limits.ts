/** Every limit that a client can run into, in one place. */
import { totalmem } from 'node:os';
import { constrainedMemory } from 'node:process';
import { getHeapStatistics } from 'node:v8';

const MB = 1024 * 1024;

/** What this process may have: of the machine, or of the container that it is in. */
export function memoryBytes(machine = totalmem(), container = constrainedMemory()): number {
  // 0, or more than there is, where nobody bounds it.
  return container > 0 ? Math.min(machine, container) : machine;
}

/** What may live in this process at a time, by what Node was given. */
export function heapBytes(): number {
  return getHeapStatistics().heap_size_limit;
}

/** Of what a process may have, in all large answers at once: others share it with the state itself. */
export function bodiesBytes(memory: number): number {
  return Math.min(1536 * MB, memory / 4);
}

/** Of what others do not take, or say faster than it is taken, for all of them together. */
export function keptBytes(memory: number): number {
  return Math.min(512 * MB, memory / 4);
}

/** Of one answer. More than a GB takes seconds on any wire, and cannot be held twice by most machines. */
export function answerBytes(memory: number): number {
  return Math.floor((bodiesBytes(memory) / 3) * 2);
}

/** Consul's own limit for a value, where nobody sets another. */
export const MAX_KV_VALUE_BYTES = 512 * 1024;
/** A registration, a session or a query is a few KB; Consul has no limit here, which is CVE-2025-11374. */
export const MAX_JSON_BODY_BYTES = 1024 * 1024;
/**
 * Of a list of objects in a body, such as checks, or a map: each check becomes 50 times as long as its "{}"
 * there, and all of them hold everybody up.
 */
export const MAX_LISTED = 4096;
/** Of a body, in all its lists and objects: a megabyte of nothing but "{}" has 340,000. */
export const MAX_BODY_VALUES = 64 * 1024;
/** Of one proxy, and as many exposed paths: each has faults of its own, and all of them are told. */
export const MAX_UPSTREAMS = 1024;
/**
 * Of a policy, or a token of the older API: some 8,000 rules. Each is read anew by every server and agent
 * that has to know what it allows, while everybody else waits.
 */
export const MAX_RULES_BYTES = 256 * 1024;
/** Of all policies of a token: so long that their rights still find room where rights are kept. */
export const MAX_TOKEN_RULES = 2 * 1024 * 1024;
export const MAX_TXN_OPS = 64;
/** Rows that the trees of a transaction come to: each of 64 may name all keys that there are. */
export const MAX_TXN_ROWS = 256 * 1024;
/** Of what a check said, as much as is kept with a change: enough to know what it was. */
export const MAX_TEXT = 200;
/** Changes, or instances, in one answer of the history. */
export const MAX_HISTORY_ROWS = 10_000;
/** Of all large answers that are being made, or are on their way to whoever reads them slowly. */
export const MAX_BODIES_BYTES = bodiesBytes(memoryBytes());
export const MAX_ANSWER_BYTES = answerBytes(memoryBytes());
/** An archive, which is compressed: of a cluster of 172,000 instances it has some 10 MB. */
export const MAX_SNAPSHOT_BYTES = 256 * 1024 * 1024;
export const MAX_EVENT_BODY_BYTES = 64 * 1024;
/** What an agent says of itself is some hundred bytes; each of these may stay for days. */
export const MAX_BEAT_BODY_BYTES = 16 * 1024;
/** What the instances on a node use: some hundred bytes each. */
export const MAX_LOAD_BODY_BYTES = 512 * 1024;
/** Go's default for all headers is 1 MB, Node's 16 KB; a URL of Consul's holds a key and a filter. This bounds a path too. */
export const MAX_HEADER_BYTES = 32 * 1024;
/** Longer than Go's 90 s, or its clients meet a connection that closes as they write on it. */
export const KEEP_ALIVE_MS = 6 * 60_000;

/** Of one token: half of the 65,536 files that a service may usually open, so that others find a place. */
export const MAX_WAITS_PER_TOKEN = 32_768;

export const DEFAULT_WAIT_MS = 5 * 60_000;
export const MAX_WAIT_MS = 10 * 60_000;
/** A wait is stretched by up to a 16th, so that many waits do not end at once. */
export const WAIT_JITTER_FRACTION = 1 / 16;

/** Below this, compressing costs more than it saves. */
export const MIN_GZIP_BYTES = 1400;
