/** What operators ask a sidecar: whether it is ready, its metrics, its hosts. Nothing can be changed here. */
import { createServer, type Server } from 'node:http';
import { hostPort } from '../lib/ip.ts';
import { EXPOSITION_TYPE } from '../lib/metrics/exposition.ts';
import type { Metric } from '../lib/metrics/metric.ts';
import { listen, type Place, portOf } from './listening.ts';
import { sidecarExposition } from './sidecar-metrics.ts';
import type { Upstream } from './upstream.ts';

const MAX_CONNECTIONS = 64;
const MAX_HEAD_BYTES = 8 * 1024;
const HEAD_MS = 5000;

interface Page {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

const JSON_TYPE = 'application/json';

export interface AdminOptions {
  readonly at: Place;
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
  readonly #server: Server;

  constructor(options: AdminOptions) {
    this.#options = options;
    const limits = {
      maxHeaderSize: MAX_HEAD_BYTES,
      headersTimeout: HEAD_MS,
      requestTimeout: HEAD_MS,
    };
    this.#server = createServer(limits, (request, response) => {
      const { status, type, text } = this.#page(request.method, request.url);
      response.writeHead(status, {
        'Content-Type': type,
        'Content-Length': Buffer.byteLength(text),
      });
      response.end(text);
      request.resume();
    });
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  get port(): number {
    return portOf(this.#server);
  }

  start(): Promise<void> {
    return listen(this.#server, this.#options.at);
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #page(method = '', url = ''): Page {
    const upstreams = this.#options.upstreams();
    const [path = ''] = url.split('?', 1);
    if (method !== 'GET') return { status: 405, type: 'text/plain', text: 'method not allowed\n' };
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
        return { status: 404, type: 'text/plain', text: '/ready, /metrics, /hosts\n' };
    }
  }

  #readiness(): Page {
    const waiting = this.#options.waitsFor();
    const isReady = waiting.length === 0 && !this.#options.isEnding();
    const why = this.#options.isEnding() ? 'ending' : `waits for ${waiting.join(', ')}`;
    return {
      status: isReady ? 200 : 503,
      type: 'text/plain',
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
