/** What probes and operators ask a sync: whether it lives, whether it is ready, its metrics. */
import type { Place } from '../lib/listening.ts';
import { EXPOSITION_TYPE, exposition } from '../lib/metrics/exposition.ts';
import { type Page, Pages, PLAIN } from '../lib/pages.ts';
import type { KubernetesSync } from './sync.ts';

const NAMING = { prefix: '', host: '', filter: { allowed: [], blocked: [], byDefault: true } };

export function syncPages(at: Place, sync: Pick<KubernetesSync, 'waitsFor' | 'metrics'>): Pages {
  return new Pages(at, '/live, /ready, /metrics', (path) => {
    switch (path) {
      case '/live':
        // Nothing else is looked at: no outage of others may start it anew.
        return { status: 200, type: PLAIN, text: 'live\n' };
      case '/ready':
        return readiness(sync.waitsFor);
      case '/metrics': {
        const metrics = sync.metrics();
        const text = exposition({ metrics, changedWithin: () => true }, NAMING, 0);
        return { status: 200, type: EXPOSITION_TYPE, text };
      }
      default:
        return undefined;
    }
  });
}

function readiness(waitsFor: readonly string[]): Page {
  if (waitsFor.length === 0) return { status: 200, type: PLAIN, text: 'ready\n' };
  return { status: 503, type: PLAIN, text: `waits for ${waitsFor.join(', ')}\n` };
}
