/** Defects of the logs, of leases, and of how entries come to servers. */
import type { Defect } from './defect.ts';

const REDIS = 'server/log/redis';

export const LOG_DEFECTS: readonly Defect[] = [
  {
    name: 'a quorum that loses: acknowledged when one server has it',
    log: 'quorum',
    workloads: ['registers'],
    seed: 2,
    edits: [
      {
        file: `${REDIS}/log/quorum.ts`,
        from: '(report) => report.applied >= index',
        to: '() => true',
      },
    ],
  },
  {
    name: 'leases counted while frozen, in Redis',
    log: 'redis',
    workloads: ['leases'],
    seed: 3,
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
    seed: 3,
    edits: [
      {
        file: 'server/replica.ts',
        from: 'this.#options.watcher.notifyAll();\n    this.#onRestored();',
        to: 'this.#onRestored();',
      },
      {
        file: 'server/server.ts',
        from: 'this.answers.releaseSoon();\n  }\n\n  #applied',
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
    seed: 6,
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
    seed: 8,
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
    seed: 8,
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
    seed: 5,
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
    seed: 3,
    edits: [
      {
        file: 'server/log/file/log-folder.ts',
        from: 'this.#fileSystem.openDurable(path)',
        to: 'this.#fileSystem.open(path)',
      },
    ],
  },
];
