/**
 * Tokens are revoked at one server while they write at another, on one Redis: no write that was begun after
 * the revocation was acknowledged is acknowledged itself, nor found in the state.
 *
 *   node --import tsx spec/system/revoked-writes.system.ts [tokens, 300]
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../support/servers/free-ports.ts';
import { killProconsuls, startProconsul } from '../support/servers/proconsul.ts';
import { startRedis } from '../support/servers/redis.ts';
import { send } from '../support/servers/start-server.ts';
import { sleep } from '../support/sleep.ts';
import { until } from '../support/until.ts';
import { report } from './report.ts';

const TOKENS = Number(process.argv[2] ?? 300);
const WRITERS = 8;
const BOSS = '11111111-1111-4111-8111-111111111111';
const ACL = `acl { enabled = true default_policy = "deny" tokens { initial_management = "${BOSS}" agent = "${BOSS}" } }`;

/** What is counted of a write that is taken, or not. */
const IN_TIME = ['before', 'refused'] as const;
const LATE = ['late', 'after'] as const;

await report(async (say) => {
  const folder = await mkdtemp(join(tmpdir(), 'revoked-writes-'));
  try {
    return await revoke(say, folder);
  } finally {
    await killProconsuls();
    await rm(folder, { recursive: true });
  }
});

async function servers(folder: string): Promise<readonly [number, number]> {
  const redis = await startRedis();
  const [one = 0, two = 0] = await freePorts(2);
  const start = (name: string, lan: number, other: number) =>
    startProconsul([
      '-server',
      '-bootstrap-expect=2',
      `-node=${name}`,
      `-data-dir=${folder}/${name}`,
      `-serf-lan-port=${lan}`,
      `-retry-join=127.0.0.1:${other}`,
      '-hcl',
      `redis { url = "${redis.url}" } ${ACL}`,
    ]);
  const [a, b] = await Promise.all([start('s1', one, two), start('s2', two, one)]);
  return [a.port, b.port];
}

async function revoke(say: (line: string) => void, folder: string): Promise<number> {
  const [here, there] = await servers(folder);
  const agents = Array.from(
    { length: WRITERS },
    () => new Agent({ keepAlive: true, maxSockets: 1 }),
  );
  const boss = { 'X-Consul-Token': BOSS };
  const ask = async (method: string, path: string, body: object | string = '') => {
    const answer = await send(here, method, `/v1/${path}`, { headers: boss, body });
    assert.equal(answer.status, 200, `${path}: ${answer.text}`);
    return answer;
  };
  await until(
    async () => (await send(here, 'GET', '/v1/acl/tokens', { headers: boss })).status === 200,
  );
  await ask('PUT', 'acl/policy', { Name: 'w', Rules: 'key_prefix "" { policy = "write" }' });
  const counts = { before: 0, after: 0, refused: 0, late: 0 };
  for (let n = 0; n < TOKENS; n++) {
    const made = await ask('PUT', 'acl/token', { Policies: [{ Name: 'w' }] });
    const { SecretID, AccessorID } = made.json as { SecretID: string; AccessorID: string };
    const headers = { 'X-Consul-Token': SecretID };
    let revokedAt = Number.POSITIVE_INFINITY;
    let isOver = false;
    const write = async (agent: Agent, path: string) => {
      const from = performance.now();
      const { status } = await send(there, 'PUT', path, { headers, agent, body: 'x' });
      const [taken, refused] = from > revokedAt ? LATE : IN_TIME;
      counts[status === 200 ? taken : refused]++;
    };
    const writer = async (agent: Agent, w: number) => {
      for (let i = 0; !isOver; i++) await write(agent, `/v1/kv/t${n}/${w}/${i}`);
    };
    const writing = agents.map(writer);
    await sleep(5 + (n % 7) * 3);
    await ask('DELETE', `acl/token/${AccessorID}`);
    revokedAt = performance.now();
    await sleep(30);
    isOver = true;
    await Promise.all(writing);
  }
  for (const agent of agents) agent.destroy();
  say(
    `${TOKENS} tokens revoked: ${counts.before} writes before, ${counts.refused} refused while it was, ` +
      `${counts.after} refused after; ${counts.late} taken that were begun after`,
  );
  assert(counts.before > TOKENS && counts.after > TOKENS);
  return counts.late;
}
