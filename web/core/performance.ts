/** What /v1/internal/performance answers: how a service answered, as far as anybody told. */

export interface Figures {
  readonly Instances: number;
  readonly RequestsPerSecond: number | null;
  readonly ErrorShare: number | null;
  readonly LatencyMs: { readonly P50: number; readonly P90: number; readonly P99: number } | null;
}

export interface PerformanceWindow extends Figures {
  readonly Window: '1m' | '5m' | '30m';
}

export interface PerformanceStep extends Figures {
  readonly Time: string;
}

export interface Performance {
  readonly Service: string;
  readonly Time: string;
  readonly Windows: readonly PerformanceWindow[];
  readonly Steps: readonly PerformanceStep[];
}
