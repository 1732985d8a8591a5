/** What a balancer knows of an instance: what was said of it, and how it has done. */
import { PeakEwma } from './peak-ewma.ts';

/** `draining` gets nothing new and keeps what it has; `unhealthy` is used in a panic alone. */
export type Health = 'healthy' | 'draining' | 'unhealthy';

export interface Endpoint {
  /** Stays the same for as long as it is the same instance. */
  readonly id: string;
  readonly address: string;
  readonly port: number;
  /** At least 1. */
  readonly weight: number;
  /** 0 is asked first; the next only as far as those before are not there. */
  readonly priority: number;
  /** '' where it is not known. */
  readonly zone: string;
  readonly health: Health;
  /** By which subsets are chosen. */
  readonly labels: ReadonlyMap<string, string>;
}

/** How its calls ended, as far as that decides whether it is set aside (see `outliers.ts`). */
interface Outlier {
  inARow: number;
  /** In the step that goes on. */
  ok: number;
  failed: number;
  /** How often it was set aside, less those times that are forgotten. */
  times: number;
  ejectedUntil: number | undefined;
}

/** Whoever holds one while a call is under way holds it until `end`, whether it is still listed or not. */
export class Host {
  #endpoint: Endpoint;
  /** When it came, or came back to health: from then on it starts slowly. */
  readySince: number;
  /** Calls, or connections, under way. */
  active = 0;
  begun = 0;
  failed = 0;
  readonly latency: PeakEwma;
  readonly outlier: Outlier = { inARow: 0, ok: 0, failed: 0, times: 0, ejectedUntil: undefined };

  constructor(endpoint: Endpoint, now: number, typicalMs = 0) {
    this.#endpoint = endpoint;
    this.readySince = now;
    this.latency = new PeakEwma(now, typicalMs);
  }

  get endpoint(): Endpoint {
    return this.#endpoint;
  }

  get id(): string {
    return this.#endpoint.id;
  }

  takeOver(endpoint: Endpoint, now: number): void {
    if (endpoint.health === 'healthy' && this.#endpoint.health !== 'healthy') this.readySince = now;
    this.#endpoint = endpoint;
  }
}
