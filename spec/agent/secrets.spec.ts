import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import supertest from 'supertest';
import { ProconsulError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import { FakeAccess } from '../support/fakes/fake-access.ts';
import { settle } from '../support/fakes/fake-clock.ts';
import { startAgent } from '../support/servers/agents.ts';

const SLOTS = [
  'default',
  'agent',
  'agent_recovery',
  'replication',
  'config_file_service_registration',
  'dns',
];
const canary = (slot: string) => `canary-${slot}`;

const CONFIG = `acl { enable_token_persistence = true tokens {
  ${SLOTS.map((slot) => `${slot} = "${canary(slot)}"`).join('\n')}
} }
service { name = "from-file" }`;

const BOSS = 'service_prefix "" { policy = "write" } agent_prefix "" { policy = "write" }';
const MAY = `${BOSS} node_prefix "" { policy = "write" } operator = "write"`;

describe('a secret planted in each slot of an agent', () => {
  let dataDir = '';
  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'proconsul-secrets-'));
  });
  afterEach(() => rmSync(dataDir, { recursive: true }));

  it('is in no answer, no error and no line of the log', async () => {
    const lines: string[] = [];
    const keep = (line: string) => void lines.push(line);
    // Debug lines too: nothing is finer.
    const logger: Logger = { error: keep, warn: keep, info: keep, debug: keep };
    const access = new FakeAccess({ 'canary-boss': MAY });
    const { app, agent, catalog, clock } = await startAgent(CONFIG, { access, logger, dataDir });
    const said: string[] = [];
    const ask = async (method: 'get' | 'put', path: string, body?: object | string) => {
      for (const token of ['', 'canary-boss', 'canary-wrong', canary('agent_recovery')]) {
        const request = supertest(app)[method](path);
        if (token !== '') request.set('X-Consul-Token', token);
        const { text, headers } = await request.send(body);
        said.push(text, JSON.stringify(headers));
      }
    };
    catalog.refusal = () => new ProconsulError('forbidden', 'Permission denied');
    const register = { Name: 'web', Token: 'canary-service', Check: { TTL: '1h', CheckID: 'c' } };
    await ask('put', '/v1/agent/service/register', register);
    await ask('put', '/v1/agent/service/register', '{"Name":"x","Token":"canary-broken');
    await ask('put', '/v1/agent/token/default', '{"Token":"canary-broken');
    await ask('put', '/v1/agent/token/default', { Token: ['canary-odd'] });
    await ask('put', '/v1/agent/token/canary-name', { Token: 'x' });
    for (const slot of SLOTS) await ask('put', `/v1/agent/token/${slot}`, { Token: canary(slot) });
    await ask('put', '/v1/agent/check/pass/c?token=canary-wrong&note=x');
    for (const path of ['self', 'services', 'service/web', 'checks', 'metrics', 'host']) {
      await ask('get', `/v1/agent/${path}`);
    }
    await agent.reload();
    await clock.advance(10 * 60_000);
    await settle();
    // Whoever names a slot so is told that there is none.
    const named = said.filter((text) => text !== 'Token "canary-name" is unknown');
    assert.deepEqual(
      named.filter((text) => /canary/.test(text)),
      [],
    );
    assert.ok(lines.length > 0);
    assert.deepEqual(
      lines.filter((line) => line.includes('canary')),
      [],
    );
  });

  it('is kept in files that nobody else may read', async () => {
    const access = new FakeAccess({ boss: MAY });
    const { app } = await startAgent(CONFIG, { access, dataDir });
    await supertest(app)
      .put('/v1/agent/token/agent')
      .set('X-Consul-Token', 'boss')
      .send({ Token: 'canary-set' })
      .expect(200);
    const files = readdirSync(dataDir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name));
    const holding = files.filter((file) => readFileSync(file, 'utf8').includes('canary-set'));
    assert.ok(holding.length > 0);
    for (const file of holding) assert.equal(statSync(file).mode & 0o077, 0, file);
  });
});
