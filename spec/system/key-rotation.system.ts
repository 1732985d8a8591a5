/**
 * Two servers on one Redis; keys are installed, used and removed while both take writes. Nothing that
 * was acknowledged is lost, and a server that has the newest key alone reads all of it. Run:
 * node --import tsx spec/system/key-rotation.system.ts [rotations, 5]
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { changeKeyring } from '../support/experiments/change-keyring.ts';
import { killProconsuls, type Proconsul, startProconsul } from '../support/servers/proconsul.ts';
import { startRedis } from '../support/servers/redis.ts';
import { send } from '../support/servers/start-server.ts';
import { until } from '../support/until.ts';
import { report } from './report.ts';

const rotations = Number(process.argv[2] ?? 5);
const WRITERS = 4;

interface Writes {
  acked: number;
  failed: number;
}

async function writeOn({ port }: Proconsul, name: string, going: () => boolean, count: Writes) {
  while (going()) {
    const { status, text } = await send(port, 'PUT', `/v1/kv/${name}/${count.acked}`, {
      body: name,
    });
    if (status === 200 && text.trim() === 'true') count.acked++;
    else count.failed++;
  }
}

/** With the newest key in front; those that were taken out stay for some minutes. */
function areAlike(keyrings: readonly string[], key: string): boolean {
  const [first = ''] = keyrings;
  return first.startsWith(`["${key}"`) && keyrings.every((each) => each === first);
}

await report(async (say) => {
  const redis = await startRedis();
  const folder = await mkdtemp(join(tmpdir(), 'rotation-'));
  const newKey = () => randomBytes(32).toString('base64');
  let key = newKey();
  const start = (name: string, encrypt: string) =>
    startProconsul([
      '-server',
      `-node=${name}`,
      `-data-dir=${folder}/${name}`,
      `-encrypt=${encrypt}`,
      `-hcl=redis { url = "${redis.url}" }`,
    ]);
  const [one, two] = [await start('one', key), await start('two', key)];
  let going = true;
  const counts = new Map<string, Writes>();
  const writers = [one, two].flatMap((server, s) =>
    Array.from({ length: WRITERS }, (_, w) => {
      const count = { acked: 0, failed: 0 };
      counts.set(`w${s}${w}`, count);
      return writeOn(server, `w${s}${w}`, () => going, count);
    }),
  );
  const begun = performance.now();
  for (let n = 0; n < rotations; n++) {
    const next = newKey();
    const [here, there] = n % 2 === 0 ? [one, two] : [two, one];
    await changeKeyring(here, 'POST', next);
    await changeKeyring(there, 'PUT', next);
    await changeKeyring(here, 'DELETE', key);
    key = next;
  }
  const seconds = (performance.now() - begun) / 1000;
  going = false;
  await Promise.all(writers);
  const keyrings = await Promise.all(
    ['one', 'two'].map((name) => readFile(`${folder}/${name}/serf/local.keyring`, 'utf8')),
  );
  // Who comes with the newest key alone.
  const late = await start('late', key);
  let lost = 0;
  for (const [name, { acked }] of counts) {
    await until(async () => (await send(late.port, 'GET', '/v1/status/leader', {})).status === 200);
    const { json } = await send(late.port, 'GET', `/v1/kv/${name}/?keys`, {});
    const there = new Set(json as string[]);
    for (let n = 0; n < acked; n++) if (!there.has(`${name}/${n}`)) lost++;
  }
  const sum = (of: keyof Writes) =>
    [...counts.values()].reduce((total, each) => total + each[of], 0);
  say(`${rotations} rotations in ${seconds.toFixed(1)} s: ${sum('acked')} writes acknowledged`);
  say(
    `${lost} lost, ${sum('failed')} refused, keyrings ${areAlike(keyrings, key) ? 'alike' : 'DIFFER'}`,
  );
  const failed = lost + (areAlike(keyrings, key) ? 0 : 1);
  await killProconsuls();
  await rm(folder, { recursive: true });
  return failed;
});
