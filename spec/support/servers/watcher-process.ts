/**
 * A process of its own that is a Docker watcher with registrations on a disk, to be killed at any
 * moment. Run: watcher-process.ts ENDPOINT FILE.
 */
import { Docker } from '../../../agent/containers/runtimes/docker.ts';
import { ContainerWatcher } from '../../../agent/containers/watcher.ts';
import { systemClock } from '../../../lib/clock.ts';
import { systemRandom } from '../../../lib/random.ts';
import { MemoryRegistrations } from '../fakes/memory-registrations.ts';
import { optionsOf } from './containers.ts';

const [endpoint = '', file = ''] = process.argv.slice(2);
const options = optionsOf({ endpoint });
const watcher = new ContainerWatcher({
  runtime: new Docker(options),
  registrations: new MemoryRegistrations(file),
  options,
  clock: systemClock,
  random: systemRandom,
  log: () => undefined,
});
watcher.start();
process.stdout.write('started\n');
// Ends with whoever started it, even if that one was killed.
process.stdin.resume().once('end', () => process.exit());
