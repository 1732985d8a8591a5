import { ContainerWatcher } from '../../../agent/containers/watcher.ts';
import type { DockerConfig } from '../../../lib/config/config.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { FakeDocker } from '../fakes/fake-docker.ts';
import { MemoryRegistrations } from '../fakes/memory-registrations.ts';
import { seededRandom } from '../fakes/seeded-random.ts';
import { optionsOf, type Shape } from './containers.ts';

let running: ContainerWatcher[] = [];

afterEach(async () => {
  for (const watcher of running) await watcher.stop();
  running = [];
});

interface Setting {
  readonly containers?: readonly Shape[];
  readonly block?: Partial<DockerConfig>;
  readonly docker?: FakeDocker;
  readonly registrations?: MemoryRegistrations;
}

/** A watcher of containers in memory, which ends with the spec. */
export async function watch(setting: Setting = {}) {
  const { docker = new FakeDocker(), registrations = new MemoryRegistrations() } = setting;
  for (const shape of setting.containers ?? []) docker.setSilently(shape);
  const clock = new FakeClock();
  const log: string[] = [];
  const options = optionsOf(setting.block);
  const watcher = new ContainerWatcher({
    runtime: docker,
    registrations,
    options,
    clock,
    random: seededRandom(4),
    log: (level, message) => void log.push(`${level} ${message}`),
  });
  running.push(watcher);
  watcher.start();
  await clock.advance(0);
  return { docker, registrations, clock, log, watcher };
}

export const warnings = (log: readonly string[]) => log.filter((line) => line.startsWith('warn'));
