import { statSync } from 'node:fs';
import { systemClock } from '../../lib/clock.ts';
import { ProconsulError } from '../../lib/errors.ts';
import { type Command, refuseArguments } from '../command.ts';
import { durationFlag } from '../flag-values.ts';
import { KeyLock } from '../key-lock.ts';
import { megabytes } from '../progress.ts';
import { saveArchive } from '../save-archive.ts';
import { SnapshotFolder } from '../snapshot-folder.ts';
import { SnapshotRounds } from '../snapshot-rounds.ts';

const LOCK_KEY = 'consul-snapshot/lock';
const LEAST_MS = 1000;

export const command: Command = {
  synopsis: '[options]',
  details:
    'It runs until it is told to end. Several may run, on as many machines: the one that holds the lock saves.',
  examples: [
    '-interval=1h -retain=48 -local-path=/var/backups/consul',
    '-interval=0 -local-path=/mnt/once',
  ],
  http: 'query',
  flags: new Map([
    [
      'interval',
      { kind: 'string', help: 'Between two snapshots; 0 saves one and ends (1h by default).' },
    ],
    ['local-path', { kind: 'string', help: 'The folder to save to (the current one by default).' }],
    ['lock-key', { kind: 'string', help: `The key of the lock (${LOCK_KEY} by default).` }],
    [
      'max-failures',
      { kind: 'int', help: 'So many failures in a row let another have the lock (3 by default).' },
    ],
    ['retain', { kind: 'int', help: 'So many are kept, the newest; 0 keeps all (30 by default).' }],
  ]),

  async run({ flags, args, host, client }) {
    refuseArguments(args);
    const count = (name: string, otherwise: number) =>
      flags.has(name) ? Number(flags.text(name)) : otherwise;
    const intervalMs = durationFlag(flags, 'interval', '1h');
    const [retain, maxFailures] = [count('retain', 30), count('max-failures', 3)];
    if (intervalMs !== 0 && intervalMs < LEAST_MS) throw refused('-interval must be at least 1s');
    if (retain < 0) throw refused('-retain must be at least 0');
    if (maxFailures < 1) throw refused('-max-failures must be at least 1');
    const path = folderOf(flags.text('local-path') || '.');
    const rounds = new SnapshotRounds({
      folder: new SnapshotFolder(path),
      save: async (file) => {
        const { Index } = await saveArchive(client(), file, host.progress);
        return `index ${Index}, ${megabytes(statSync(file).size)}`;
      },
      lock: () =>
        new KeyLock({
          key: flags.text('lock-key') || LOCK_KEY,
          sessionName: 'Consul Snapshot Agent',
          monitorRetries: 3,
          clock: systemClock,
          client,
          signal: host.signal,
        }),
      clock: systemClock,
      intervalMs,
      retain,
      maxFailures,
      say: (line) => host.print(`${new Date(systemClock.now()).toISOString()} ${line}\n`),
      signal: host.signal,
    });
    if (intervalMs === 0) await rounds.once();
    else await rounds.run();
    return 0;
  },
};

function folderOf(path: string): string {
  const there = statSync(path, { throwIfNoEntry: false });
  if (there?.isDirectory()) return path;
  throw refused(`-local-path is no folder: ${path}`);
}

function refused(why: string): ProconsulError {
  return new ProconsulError('invalid', why);
}
