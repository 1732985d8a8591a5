/**
 * A HorizontalPodAutoscaler as its documentation describes it, of one external metric with an average value: a
 * tolerance, recommendations over a window for each way, and so many pods more or fewer within a period.
 */
export interface Behavior {
  readonly stabilizationWindowSeconds?: number;
  readonly policies?: readonly Policy[];
}

interface Policy {
  readonly type: 'Pods' | 'Percent';
  readonly value: number;
  readonly periodSeconds: number;
}

export interface AutoscalerOptions {
  readonly minReplicas: number;
  readonly maxReplicas: number;
  readonly target: number;
  readonly behavior?: { readonly scaleUp?: Behavior; readonly scaleDown?: Behavior };
}

/** Its own, where nobody says otherwise. */
const TOLERANCE = 0.1;
const UP = {
  stabilizationWindowSeconds: 0,
  policies: [
    { type: 'Percent', value: 100, periodSeconds: 15 },
    { type: 'Pods', value: 4, periodSeconds: 15 },
  ],
} as const;
const DOWN = {
  stabilizationWindowSeconds: 300,
  policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
} as const;

interface Moment {
  readonly t: number;
  readonly count: number;
}

export class Autoscaler {
  readonly #options: AutoscalerOptions;
  readonly #up: Required<Behavior>;
  readonly #down: Required<Behavior>;
  /** What it would have done at each look. */
  #recommended: Moment[] = [];
  /** What it did: pods more, or fewer. */
  #done: Moment[] = [];

  constructor(options: AutoscalerOptions) {
    this.#options = options;
    this.#up = { ...UP, ...options.behavior?.scaleUp };
    this.#down = { ...DOWN, ...options.behavior?.scaleDown };
  }

  /** Each 15 seconds: how many there are to be. Of a metric that cannot be had nothing follows. */
  look(t: number, replicas: number, metric: number | undefined): number {
    if (metric === undefined) return replicas;
    const { minReplicas, maxReplicas } = this.#options;
    const stable = this.#stabilized(t, replicas, this.#desired(replicas, metric));
    const most = Math.min(maxReplicas, this.#limit(t, replicas, 1));
    const least = Math.max(minReplicas, this.#limit(t, replicas, -1));
    const count = Math.min(Math.max(stable, least), most);
    if (count !== replicas) this.#done.push({ t, count: count - replicas });
    return count;
  }

  #desired(replicas: number, metric: number): number {
    const ratio = metric / (this.#options.target * replicas);
    const isNear = 1 - TOLERANCE <= ratio && ratio <= 1 + TOLERANCE;
    return isNear ? replicas : Math.ceil(metric / this.#options.target);
  }

  /** The least of a while before there are more, the most before there are fewer. */
  #stabilized(t: number, replicas: number, desired: number): number {
    const [up, down] = [this.#up, this.#down].map((each) => each.stabilizationWindowSeconds * 1000);
    this.#recommended.push({ t, count: desired });
    const longest = Math.max(up ?? 0, down ?? 0);
    this.#recommended = this.#recommended.filter((each) => each.t >= t - longest);
    const within = (ms = 0) =>
      this.#recommended.filter((each) => each.t >= t - ms).map(({ count }) => count);
    return Math.min(Math.max(replicas, Math.min(...within(up))), Math.max(...within(down)));
  }

  /** Of several policies the one that changes most. */
  #limit(t: number, replicas: number, way: 1 | -1): number {
    const limits = (way === 1 ? this.#up : this.#down).policies.map((policy) => {
      const since = t - policy.periodSeconds * 1000;
      const recent = this.#done.filter((each) => each.t > since);
      const before = replicas - recent.reduce((sum, { count }) => sum + count, 0);
      if (policy.type === 'Pods') return before + way * policy.value;
      const share = before * (1 + (way * policy.value) / 100);
      return way === 1 ? Math.ceil(share) : Math.floor(share);
    });
    return way === 1 ? Math.max(...limits) : Math.min(...limits);
  }
}
