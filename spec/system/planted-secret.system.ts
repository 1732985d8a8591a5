/**
 * Secrets of all kinds (values, tokens, others' tokens, keys of TLS and of `encrypt`, Redis' password) that are
 * brought in every way are found nowhere: not in data_dir of a server and an agent, Redis, its append-only
 * file and snapshot, the servers' own, logs at trace, figures, a debug archive, DNS or command lines. The same
 * search finds what is written where nothing is sealed. By design they stand in the configuration, the key's
 * file and the keyring, and in memory. Run: node --import tsx spec/system/planted-secret.system.ts
 */
import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeTlsFolders, TestAuthority } from '../support/certificates.ts';
import { changeKeyring } from '../support/experiments/change-keyring.ts';

import { commandLineOf } from '../support/servers/command-line.ts';
import { encodeQuestion, sendUdp } from '../support/servers/dns-client.ts';
import { freePorts } from '../support/servers/free-ports.ts';
import { killProconsuls, type Proconsul, startProconsul } from '../support/servers/proconsul.ts';
import { type RedisProcess, startRedis } from '../support/servers/redis.ts';
import { send } from '../support/servers/start-server.ts';
import { until } from '../support/until.ts';
import { report } from './report.ts';

const SECRET = 'planted-5ecret-value-that-nobody-may-find';
const [KEY, NEXT_KEY] = ['pUqJrVyVRj5jsiYEkM/tFQ==', 'cg8StVXbQJ0gPvMd9o7yrg=='];
const BOSS = '11111111-b055-4111-8111-111111111111';
const TOKEN = '22222222-70ce-4222-8222-222222222222';
const OLD_TOKEN = 'an-older-token-with-a-name';
const PASSWORD = 'pa55word-of-redis';

/** As it is, and within any text in base64, wherever it stands in there. */
const shapesOf = (text: string) => [text, ...[0, 1, 2].map((shift) => inBase64(text, shift))];
/** What is written into the log, and so found where it is not sealed. */
const WRITTEN = [SECRET, BOSS, TOKEN, OLD_TOKEN].flatMap(shapesOf);

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
  // Why a check is as it is, its agent says in its log: operators look there first.
  ['PUT', '/v1/agent/check/update/service:web', { Status: 'passing', Output: 'told' }],
];

const asBoss = { 'X-Consul-Token': BOSS };

async function plant({ port }: Proconsul, pem: string): Promise<void> {
  const Rules = 'service_prefix "" { policy = "write" } key_prefix "" { policy = "write" }';
  const Config = { JWTValidationPubKeys: [pem] };
  const rule = { AuthMethod: 'jwt', BindType: 'service', BindName: 'x' };
  const writes: typeof WRITES = [
    ['PUT', '/v1/acl/policy', { Name: 'p', Rules, Description: SECRET }],
    ['PUT', '/v1/acl/token', { SecretID: TOKEN, Policies: [{ Name: 'p' }] }],
    ['PUT', '/v1/acl/update', { ID: OLD_TOKEN, Name: 'old', Type: 'client' }],
    ['PUT', '/v1/acl/auth-method', { Name: 'jwt', Type: 'jwt', Config }],
    ['PUT', '/v1/acl/binding-rule', rule],
    ['PUT', '/v1/agent/token/default', { Token: TOKEN }],
    ...WRITES,
  ];
  for (const [method, path, body] of writes) {
    const sent = { headers: asBoss, ...(body !== undefined && { body: body as object | string }) };
    const { status, text } = await send(port, method, path, sent);
    if (status !== 200) throw new Error(`${path}: ${status} ${text}`);
  }
}

