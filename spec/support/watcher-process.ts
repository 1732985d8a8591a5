/**
 * A process of its own that is a Docker watcher with registrations on a disk, to be killed at any
 * moment. Run: watcher-process.ts ENDPOINT FILE.
 */
import { dockerApi, dockerClient } from '../../agent/docker/docker-api.ts';
import { DockerWatcher } from '../../agent/docker/watcher.ts';
import { systemClock } from '../../lib/clock.ts';
import { optionsOf } from './containers.ts';
import { MemoryRegistrations } from './memory-registrations.ts';

const [endpoint = '', file = ''] = process.argv.slice(2);
const options = optionsOf({ endpoint });
const watcher = new DockerWatcher({
  docker: dockerApi(dockerClient(options)),
  registrations: new MemoryRegistrations(file),
  options,
  clock: systemClock,
  log: () => undefined,
});
watcher.start();
process.stdout.write('started\n');
// Ends with whoever started it, even if that one was killed.
process.stdin.resume().once('end', () => process.exit());
