/** How a service answers: throughput and latency, of what was told of it in the last half hour. */
import type { Performance, PerformanceStep } from '../../lib/answers.ts';
import { STEP_MS, servedIn } from '../../lib/load.ts';
import { latencyOf, NOTHING_SERVED, servedSum } from '../../lib/served.ts';
import type { Step } from '../scale/measured.ts';
import type { Reader } from './reader.ts';

/** In steps. */
const WINDOWS = [
  ['1m', 2],
  ['5m', 10],
  ['30m', 60],
] as const;
const SHOWN_STEPS = 60;

/** `asSteps`: also how each of the steps went, the oldest first, also where nothing was told. */
export function performanceOf(
  reader: Reader,
  service: string,
  now: number,
  asSteps = false,
): Performance {
  const { name, steps } = reader.config.measured(service);
  const current = Math.floor(now / STEP_MS);
  const told = steps.filter(({ at, load }) => at < current && load.served !== undefined);
  return {
    Service: name,
    Time: new Date(now).toISOString(),
    Windows: WINDOWS.map(([Window, most]) => ({
      Window,
      ...figuresOf(told.filter(({ at }) => at >= current - most)),
    })),
    ...(asSteps && { Steps: stepsOf(told, current) }),
  };
}

function stepsOf(told: readonly Step[], current: number): readonly PerformanceStep[] {
  const all = Array.from({ length: SHOWN_STEPS }, (_, i) => current - SHOWN_STEPS + i);
  return all.map((at) => ({
    Time: new Date(at * STEP_MS).toISOString(),
    ...figuresOf(told.filter((step) => step.at === at)),
  }));
}

/** What nobody told is null, and not 0. */
function figuresOf(steps: readonly Step[]) {
  const served = steps.reduce((sum, { load }) => servedSum(sum, servedIn(load)), NOTHING_SERVED);
  const { requests, errors } = served;
  const seconds = (steps.length * STEP_MS) / 1000;
  const [p50, p90, p99] = [0.5, 0.9, 0.99].map((share) => latencyOf(served, share));
  return {
    ToldSeconds: seconds,
    Instances: Math.max(0, ...steps.map(({ load }) => load.counted)),
    Requests: Math.round(requests),
    RequestsPerSecond: rateOf(steps),
    Errors: Math.round(errors),
    ErrorShare: requests === 0 ? null : rounded(Math.min(1, errors / requests)),
    LatencyMs: p50 === undefined ? null : { P50: shown(p50), P90: shown(p90), P99: shown(p99) },
  };
}

/** Of each step by the time that was counted within it: whoever began in its middle counted for a part of it. */
function rateOf(steps: readonly Step[]): number | null {
  const rates = steps
    .map(({ load }) => load)
    .filter(({ requestMs }) => requestMs > 0)
    .map((load) => ((servedIn(load).requests * load.counted) / load.requestMs) * 1000);
  return rates.length === 0
    ? null
    : rounded(rates.reduce((sum, rate) => sum + rate) / rates.length);
}

function shown(ms: number | undefined): number {
  return rounded(ms ?? 0);
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
