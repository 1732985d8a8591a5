/** What serving xDS comes to: docs/monitoring/metrics.md is made from these rows. */
import { counter, gauge, type Metric } from '../lib/metrics/metric.ts';
import type { Room } from './room.ts';
import type { ServingCounts } from './serving/serve.ts';
import type { Views } from './views.ts';

export interface MeasuredXds {
  readonly counts: Readonly<ServingCounts>;
  readonly views: Pick<Views, 'size' | 'waiting'> & {
    readonly room: Pick<Room, 'bytes' | 'taken'>;
  };
  readonly polls: { readonly held: number };
}

export function xdsMetrics({ counts, views, polls }: MeasuredXds): readonly Metric[] {
  return [
    gauge('proconsul.xds.streams', 'streams of xDS that are open', () => counts.streams),
    gauge('proconsul.xds.polls', 'polls that are held until something changes', () => polls.held),
    gauge(
      'proconsul.xds.resources',
      'resources of xDS that are kept, and names of which there is none',
      () => views.size.resources,
    ),
    gauge('proconsul.xds.questions', 'questions followed for them', () => views.size.questions),
    gauge(
      'proconsul.xds.waiting',
      'names and questions that wait for their turn',
      () => views.waiting,
    ),
    gauge(
      'proconsul.xds.kept_bytes',
      'bytes of memory that what clients of xDS ask for takes, as it is reckoned',
      () => views.room.taken,
    ),
    gauge(
      'proconsul.xds.room_bytes',
      'bytes that it may take: a third of the heap',
      () => views.room.bytes,
    ),
    counter('proconsul.xds.answers', 'answers to streams of xDS', () => counts.answers),
    counter('proconsul.xds.refusals', 'answers that a client refused', () => counts.refusals),
  ];
}
