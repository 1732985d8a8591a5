/** One for each verdict that no other defect shows to fail. */
import type { Defect } from './defect.ts';

export const VERDICT_DEFECTS: readonly Defect[] = [
  {
    name: 'a consistent read that asks no majority',
    log: 'quorum',
    workloads: ['registers', 'watchers'],
    edits: [
      {
        file: 'server/readiness.ts',
        from: "return consistency === 'consistent' && this.#deps.log.status().epoch !== undefined;",
        to: 'return false;',
      },
      {
        file: 'server/readiness.ts',
        from: "log.readIndex(consistency === 'consistent' ? 'majority' : 'log')",
        to: "log.readIndex('log')",
      },
      {
        // Else who is found again is trusted only once a majority has agreed to what it says.
        file: 'server/log/redis/log/redis-log.ts',
        from: "if (by === 'log' && isTrusted) return",
        to: "if (by === 'log') return",
      },
    ],
  },
  {
    name: 'what Redis has lost is not put back, though a server has it',
    log: 'redis',
    workloads: ['registers'],
    edits: [
      {
        file: 'server/log/redis/repair/epoch-plan.ts',
        from: "if (relation === 'behind') return 'repair';",
        to: "if (relation === 'behind') return 'keep';",
      },
      {
        file: 'server/log/redis/repair/epoch-plan.ts',
        from: "return beginWith('repair', view, me, limits);",
        to: "return { kind: 'yield', fork: true };",
      },
    ],
  },
  {
    name: 'waits that end late',
    log: 'file',
    workloads: ['watchers'],
    edits: [
      {
        file: 'server/query/live-answer.ts',
        from: 'clock.after(waiter.waitMs,',
        to: 'clock.after(waiter.waitMs * 3,',
      },
    ],
  },
  {
    name: 'replicas that differ: who has restored a snapshot knows of nothing that was deleted',
    log: 'redis',
    workloads: ['registers'],
    edits: [
      {
        file: 'server/state/snapshot.ts',
        from: 'else if (line.graves !== undefined) this.#state.kv.loadGraves(line.graves);',
        to: 'else if (line.graves !== undefined) void line;',
      },
    ],
  },
  {
    name: 'timers left over: an agent that has ended goes on comparing',
    log: 'file',
    workloads: ['agents'],
    edits: [{ file: 'agent/agent.ts', from: 'await parts.antiEntropy.stop();', to: '' }],
  },
  {
    name: 'an ERROR where nothing is wrong: each start is said as one',
    log: 'file',
    workloads: ['registers'],
    edits: [
      {
        file: 'server/server.ts',
        from: 'system.logger.info(`server: the log is applied',
        to: 'system.logger.error(`server: the log is applied',
      },
    ],
  },
];
