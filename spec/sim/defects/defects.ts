/**
 * Defects that the simulator has to find, each put into a copy of the sources by a replacement of
 * text. A spec sees to it that each still has its place: who moves the code moves the defect along.
 */
import type { Log } from '../cluster.ts';
import type { WorkloadName } from '../run.ts';

export interface Edit {
  readonly file: string;
  /** Stands there once. */
  readonly from: string;
  readonly to: string;
}

export interface Defect {
  readonly name: string;
  readonly log: Log;
  readonly workloads: readonly WorkloadName[];
  readonly edits: readonly Edit[];
}

const REDIS = 'server/log/redis';

export const DEFECTS: readonly Defect[] = [
  {
    name: 'a quorum that loses: acknowledged when one server has it',
    log: 'quorum',
    workloads: ['registers'],
    edits: [
      {
        file: `${REDIS}/log/quorum.ts`,
        from: 'report.applied >= index',
        to: 'true',
      },
    ],
  },
  {
    name: 'leases counted while frozen, in Redis',
    log: 'redis',
    workloads: ['leases'],
    edits: [
      {
        file: `${REDIS}/log/leases.ts`,
        // biome-ignore lint/suspicious/noTemplateCurlyInString: the text of the source.
        from: 'if silent > ${MAX_SILENCE_MS} then',
        to: 'if false then',
      },
    ],
  },
  {
    name: 'leases counted while frozen, in memory',
    log: 'file',
    workloads: ['leases'],
    edits: [
      {
        file: 'server/cluster/memory-leases.ts',
        from: 'if (silentMs <= MAX_SILENCE_MS) return 0;',
        to: 'return 0;',
      },
    ],
  },
  {
    name: 'a restore that leaves waiters hanging',
    log: 'quorum',
    workloads: ['registers', 'watchers'],
    edits: [
      {
        file: 'server/replica.ts',
        from: 'this.#options.watcher.notifyAll();\n    this.#onRestored();',
        to: 'this.#onRestored();',
      },
      {
        file: 'server/server.ts',
        from: 'this.answers.release();\n  }\n\n  #applied',
        to: '}\n\n  #applied',
      },
    ],
  },
  {
    name: "a clock set back: leases end when Redis's clock says so",
    log: 'redis',
    workloads: ['leases'],
    edits: [
      {
        file: `${REDIS}/log/leases.ts`,
        from: "local back = math.max(0, tonumber(v[1] or '0') - c.now)",
        to: 'local back = 0',
      },
    ],
  },
  {
    name: 'a lost wake-up: of a batch only the last entry wakes',
    log: 'redis',
    workloads: ['registers', 'watchers'],
    edits: [
      {
        file: 'server/replica.ts',
        from: 'for (const topic of applied.touched) touched.add(topic);',
        to: 'touched.clear();\n        for (const topic of applied.touched) touched.add(topic);',
      },
    ],
  },
  {
    name: 'a repeated index: no gap after a fork',
    log: 'redis',
    workloads: ['registers', 'watchers'],
    edits: [{ file: `${REDIS}/link/limits.ts`, from: 'FORK_GAP = 2 ** 20', to: 'FORK_GAP = 1' }],
  },
  {
    name: 'a double apply: ids of proposals are not looked at',
    log: 'redis',
    workloads: ['registers', 'watchers'],
    edits: [
      {
        file: `${REDIS}/log/append.ts`,
        from: "if not redis.call('ZSCORE', KEYS[3], id) then",
        to: 'if true then',
      },
      {
        file: 'server/state/apply.ts',
        from: 'const again = isRepeat(state, entry.id);',
        to: 'const again = false;',
      },
    ],
  },
  {
    name: 'a stale default read',
    log: 'redis',
    workloads: ['registers'],
    edits: [
      {
        file: 'server/readiness.ts',
        from: "if (consistency === 'stale') {",
        to: "if (consistency !== 'consistent') {",
      },
    ],
  },
  {
    name: 'a fence skipped: a Redis that nobody has sealed is taken for the one that was',
    log: 'redis',
    workloads: ['registers', 'watchers'],
    edits: [
      {
        file: `${REDIS}/records/scripts.ts`,
        from: 'return process .. (string',
        to: "return '1' or (string",
      },
    ],
  },
  {
    name: 'a log trimmed too early, before a snapshot that holds it',
    log: 'file',
    workloads: ['registers'],
    edits: [
      {
        file: 'server/log/file/file-log.ts',
        from: "filter((_, i) =>\n        isUpTo(segmentIndex(segments[i + 1] ?? ''), index + 1),\n      );",
        to: 'filter((name) => isUpTo(segmentIndex(name), index));',
      },
    ],
  },
  {
    name: 'a torn tail accepted: no checksum',
    log: 'file',
    workloads: ['registers', 'watchers'],
    edits: [
      {
        file: 'server/log/file/record.ts',
        from: 'if (bytes.readUInt32LE(at) !== crc32c(bytes, at + LENGTH_AT, end)) return undefined;',
        to: '',
      },
      {
        file: 'server/log/file/records.ts',
        from: 'entry.hash !== chainHash(previous.hash, entry)',
        to: 'false',
      },
    ],
  },
  {
    name: 'an append that is not synced',
    log: 'file',
    workloads: ['registers'],
    edits: [
      {
        file: 'server/log/file/log-folder.ts',
        from: 'this.#fileSystem.openDurable(path)',
        to: 'this.#fileSystem.open(path)',
      },
    ],
  },
  {
    name: 'DNS that is stale where it may not be',
    log: 'redis',
    workloads: ['dns'],
    edits: [
      {
        file: 'agent/dns/http-lookups.ts',
        from: 'this.#options.maxStaleMs > 0 ?',
        to: 'true ?',
      },
    ],
  },
  {
    name: 'waits that are kept when their client has gone',
    log: 'file',
    workloads: ['watchers', 'registers'],
    edits: [
      {
        file: 'server/query/live-answer.ts',
        from: 'this.#live.forget(this);',
        to: '',
      },
    ],
  },
  {
    name: 'drift that is never repaired',
    log: 'redis',
    workloads: ['agents'],
    edits: [
      {
        file: 'agent/sync/drift.ts',
        from: 'for (const id of theirs.keys()) if (!ours.has(id)) ids.push(id);',
        to: '',
      },
    ],
  },
  {
    name: 'a compare-and-set that compares nothing',
    log: 'redis',
    workloads: ['registers'],
    edits: [
      {
        file: 'server/state/kv-commands.ts',
        from: 'if (!isIndex(before?.ModifyIndex ?? 0, op.index)) return undefined;\n  return put',
        to: 'return put',
      },
    ],
  },
  {
    name: "the authoriser's cache stale: who asked before keeps the rights of then",
    log: 'redis',
    workloads: ['access'],
    edits: [
      {
        file: 'server/acl/resolver.ts',
        from: 'if (now !== state || now.acl.changes !== changes) return false;\n    return row',
        to: 'return row',
      },
    ],
  },
  {
    name: 'bytes left over: who goes in the middle of a large answer keeps the room that it took',
    log: 'file',
    workloads: ['large'],
    edits: [
      {
        file: 'lib/http/delivery.ts',
        from: "  to.on('close', over);\n",
        to: '',
      },
    ],
  },
  {
    name: "a change that Eureka's clients are not told: what has gone stays with them",
    log: 'file',
    workloads: ['eureka'],
    edits: [
      {
        file: 'server/state/eureka-commands.ts',
        from: 'remember(state, { row: withFields(row, changedNow(state)) });',
        to: '',
      },
    ],
  },
  {
    name: "a server that is behind sends Eureka's clients away, who have registered at another",
    log: 'redis',
    workloads: ['eureka'],
    edits: [
      {
        file: 'server/eureka/registry.ts',
        from: "await readiness.ready('leader');",
        to: '',
      },
    ],
  },
  {
    name: 'a lock with two holders',
    log: 'file',
    workloads: ['locks'],
    edits: [
      {
        file: 'server/state/kv-commands.ts',
        from: 'if (before?.Session !== undefined || state.sessions.isDelayed',
        to: 'if (state.sessions.isDelayed',
      },
    ],
  },
  {
    name: 'waits that end early, with nothing new',
    log: 'file',
    workloads: ['watchers'],
    edits: [
      {
        file: 'server/query/live-answer.ts',
        from: 'clock.after(waiter.waitMs,',
        to: 'clock.after(waiter.waitMs / 2,',
      },
    ],
  },
  {
    name: 'an agent that answers before it keeps what it was told',
    log: 'file',
    workloads: ['agents'],
    edits: [
      {
        file: 'agent/sync/registrar.ts',
        from: 'return this.#options.kept.flush();',
        to: 'return Promise.resolve();',
      },
    ],
  },
  {
    name: 'a lock-delay that keeps nobody from the lock',
    log: 'file',
    workloads: ['locks'],
    edits: [
      {
        file: 'server/state/sessions.ts',
        from: 'return (this.#delays.get(key) ?? 0) > now;',
        to: 'return (this.#delays.get(key) ?? 0) > now + 3600_000;',
      },
    ],
  },
  {
    name: "rows that can be gone through once: Eureka's changes lack what changed by a check alone",
    log: 'file',
    workloads: ['eureka', 'past'],
    edits: [
      {
        file: 'server/state/table.ts',
        from: 'return group === undefined ? NONE : new Values(group);',
        to: 'return group?.values() ?? NONE;',
      },
    ],
  },
  {
    name: 'an answer that changes and keeps its index: a check that changes touches its node alone',
    log: 'file',
    workloads: ['passed'],
    edits: [
      {
        file: 'server/state/catalog.ts',
        from: 'if (instance !== undefined) this.#touchHealth(instance);',
        to: '',
      },
    ],
  },
  {
    name: 'a stale answer that says it is new',
    log: 'redis',
    workloads: ['registers'],
    edits: [
      {
        file: `${REDIS}/log/monitor.ts`,
        from: 'return Math.max(0, Math.round(this.#deps.clock.monotonic() - this.#contactAt));',
        to: 'return 0;',
      },
    ],
  },
  {
    name: 'external nodes that nobody looks at when the server has gone that did',
    log: 'redis',
    workloads: ['external'],
    edits: [
      {
        file: 'server/external/prober.ts',
        from: 'if (ID !== server && ((await leases.left(PROBER + ID)) ?? 0) > 0) looking.add(ID);',
        to: 'if (ID !== server) looking.add(ID);',
      },
    ],
  },
];
