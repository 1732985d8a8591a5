/**
 * Applies the same random histories in processes of different time zones and locales, each of them
 * restoring snapshots at points of its own, and compares the state's hash at every index.
 *
 *   node --import tsx spec/system/determinism.system.ts [histories] [first seed]
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { apply } from '../../server/state/apply.ts';
import { State } from '../../server/state/state.ts';
import { entriesOf, steps } from '../support/experiments/commands.ts';
import { restored, stateHash } from '../support/experiments/state-hash.ts';
import { seededRandom } from '../support/fakes/seeded-random.ts';

const MAX_STEPS = 40;
const RESTORE_CHANCE = 0.08;
/** Each restores at other points, but for the first, which never does. */
const PLACES = [
  { TZ: 'UTC', LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8' },
  { TZ: 'Asia/Kathmandu', LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8' },
  { TZ: 'America/St_Johns', LANG: 'de_DE.UTF-8', LC_ALL: 'de_DE.UTF-8' },
  { TZ: 'Pacific/Chatham', LANG: 'th_TH.UTF-8', LC_ALL: 'th_TH.UTF-8' },
] as const;

const [mode = '10000', ...rest] = process.argv.slice(2);
if (mode === 'in-place') inPlace(Number(rest[0]), Number(rest[1]), Number(rest[2]));
else process.exitCode = await compare(Number(mode), Number(rest[0] ?? 1));

/** One line a history: a digest of the state's hashes at all its indexes, and where it ended. */
function inPlace(place: number, histories: number, firstSeed: number): void {
  for (let seed = firstSeed; seed < firstSeed + histories; seed++) {
    const [history = []] = fc.sample(steps(MAX_STEPS), { seed, numRuns: 1 });
    const random = seededRandom(seed * PLACES.length + place);
    const digest = createHash('sha256');
    let state = new State();
    for (const entry of entriesOf(history)) {
      state = apply(state, entry).state;
      digest.update(`${entry.index} ${stateHash(state)}\n`);
      if (place > 0 && random.next() < RESTORE_CHANCE) state = restored(state);
    }
    process.stdout.write(`${seed} ${history.length} ${digest.digest('hex')}\n`);
  }
}

async function compare(histories: number, firstSeed: number): Promise<number> {
  const children = PLACES.map((env, place) => {
    const self = fileURLToPath(import.meta.url);
    const args = ['--import', 'tsx', self, 'in-place', `${place}`, `${histories}`, `${firstSeed}`];
    const child = spawn(process.execPath, args, {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    return createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  });
  let indexes = 0;
  for (let i = 0; i < histories; i++) {
    const lines = await Promise.all(children.map(async (child) => (await child.next()).value));
    if (lines[0] === undefined || lines.some((line) => line !== lines[0])) {
      process.stderr.write(`DIFFERENT at seed ${firstSeed + i}:\n${lines.join('\n')}\n`);
      return 1;
    }
    indexes += Number(lines[0].split(' ')[1]);
  }
  process.stdout.write(
    `${histories} histories, ${indexes} indexes, ${PLACES.length} places: all hashes alike\n`,
  );
  return 0;
}
