/** The check that a container's own state makes: its HEALTHCHECK, and whether it can serve at all. */
import type { CheckStatus } from '../../lib/model.ts';
import { ownSwitch } from './attributes.ts';
import type { ServiceRegistration } from './registrations.ts';
import type { Container } from './runtimes/container.ts';

export interface DockerStatus {
  readonly status: CheckStatus;
  readonly output: string;
}

/** Consul's own limit for what a check says. */
const MAX_OUTPUT = 4096;

const HEALTH: ReadonlyMap<string, CheckStatus> = new Map([
  ['healthy', 'passing'],
  // Not yet known to work: nobody is sent there before the first look.
  ['starting', 'critical'],
  ['unhealthy', 'critical'],
]);

const PREFIX = 'docker:';

export function dockerCheckId(serviceId: string): string {
  return PREFIX + serviceId;
}

/** What Docker says of a container that is up; undefined when that's nothing worth a check. */
export function statusOfUp(
  container: Container,
  service: ServiceRegistration,
): DockerStatus | undefined {
  if (container.State.Status === 'paused') return critical('The container is paused');
  // A check that was asked for goes before the one that the image brings along.
  const wantsHealth = ownSwitch(container.Config, 'healthcheck') ?? service.Checks.length === 0;
  const health = container.State.Health;
  const status = HEALTH.get(health?.Status ?? '');
  if (!health || status === undefined || !wantsHealth) return undefined;
  const last = health.Log?.at(-1)?.Output.slice(0, MAX_OUTPUT).trimEnd();
  return { status, output: last || `The container is ${health.Status}` };
}

export const KEEPS_RESTARTING = critical('The container keeps restarting');

export function statusOfEnded({ State }: Container): DockerStatus {
  return critical(`The container ended with exit code ${State.ExitCode}`);
}

function critical(output: string): DockerStatus {
  return { status: 'critical', output };
}
