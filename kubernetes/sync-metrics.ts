/** What a sync tells of itself in numbers. */
import { counter, gauge, type Metric, timing } from '../lib/metrics/metric.ts';
import type { Sample } from '../lib/metrics/sample.ts';
import type { SeenCatalog } from './seen-catalog.ts';
import type { Way, WayCounts } from './way.ts';

export interface SyncState {
  readonly ways: readonly Pick<Way, 'name' | 'counts' | 'isWhole' | 'lostAt'>[];
  readonly catalog: Pick<SeenCatalog, 'failures' | 'isFailing'>;
  readonly isActive: boolean;
  /** How often it had the turn. */
  readonly turns: number;
  readonly late: Sample | undefined;
}

const COUNTS: readonly (readonly [
  Exclude<keyof WayCounts, 'waiting' | 'leftOut' | 'held'>,
  string,
])[] = [
  ['written', 'Changes that the other side took.'],
  ['refused', 'Changes that it did not take; they are tried again.'],
  ['lists', 'How often a list of the cluster was read whole.'],
  ['failures', 'How often a list or a watch of the cluster could not be read.'],
];

export function syncMetrics(state: SyncState): readonly Metric[] {
  const { ways, late, catalog } = state;
  return [
    gauge('proconsul.k8s.active', '1 while it has the turn, and writes.', () =>
      Number(state.isActive),
    ),
    counter('proconsul.k8s.turns', 'How often it got the turn.', () => state.turns),
    gauge('proconsul.k8s.whole', '1 once all that it reads is known.', () =>
      ways.map(({ name: way, isWhole }) => ({ labels: { way }, value: Number(isWhole) })),
    ),
    gauge(
      'proconsul.k8s.lost',
      '1 while something of that side cannot be read, or written.',
      () => {
        const isLost = ways.some(({ lostAt }) => lostAt !== undefined);
        return [
          { labels: { side: 'cluster' }, value: Number(isLost) },
          { labels: { side: 'catalog' }, value: Number(catalog.isFailing) },
        ];
      },
    ),
    ...(['read', 'write'] as const).map((how) =>
      counter(
        'proconsul.k8s.catalog_failures',
        'Questions to the catalog, and writes, that were refused or had no answer.',
        () => catalog.failures[how],
        { how },
      ),
    ),
    gauge('proconsul.k8s.waiting', 'What is still to be compared or written.', () =>
      ways.map(({ name: way, counts }) => ({ labels: { way }, value: counts.waiting })),
    ),
    gauge('proconsul.k8s.left_out', 'Services that ask to come and do not; its log says why.', () =>
      ways.flatMap(({ name: way, counts: { leftOut } }) =>
        leftOut === undefined ? [] : [{ labels: { way }, value: leftOut }],
      ),
    ),
    gauge('proconsul.k8s.held', '1 while what went stays, since most went at once.', () =>
      ways.flatMap(({ name: way, counts: { held } }) =>
        held === undefined ? [] : [{ labels: { way }, value: held }],
      ),
    ),
    ...ways.flatMap((way) =>
      COUNTS.map(([what, does]) =>
        counter(`proconsul.k8s.${what}`, does, () => way.counts[what], { way: way.name }),
      ),
    ),
    ...(late === undefined
      ? []
      : [
          timing(
            'proconsul.k8s.late',
            'From when a change of the cluster was read to when the catalog had taken it.',
            late,
            { buckets: true },
          ),
        ]),
  ];
}
