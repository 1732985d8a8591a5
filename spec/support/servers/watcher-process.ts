/**
 * A process of its own that is a Docker watcher with registrations on a disk, to be killed at any
 * moment. Run: watcher-process.ts ENDPOINT FILE.
 */
import { dockerApi, dockerClient } from '../../../agent/containers/runtimes/docker-api.ts';
import { DockerWatcher } from '../../../agent/containers/watcher.ts';
import { systemClock } from '../../../lib/clock.ts';
import { MemoryRegistrations } from '../fakes/memory-registrations.ts';
import { optionsOf } from './containers.ts';

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
