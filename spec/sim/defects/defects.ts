/**
 * Defects that the simulator has to find, each put into a copy of the sources by a replacement of
 * text. A spec sees to it that each still has its place: who moves the code moves the defect along.
 */
import type { Defect } from './defect.ts';
import { LOG_DEFECTS } from './log-defects.ts';
import { VERDICT_DEFECTS } from './verdict-defects.ts';

const OTHERS: readonly Defect[] = [
  {
    name: 'DNS that is stale where it may not be',
    log: 'redis',
    workloads: ['dns'],
    seed: 2,
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
    seed: 2,
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
    seed: 2,
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
    seed: 2,
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
    seed: 10,
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
    seed: 8,
    edits: [
      {
        file: 'server/eureka/registry.ts',
        from: "return await readiness.read(row === undefined ? 'consistent' : 'leader', found);",
        to: 'return row;',
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
    seed: 3,
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
    seconds: 400,
    edits: [
      {
        file: 'server/state/table.ts',
        from: 'return this.#groups.has(name) ? new Rows(this.#groups, name) : NONE;',
        to: 'return new Rows(this.#groups, name)[Symbol.iterator]() as unknown as Iterable<V>;',
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
    seed: 3,
    edits: [
      {
        file: 'server/log/redis/log/monitor.ts',
        from: 'return Math.max(0, Math.round(this.#deps.clock.monotonic() - this.#contactAt));',
        to: 'return 0;',
      },
    ],
  },
  {
    name: 'keys that are not kept: who is started again has those of before',
    log: 'redis',
    workloads: ['rotation'],
    edits: [
      {
        file: 'server/log/sealed/sealed-payloads.ts',
        from: 'this.#learn(next);\n    this.#keep();',
        to: 'this.#learn(next);',
      },
    ],
  },
  {
    name: 'a key that is forgotten as soon as a snapshot is saved, which Redis may lose again',
    log: 'redis',
    workloads: ['rotation'],
    seed: 3,
    edits: [
      {
        file: 'server/keyring.ts',
        from: 'FORGET_AFTER_MS = 5 * 60_000;',
        to: 'FORGET_AFTER_MS = 0;',
      },
    ],
  },
  {
    name: 'a snapshot that opens under the newest key alone: who was away is told of it nowhere',
    log: 'redis',
    workloads: ['rotation', 'registers'],
    seed: 5,
    edits: [
      {
        file: 'server/log/sealed/sealed-snapshot.ts',
        from: 'payloads.keyring.keys.map((each)',
        to: '[key].map((each)',
      },
    ],
  },
  {
    name: 'defaults of proxies that are taken over once, and followed no more',
    log: 'redis',
    workloads: ['defaults'],
    seed: 2,
    edits: [
      {
        file: 'agent/sync/defaults.ts',
        from: 'if (found.index !== index) this.#take(followed, found.defaults);',
        to: 'if (index === 0) this.#take(followed, found.defaults);',
      },
    ],
  },
  {
    name: 'defaults of proxies of which the catalog is not told',
    log: 'redis',
    workloads: ['defaults'],
    seed: 2,
    edits: [
      {
        file: 'agent/sync/defaults.ts',
        from: 'for (const id of changed) onChange(id);',
        to: 'void [changed, onChange];',
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
        from: 'if (ids.length === this.#ring.size && ids.every((id) => this.#ring.has(id))) return false;',
        to: 'if (ids.every((id) => this.#ring.has(id))) return false;',
      },
    ],
  },
];

export const DEFECTS: readonly Defect[] = [...LOG_DEFECTS, ...VERDICT_DEFECTS, ...OTHERS];
