/** What operators ask a sidecar: whether it is ready, its metrics, its hosts. Nothing can be changed here. */
import { hostPort } from '../lib/ip.ts';
import type { Place } from '../lib/listening.ts';
import { EXPOSITION_TYPE } from '../lib/metrics/exposition.ts';
import type { Metric } from '../lib/metrics/metric.ts';
import { type Page, Pages, PLAIN } from '../lib/pages.ts';
import { sidecarExposition } from './sidecar-metrics.ts';
import type { Sockets } from './sockets.ts';
import type { Upstream } from './upstream.ts';

const JSON_TYPE = 'application/json';

export interface AdminOptions {
  readonly at: Place;
  readonly sockets: Sockets;
  readonly upstreams: () => readonly Upstream[];
  /** Before calls can come and go. */
  readonly waitsFor: () => readonly string[];
  /** Shown beside those of the upstreams. */
  readonly metrics: () => readonly Metric[];
  /** No caller is taken any more. */
  readonly isEnding: () => boolean;
}

export class Admin {
  readonly #options: AdminOptions;
  readonly #pages: Pages;

  constructor(options: AdminOptions) {
    this.#options = options;
    this.#pages = new Pages(options.at, '/ready, /metrics, /hosts', (path) => this.#page(path));
  }

  get port(): number {
    return this.#pages.port;
  }

  start(): Promise<void> {
    const { sockets } = this.#options;
    return this.#pages.start((server, at) => sockets.listen(server, at));
  }

  stop(): void {
    this.#pages.stop();
  }

  #page(path: string): Page | undefined {
    const upstreams = this.#options.upstreams();
    switch (path) {
      case '/ready':
        return this.#readiness();
      case '/metrics': {
        const text = sidecarExposition(upstreams, this.#options.metrics());
        return { status: 200, type: EXPOSITION_TYPE, text };
      }
      case '/hosts':
        return { status: 200, type: JSON_TYPE, text: `${JSON.stringify(upstreams.map(shown))}\n` };
      default:
        return undefined;
    }
  }

  #readiness(): Page {
    const waiting = this.#options.waitsFor();
    const isReady = waiting.length === 0 && !this.#options.isEnding();
    const why = this.#options.isEnding() ? 'ending' : `waits for ${waiting.join(', ')}`;
    return {
      status: isReady ? 200 : 503,
      type: PLAIN,
      text: isReady ? 'ready\n' : `${why}\n`,
    };
  }
}

function shown({ name, targets, isKnown, routing }: Upstream) {
  const hosts = targets.flatMap((target) =>
    target.balancer.hosts.map(({ endpoint, active, begun, failed, outlier }) => ({
      id: endpoint.id,
      ...(target.name !== name && { target: target.name }),
      address: hostPort(endpoint.address, endpoint.port),
      health: endpoint.health,
      weight: endpoint.weight,
      ...{ active, begun, failed },
      ejected: outlier.ejectedUntil !== undefined,
    })),
  );
  return { upstream: name, known: isKnown, protocol: routing?.protocol ?? '', hosts };
}
