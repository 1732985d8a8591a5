/** What /v1/agent/metrics shows, in the form of Consul's in-memory sink. */
import type { OwnContext, RegistrationContext } from './context.ts';

interface Gauge {
  readonly Name: string;
  readonly Value: number;
  readonly Labels: Readonly<Record<string, string>>;
}

/** '2026-11-21 17:18:50 +0000 UTC', to the ten seconds that one interval lasts. */
function timestamp(nowMs: number): string {
  const interval = new Date(Math.floor(nowMs / 10_000) * 10_000);
  return `${interval.toISOString().slice(0, 19).replace('T', ' ')} +0000 UTC`;
}

export function metrics(
  agent: OwnContext & RegistrationContext,
): Readonly<Record<string, unknown>> {
  const prefix = agent.config.telemetry.metricsPrefix || 'consul';
  const { heapUsed, rss } = process.memoryUsage();
  const gauge = (name: string, Value: number): Gauge => ({
    Name: `${prefix}.${name}`,
    Value,
    Labels: {},
  });
  const Gauges = [
    gauge('runtime.alloc_bytes', heapUsed),
    gauge('runtime.sys_bytes', rss),
    gauge('agent.services', agent.local.services.size),
    gauge('agent.checks', agent.local.checks.size),
    gauge('agent.check_ttls', agent.checks.counts.ttls),
    gauge('agent.check_monitors', agent.checks.counts.monitors),
  ];
  return { Timestamp: timestamp(agent.clock.now()), Gauges, Points: [], Counters: [], Samples: [] };
}
