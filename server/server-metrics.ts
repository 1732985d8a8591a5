/** What a server measures: docs/monitoring/metrics.md is made from these rows. */

import type { Clock } from '../lib/clock.ts';
import { MAX_SCALED } from '../lib/config-entries/kinds/service-scaling.ts';
import { standing } from '../lib/looking.ts';
import {
  counter,
  gauge,
  type Labels,
  type Metric,
  type Reading,
  timing,
} from '../lib/metrics/metric.ts';
import type { HeardLoads } from './cluster/heard-loads.ts';
import type { Leader } from './cluster/leader.ts';
import type { MemberNews } from './cluster/member-news.ts';
import type { CommandTimes } from './command-times.ts';
import type { Command } from './commands.ts';
import type { Agentless } from './external/agentless.ts';
import type { EventLog } from './log/event-log.ts';
import type { Proposer } from './proposer.ts';
import type { Answers } from './query/answers.ts';
import { logNow, WantedReadings } from './query/scale.ts';
import type { Watcher } from './query/watcher.ts';
import type { Replica } from './replica.ts';
import type { Snapshots } from './snapshots.ts';
import type { State } from './state/state.ts';

export interface MeasuredServer {
  readonly log: Pick<EventLog, 'status' | 'metrics'>;
  readonly proposer: Pick<Proposer, 'append' | 'batch' | 'took' | 'waiting' | 'turnedAway'>;
  readonly replica: Pick<Replica, 'took' | 'waking' | 'state'>;
  readonly answers: Pick<Answers, 'size' | 'waiting' | 'reads' | 'evaluations' | 'wakeUps'>;
  readonly watcher: Pick<Watcher, 'size'>;
  readonly leader: Pick<Leader, 'isLeader' | 'knowsLeader' | 'elected'>;
  readonly memberNews: Pick<MemberNews, 'counts'>;
  readonly snapshots: Pick<Snapshots, 'saved' | 'failed'>;
  readonly agentless: Pick<Agentless, 'watched'>;
  readonly loads: Pick<HeardLoads, 'reports'>;
  readonly clock: Pick<Clock, 'now'>;
}

type Type = Command['type'];
type Group = readonly [name: string, types: readonly Type[], labels?: Labels];

/** As Consul names what its endpoints propose: from the proposal to the outcome. */
const PROPOSED: readonly Group[] = [
  ['kvs.apply', ['kv']],
  ['txn.apply', ['txn']],
  ['session.apply', ['create-session', 'destroy-session']],
  ['catalog.register', ['register']],
  ['catalog.deregister', ['deregister']],
  ['prepared-query.apply', ['set-query', 'delete-query']],
  ['acl.token.upsert', ['set-acl-token', 'set-legacy-token']],
  ['acl.token.delete', ['delete-acl-token']],
  ['acl.policy.upsert', ['set-acl-policy']],
  ['acl.policy.delete', ['delete-acl-policy']],
  ['acl.role.upsert', ['set-acl-role']],
  ['acl.role.delete', ['delete-acl-role']],
  ['acl.login', ['login']],
];

/** As Consul names what its state machine does: applying an entry. */
const APPLIED: readonly Group[] = [
  ['fsm.kvs', ['kv']],
  ['fsm.txn', ['txn']],
  ['fsm.register', ['register']],
  ['fsm.deregister', ['deregister']],
  ['fsm.session', ['create-session'], { op: 'create' }],
  ['fsm.session', ['destroy-session'], { op: 'destroy' }],
  ['fsm.prepared-query', ['set-query'], { op: 'upsert' }],
  ['fsm.prepared-query', ['delete-query'], { op: 'delete' }],
  ['fsm.coordinate.batch-update', ['update-coordinates']],
  ['fsm.acl.token', ['set-acl-token'], { op: 'upsert' }],
  ['fsm.acl.token', ['delete-acl-token'], { op: 'delete' }],
  ['fsm.acl.policy', ['set-acl-policy'], { op: 'upsert' }],
  ['fsm.acl.policy', ['delete-acl-policy'], { op: 'delete' }],
];

export function serverMetrics(server: MeasuredServer): readonly Metric[] {
  const { replica, log } = server;
  const state = () => replica.state;
  return [
    ...logMetrics(server),
    ...(log.metrics?.() ?? []),
    ...groups(PROPOSED, 'until it was applied', server.proposer.took),
    ...groups(APPLIED, 'to apply it', replica.took),
    ...answerMetrics(server),
    ...stateMetrics(state),
    ...leaderMetrics(server),
    ...historyMetrics(state),
    ...scaleMetrics(server),
    gauge(
      'proconsul.external.checks',
      'checks of external nodes that this server looks at',
      () => server.agentless.watched,
    ),
  ];
}

function groups(all: readonly Group[], what: string, times: CommandTimes): Metric[] {
  return all.map(([name, types, labels = {}]) =>
    timing(
      name,
      `${types.join(' or ')}: ${what}`,
      types.map((type) => times.of(type)),
      { labels },
    ),
  );
}