/** In each way that there is to bring it, rightly and wrongly, so that each error has a chance to tell. */
async function bring({ port }: Proconsul, token: string, jwt: string): Promise<void> {
  const ways = (path: string) =>
    [
      [path, { 'X-Consul-Token': token }],
      [path, { Authorization: `Bearer ${token}` }],
      [`${path}${path.includes('?') ? '&' : '?'}token=${token}`, {}],
    ] as const;
  const paths = [
    '/v1/kv/k',
    '/v1/kv/k?index=x',
    '/v1/catalog/services?filter=%28',
    '/v1/nowhere',
    '/v1/acl/tokens',
  ];
  for (const [path, headers] of paths.flatMap(ways)) {
    await send(port, 'GET', path, { headers });
    await send(port, 'PUT', path, { headers, body: '{' });
  }
  for (const path of ['info', 'clone', 'destroy', 'token', 'rules/translate']) {
    await send(port, 'GET', `/v1/acl/${path}/${token}`, { headers: asBoss });
    await send(port, 'PUT', `/v1/acl/${path}/${token}x`, { headers: asBoss });
  }
  for (const BearerToken of [jwt, `${jwt}x`]) {
    await send(port, 'POST', '/v1/acl/login', { body: { AuthMethod: 'jwt', BearerToken } });
  }
  const service = { Name: 'api', Meta: { is: SECRET }, Checks: [{ TTL: '1h' }] };
  const headers = { 'X-Consul-Token': TOKEN };
  await send(port, 'PUT', '/v1/agent/service/register', { headers, body: service });
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

interface Started {
  readonly server: Proconsul;
  readonly agent: Proconsul;
  readonly dns: number;
}

async function placesOf({ server, agent, dns }: Started, folder: string, redis?: RedisProcess) {
  const places = new Map<string, Buffer>();
  for (const path of await filesUnder(folder)) {
    // What the operator wrote himself, and where the keys are.
    const isGiven = /\.(?:json|pem)$|\/serf\/local\.keyring$/.test(path);
    if (!isGiven) places.set(path.slice(folder.length), await readFile(path));
  }
  if (redis !== undefined) {
    for (const key of await redis.admin.keys('*')) {
      places.set(`Redis ${key}`, await redis.admin.dumpBuffer(key));
    }
    await redis.admin.save();
    for (const path of await filesUnder(redis.dir)) places.set(path, await readFile(path));
  }
  for (const [name, one] of [
    ['server', server],
    ['agent', agent],
  ] as const) {
    places.set(`ps of the ${name}`, await readFile(`/proc/${one.pid}/cmdline`));
    for (const path of TOLD) {
      const { text } = await send(one.port, 'GET', path, { headers: asBoss });
      places.set(`${path} of the ${name}`, Buffer.from(text));
    }
  }
  places.set(
    'DNS',
    await sendUdp(dns, encodeQuestion({ name: 'web.service.consul', type: 'ANY' })),
  );
  const archive = await commandLineOf(server.port)(
    `debug -token=${BOSS} -duration=10s -interval=5s -archive=false -output=${folder}/debug`,
  );
  if (archive.code !== 0) throw new Error(`debug: ${archive.err}`);
  for (const path of await filesUnder(join(folder, 'debug'))) {
    places.set(path.slice(folder.length), await readFile(path));
  }
  places.set('the log', Buffer.from(server.output));
  places.set("the agent's log", Buffer.from(agent.output));
  return places;
}

/** What is told to whoever may do anything, without being asked for a secret. */
const TOLD = [
  ...[
    '/v1/agent/metrics',
    '/v1/agent/metrics?format=prometheus',
    '/v1/agent/self',
    '/v1/agent/self?debug',
  ],
  ...['/v1/agent/members', '/v1/agent/host', '/v1/acl/tokens', '/v1/operator/raft/configuration'],
];

async function rotate(server: Proconsul): Promise<void> {
  await changeKeyring(server, 'POST', NEXT_KEY, BOSS);
  await changeKeyring(server, 'PUT', NEXT_KEY, BOSS);
  await changeKeyring(server, 'DELETE', KEY, BOSS);
  await until(() => /snapshot of entry \d+ saved/.test(server.output));
}

/** A token of somebody whom the auth method knows by this key. */
function someoneKnown() {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = Math.floor(Date.now() / 1000);
  const input = `${part({ alg: 'ES256' })}.${part({ sub: SECRET, iat: now, exp: now + 3600 })}`;
  const key = { key: privateKey, dsaEncoding: 'ieee-p1363' } as const;
  const signature = sign('sha256', Buffer.from(input), key).toString('base64url');
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  return { jwt: `${input}.${signature}`, pem };
}

interface Kind {
  readonly sealed: boolean;
  readonly shared: boolean;
}

async function run({ sealed, shared }: Kind) {
  const folder = await mkdtemp(join(tmpdir(), 'planted-'));
  const authority = await TestAuthority.create();
  const { certFile, keyFile } = await authority.files();
  const { jwt, pem } = someoneKnown();
  // So that what is in its files is there as it was written.
  const redis = shared ? await startRedis({ args: ['--rdbcompression', 'no'] }) : undefined;
  await redis?.admin.config('SET', 'requirepass', PASSWORD);
  const [lan = 0, https = 0, dns = 0] = await freePorts(3);
  const common = {
    ...(sealed && { encrypt: KEY }),
    enable_debug: true,
    acl: {
      enabled: true,
      default_policy: 'deny',
      enable_token_persistence: true,
      tokens: { initial_management: BOSS, agent: BOSS },
    },
    tls: { https: { cert_file: certFile, key_file: keyFile, ca_file: authority.caFile } },
  };
  const url = redis && `${redis.url.replace('//', `//:${PASSWORD}@`)}`;
  const configs = { server: { ...common, ...(url && { redis: { url } }) }, agent: common };
  const argsOf = async (name: keyof typeof configs) => {
    await writeFile(join(folder, `${name}.json`), JSON.stringify(configs[name]));
    return [
      '-log-level=trace',
      `-data-dir=${join(folder, name)}`,
      `-config-file=${join(folder, `${name}.json`)}`,
    ];
  };
  const args = [
    '-server',
    '-bootstrap',
    `-serf-lan-port=${lan}`,
    `-https-port=${https}`,
    `-dns-port=${dns}`,
    ...(await argsOf('server')),
  ];
  const first = await startProconsul(args);
  await plant(first, pem);
  await bring(first, TOKEN, jwt);
  await bring(first, OLD_TOKEN, jwt);
  if (sealed) await rotate(first);
  first.signal('SIGTERM');
  await first.ended;
  const server = await startProconsul(args);
  const headers = asBoss;
  await until(async () => {
    const { text } = await send(server.port, 'GET', '/v1/kv/planted?raw', { headers });
    return text === SECRET;
  });
  const agentArgs = ['-node=a1', `-retry-join=127.0.0.1:${lan}`, ...(await argsOf('agent'))];
  const agent = await startProconsul(agentArgs, undefined, { alone: true });
  await until(
    async () => (await send(agent.port, 'GET', '/v1/kv/planted', { headers })).status === 200,
  );
  const body = { Token: TOKEN };
  await send(agent.port, 'PUT', '/v1/agent/token/default', { headers, body });
  await bring(agent, TOKEN, jwt);
  const places = await placesOf({ server, agent, dns }, folder, redis);
  places.set('the log before', Buffer.from(first.output));
  const found = await search(WRITTEN, places);
  const tlsKey = (await readFile(keyFile, 'utf8')).split('\n')[1] ?? '';
  const never = [KEY, NEXT_KEY, PASSWORD, jwt, tlsKey, ...shapesOf(PASSWORD)];
  const keys = await search(never, places);
  await killProconsuls();
  removeTlsFolders();
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
      say(`${name}: ${places} places, what was written in: ${where(found)}`);
      say(`  a key, a password or another's token in: ${where(keys)}`);
      if (sealed === found.length > 0 || keys.length > 0) failed++;
    }
  }
  return failed;
});
