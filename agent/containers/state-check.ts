/** The check that a container's own state makes: its HEALTHCHECK, and whether it can serve at all. */
import type { CheckStatus } from '../../lib/model.ts';
import { ownSwitch } from './attributes.ts';
import type { ServiceRegistration } from './registrations.ts';
import type { Container, ContainerHealth } from './runtime.ts';

export interface ContainerStatus {
  readonly status: CheckStatus;
  readonly output: string;
}

/** Consul's own limit for what a check says. */
const MAX_OUTPUT = 4096;

const HEALTH: Readonly<Record<ContainerHealth['status'], CheckStatus>> = {
  healthy: 'passing',
  // Not yet known to work: nobody is sent there before the first look.
  starting: 'critical',
  unhealthy: 'critical',
};

const PREFIX = 'docker:';

export function dockerCheckId(serviceId: string): string {
  return PREFIX + serviceId;
}

/** What is said of a container that is up; undefined when that's nothing worth a check. */
export function statusOfUp(
  container: Container,
  service: ServiceRegistration,
): ContainerStatus | undefined {
  if (container.state === 'paused') return critical('The container is paused');
  // A check that was asked for goes before the one that the image brings along.
  const wantsHealth = ownSwitch(container, 'healthcheck') ?? service.Checks.length === 0;
  const { health } = container;
  if (health === undefined || !wantsHealth) return undefined;
  const last = health.output.slice(0, MAX_OUTPUT).trimEnd();
  return { status: HEALTH[health.status], output: last || `The container is ${health.status}` };
}

export const KEEPS_RESTARTING = critical('The container keeps restarting');

export function statusOfEnded({ exitCode }: Container): ContainerStatus {
  return critical(`The container ended with exit code ${exitCode}`);
}

function critical(output: string): ContainerStatus {
  return { status: 'critical', output };
}