function logMetrics({ proposer, replica, log, snapshots }: MeasuredServer): Metric[] {
  const position = () => replica.state.position;
  return [
    gauge('raft.applied_index', 'the last entry that was applied', position),
    gauge('raft.last_index', 'the last entry that this server knows', position),
    timing('raft.commitTime', 'until the log had taken a batch', proposer.append),
    timing('proconsul.log.append', 'until the log had taken a batch', proposer.append, {
      buckets: true,
    }),
    timing('proconsul.log.batch', 'how many entries went to the log together', proposer.batch, {
      unit: 'things',
    }),
    counter('raft.apply', 'entries that this server proposed', () => proposer.batch.all().sum),
    gauge('proconsul.log.waiting', 'writes that wait for the log', () => proposer.waiting),
    counter(
      'proconsul.log.turned_away',
      'writes for which there was no room',
      () => proposer.turnedAway,
    ),
    gauge('proconsul.log.writable', '1 where a write stands a chance', () =>
      Number(log.status().writable),
    ),
    gauge(
      'proconsul.log.behind_seconds',
      'since the log was last known to be read to its end',
      () => log.status().lastContactMs / 1000,
    ),
    timing('proconsul.snapshot.save', 'to save a snapshot', snapshots.saved),
    counter('proconsul.snapshot.failed', 'snapshots that were not saved', () => snapshots.failed),
  ];
}

function answerMetrics({ answers, watcher, replica }: MeasuredServer): Metric[] {
  return [
    gauge('rpc.queries_blocking', 'requests that wait for a change', () => answers.waiting),
    counter('rpc.query', 'answers that were looked for', () => answers.reads),
    counter(
      'proconsul.answers.evaluated',
      'answers that had to be made anew',
      () => answers.evaluations,
    ),
    counter('proconsul.answers.cached', 'answers that stood already', () =>
      Math.max(0, answers.reads - answers.evaluations),
    ),
    counter(
      'proconsul.answers.woken',
      'answers made anew for those who wait',
      () => answers.wakeUps,
    ),
    gauge('proconsul.answers.kept', 'answers that are kept', () => answers.size.answers),
    gauge('proconsul.answers.kept_bytes', 'the room that they take', () => answers.size.bytes),
    gauge(
      'proconsul.reads.waiting',
      'reads that a turn of the loop had no room for',
      () => standing.size,
    ),
    counter(
      'proconsul.reads.turned_away',
      'reads that were refused, since too many waited for a turn',
      () => standing.refused,
    ),
    gauge('proconsul.topics', 'topics that somebody watches', () => watcher.size),
    timing(
      'proconsul.wake',
      'to tell who watches what a batch of entries changed',
      replica.waking,
      {
        buckets: true,
      },
    ),
  ];
}

const STATUSES = ['passing', 'warning', 'critical'] as const;

function stateMetrics(state: () => State): Metric[] {
  const checks = (): readonly Reading[] =>
    STATUSES.map((status) => ({ labels: { status }, value: state().catalog.checkCount(status) }));
  return [
    gauge('state.nodes', 'nodes of the catalog', () => state().catalog.nodes.size),
    gauge('state.services', 'names of services', () => state().catalog.serviceNames.size),
    gauge('state.service_instances', 'instances', () => state().catalog.instances.size),
    gauge('state.kv_entries', 'keys', () => state().kv.size),
    gauge('proconsul.catalog.checks', 'checks of the catalog, by status', checks),
    gauge('session_ttl.active', 'sessions', () => state().sessions.table.size),
    gauge('proconsul.members', 'nodes that beat, or did', () => state().members.size),
    gauge('members.servers', 'servers that live', () => state().liveServers.size),
  ];
}

function historyMetrics(state: () => State): Metric[] {
  const size = () => state().history.size;
  return [
    gauge('proconsul.history.changes', 'changes that are remembered', () => size().changes),
    gauge(
      'proconsul.history.output_characters',
      'what checks said with them',
      () => size().characters,
    ),
    gauge('proconsul.history.things', 'instances and nodes that they are of', () => size().tracks),
  ];
}

/** By the names of services that an operator has made an entry for: the leader alone tells them. */
function scaleMetrics({ replica, leader, loads, clock }: MeasuredServer): Metric[] {
  const readings = new WantedReadings();
  const wanted = (): readonly Reading[] => {
    if (!leader.isLeader) return readings.none();
    const { state } = replica;
    return readings.of(state, logNow(state, clock));
  };
  return [
    gauge(
      'proconsul.scale.wanted',
      'instances that a scaled service should have',
      wanted,
      MAX_SCALED,
    ),
    counter(
      'proconsul.scale.reports',
      'times that an agent told what is used',
      () => loads.reports,
    ),
  ];
}

function leaderMetrics({ leader, memberNews: { counts } }: MeasuredServer): Metric[] {
  return [
    counter('raft.state.leader', 'times that this server began to lead', () => leader.elected),
    gauge('proconsul.leader', '1 on the server that leads', () => Number(leader.isLeader)),
    gauge('proconsul.leader_known', '1 where the leader lives', () => Number(leader.knowsLeader)),
    counter('serf.member.join', 'nodes that began to beat', () => counts.joined),
    counter('serf.member.failed', 'nodes that beat no more', () => counts.failed),
    counter('serf.member.left', 'nodes that left', () => counts.left),
  ];
}
