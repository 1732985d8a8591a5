import { arch, cpus, platform } from 'node:os';
import type { Config } from '../../lib/config/config.ts';
import { CONSUL_VERSION } from '../../lib/version.ts';
import type { CheckSet } from '../checks/check-set.ts';
import type { LocalState } from '../state/local-state.ts';

/** Once: the system reads a file for each of them. */
const PROCESSORS = String(cpus().length);

const BUILD = { prerelease: '', revision: '', version: CONSUL_VERSION };

const RUNTIME = {
  arch: arch(),
  cpu_count: PROCESSORS,
  goroutines: '1',
  max_procs: PROCESSORS,
  os: platform(),
  version: process.version,
};

/** The figures of an agent as /v1/agent/self and `info` show them: all of them text. */
export function agentStats(
  local: LocalState,
  { counts }: CheckSet,
  config: Config,
  isSealed: boolean,
): Readonly<Record<string, Readonly<Record<string, string>>>> {
  return {
    agent: {
      check_monitors: String(counts.monitors),
      check_ttls: String(counts.ttls),
      checks: String(local.checks.size),
      services: String(local.services.size),
    },
    build: BUILD,
    consul: {
      acl: config.acl.enabled ? 'enabled' : 'disabled',
      known_datacenters: '1',
      server: String(config.server),
    },
    runtime: RUNTIME,
    // Nothing is gossiped: what is sealed is what is kept. Docker's health check for Consul looks for
    // such a figure.
    serf_lan: {
      encrypted: String(isSealed),
      event_queue: '0',
      health_score: '0',
      intent_queue: '0',
    },
  };
}
