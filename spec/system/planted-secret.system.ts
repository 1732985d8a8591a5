/**
 * A secret that is written in every way is found nowhere: not in data_dir, Redis, its append-only file,
 * its snapshot, the servers' own snapshots, their log at trace, figures or command lines. The same search
 * finds it where nothing is sealed. Run: node --import tsx spec/system/planted-secret.system.ts
 */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { changeKeyring } from '../support/experiments/change-keyring.ts';
import { killProconsuls, type Proconsul, startProconsul } from '../support/servers/proconsul.ts';
import { type RedisProcess, startRedis } from '../support/servers/redis.ts';
import { send } from '../support/servers/start-server.ts';
import { until } from '../support/until.ts';
import { report } from './report.ts';

const SECRET = 'planted-5ecret-value-that-nobody-may-find';
const [KEY, NEXT_KEY] = ['pUqJrVyVRj5jsiYEkM/tFQ==', 'cg8StVXbQJ0gPvMd9o7yrg=='];

/** As it is, and within any text in base64, wherever it stands in there. */
const SHAPES = [SECRET, ...[0, 1, 2].map((shift) => inBase64(SECRET, shift))];
const KEY_SHAPES = [KEY, NEXT_KEY];

function inBase64(text: string, shift: number): string {
  const whole = Buffer.from(`${'x'.repeat(shift)}${text}`).toString('base64');
  // The first and the last group depend on what stands around it.
  return whole.slice(shift === 0 ? 0 : 4, -4);
}

const WRITES: readonly (readonly [method: string, path: string, body: unknown])[] = [
  ['PUT', '/v1/kv/planted', SECRET],
  ['PUT', '/v1/txn', [{ KV: { Verb: 'set', Key: 't', Value: btoa(SECRET) } }]],
  ['PUT', '/v1/session/create', { Name: SECRET, Checks: [] }],
  ['PUT', '/v1/event/fire/deploy', SECRET],
  ['POST', '/v1/query', { Name: 'q', Service: { Service: SECRET } }],
  ['PUT', '/v1/catalog/register', { Node: 'n9', Address: '127.0.0.9', NodeMeta: { is: SECRET } }],
  [
    'PUT',
    '/v1/agent/service/register',
    { Name: 'web', Meta: { is: SECRET }, Tags: [SECRET], Check: { TTL: '1h', Notes: SECRET } },
  ],
  ['PUT', '/v1/agent/check/pass/service:web', undefined],
  ['PUT', '/v1/agent/check/update/service:web', { Status: 'passing', Output: SECRET }],
];

async function plant({ port }: Proconsul): Promise<void> {
  for (const [method, path, body] of WRITES) {
    const sent = body === undefined ? {} : { body: body as object | string };
    const { status, text } = await send(port, method, path, sent);
    if (status !== 200) throw new Error(`${path}: ${status} ${text}`);
  }
}

async function filesUnder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  return entries.filter((each) => each.isFile()).map((each) => join(each.parentPath, each.name));
}

/** The places in which one of the shapes stands. */
async function search(
  shapes: readonly string[],
  places: ReadonlyMap<string, Buffer>,
): Promise<string[]> {
  return [...places].filter(([, at]) => shapes.some((each) => at.includes(each))).map(([at]) => at);
}

async function placesOf(server: Proconsul, folder: string, redis: RedisProcess | undefined) {
  const places = new Map<string, Buffer>();
  for (const path of await filesUnder(folder)) {
    if (!path.endsWith('.json')) places.set(path.slice(folder.length), await readFile(path));
  }
  if (redis !== undefined) {
    for (const key of await redis.admin.keys('*')) {
      places.set(`Redis ${key}`, await redis.admin.dumpBuffer(key));
    }
    await redis.admin.save();
    for (const path of await filesUnder(redis.dir)) places.set(path, await readFile(path));
  }
  places.set('the log', Buffer.from(server.output));
  places.set('ps', await readFile(`/proc/${server.pid}/cmdline`));
  for (const path of ['/v1/agent/metrics', '/v1/agent/self', '/v1/agent/members']) {
    places.set(path, Buffer.from((await send(server.port, 'GET', path, {})).text));
  }
  return places;
}

async function rotate(server: Proconsul): Promise<void> {
  await changeKeyring(server, 'POST', NEXT_KEY);
  await changeKeyring(server, 'PUT', NEXT_KEY);
  await changeKeyring(server, 'DELETE', KEY);
  await until(() => /snapshot of entry \d+ saved/.test(server.output));
}

async function run({ sealed, shared }: { sealed: boolean; shared: boolean }) {
  const folder = await mkdtemp(join(tmpdir(), 'planted-'));
  // So that what is in its files is there as it was written.
  const redis = shared ? await startRedis({ args: ['--rdbcompression', 'no'] }) : undefined;
  const config = { ...(sealed && { encrypt: KEY }), ...(redis && { redis: { url: redis.url } }) };
  await writeFile(join(folder, 'c.json'), JSON.stringify(config));
  const args = [
    '-server',
    '-bootstrap',
    `-data-dir=${folder}`,
    `-config-file=${join(folder, 'c.json')}`,
    '-log-level=trace',
  ];
  const first = await startProconsul(args);
  await plant(first);
  if (sealed) await rotate(first);
  first.signal('SIGTERM');
  await first.ended;
  const second = await startProconsul(args);
  await until(async () => {
    const { text } = await send(second.port, 'GET', '/v1/kv/planted?raw', {});
    return text === SECRET;
  });
  const places = await placesOf(second, folder, redis);
  places.set('the log before', Buffer.from(first.output));
  const found = await search(SHAPES, places);
  // The keyring and the configuration are where the keys are.
  places.delete('/serf/local.keyring');
  const keys = await search(KEY_SHAPES, places);
  await killProconsuls();
  await rm(folder, { recursive: true });
  return { places: places.size, found, keys };
}

await report(async (say) => {
  let failed = 0;
  for (const shared of [true, false]) {
    for (const sealed of [true, false]) {
      const { places, found, keys } = await run({ sealed, shared });
      const name = `${shared ? 'Redis' : 'files'}, ${sealed ? 'sealed' : 'in the clear'}`;
      const where = (list: readonly string[]) => list.join(', ') || 'none';
      say(`${name}: ${places} places, the secret in: ${where(found)}; a key in: ${where(keys)}`);
      if (sealed === found.length > 0 || keys.length > 0) failed++;
    }
  }
  return failed;
});
