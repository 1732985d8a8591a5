/** Every row of /v1/acl under every kind of token. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { spoken } from '../../../../lib/http/right.ts';
import { MASTER, startAclServer } from '../../../support/servers/acl-server.ts';
import { startServer } from '../../../support/servers/start-server.ts';

const NOBODY = '99999999-9999-4999-8999-999999999999';

describe('every row of /v1/acl', () => {
  it('says to nobody what its right does not allow, nor with a token that nobody knows', async () => {
    const { as, server } = await startAclServer();
    const rows = server.routes().filter((row) => row.path.startsWith('/v1/acl/'));
    assert.ok(rows.length > 30);
    for (const row of rows.filter((each) => spoken(each.right).startsWith('acl:'))) {
      const { method, path: at } = row;
      const rest = at.endsWith('/') ? '00000000-0000-0000-0000-000000000001' : '';
      for (const [token, text] of [
        ['', 'Permission denied'],
        ['anonymous', 'Permission denied'],
        [NOBODY, 'ACL not found'],
      ] as const) {
        const answer = await as(token, method, at + rest, method === 'GET' ? undefined : {});
        assert.deepEqual([answer.status, answer.text], [403, text], `${method} ${at} as ${token}`);
      }
    }
  });

  it('lets who may read change nothing', async () => {
    const { as, master, server } = await startAclServer();
    await master('PUT', '/v1/acl/policy', { Name: 'r', Rules: 'acl = "read"' });
    const { SecretID = '' } = await master('PUT', '/v1/acl/token', { Policies: [{ Name: 'r' }] });
    const before = server.state.index;
    for (const row of server.routes().filter((each) => spoken(each.right) === 'acl:write')) {
      const rest = row.path.endsWith('/') ? MASTER : '';
      const answer = await as(SecretID, row.method, row.path + rest, {});
      assert.equal(answer.status, 403, `${row.method} ${row.path}`);
    }
    assert.equal(server.state.index, before);
  });

  it('tells a token that has no rules of its own from one that there is not', async () => {
    const { as } = await startAclServer();
    const translated = async (accessor: string) => {
      const { status, text } = await as(MASTER, 'GET', `/v1/acl/rules/translate/${accessor}`);
      return [status, text];
    };
    const none = 'The specified token does not have any rules set';
    assert.deepEqual(await translated('00000000-0000-0000-0000-000000000002'), [500, none]);
    assert.deepEqual(await translated(NOBODY), [403, 'ACL not found']);
  });

  it('says that there is no access control where there is none', async () => {
    const { ask } = await startServer();
    for (const at of ['/v1/acl/tokens', '/v1/acl/bootstrap', '/v1/internal/acl/authorize']) {
      const { status, text } = await ask('PUT', at);
      assert.deepEqual([status, text], [401, 'ACL support disabled']);
    }
  });

  it('leaves secrets out of the log, in a path too', async () => {
    const lines: string[] = [];
    const keep = (line: string, fields: object = {}) =>
      void lines.push(`${line} ${JSON.stringify(fields)}`);
    const logger = { error: keep, warn: keep, info: keep, debug: keep };
    const { as, master } = await startAclServer({}, logger);
    const { SecretID = '' } = await master('PUT', '/v1/acl/token', {});
    await as('', 'PUT', `/v1/acl/clone/${SecretID}`);
    await as('', 'PUT', `/v1/acl/destroy/${SecretID}`);
    await as(SecretID, 'PUT', '/v1/acl/token', {});
    await as('', 'PUT', `/v1/acl/policy?token=${SecretID}`, {});
    const told = lines.join('\n');
    assert.match(told, /clone\/<hidden>/);
    assert.equal(told.includes(SecretID) || told.includes(MASTER), false);
  });
});

describe('rules that are too long', () => {
  it('are refused before anybody reads them', async () => {
    const { as } = await startAclServer();
    const rules = (bytes: number) => `# ${'x'.repeat(bytes - 2)}`;
    const put = async (path: string, body: object | string) =>
      (await as(MASTER, 'PUT', path, body)).status;
    const [most, beyond] = [rules(256 * 1024), rules(256 * 1024 + 1)];
    const statuses = [
      await put('/v1/acl/policy', { Name: 'a', Rules: most }),
      await put('/v1/acl/policy', { Name: 'b', Rules: beyond }),
      await put('/v1/acl/create', { Name: 'c', Type: 'client', Rules: most }),
      await put('/v1/acl/create', { Name: 'd', Type: 'client', Rules: beyond }),
      (await as(MASTER, 'POST', '/v1/acl/rules/translate', beyond)).status,
    ];
    assert.deepEqual(statuses, [200, 400, 200, 400, 413]);
  });
});

describe('PUT /v1/acl/bootstrap', () => {
  it('makes one token that may do anything, and only one, however many ask at once', async () => {
    const { as } = await startAclServer({ initialManagement: '' });
    const answers = await Promise.all([1, 2, 3, 4].map(() => as('', 'PUT', '/v1/acl/bootstrap')));
    const made = answers.filter(({ status }) => status === 200);
    assert.equal(made.length, 1);
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 403, 403, 403]);
    const [{ SecretID }] = made.map(({ json }) => json) as [{ SecretID: string }];
    assert.equal((await as(SecretID, 'GET', '/v1/acl/tokens')).status, 200);
  });

  it('takes the secret that is sent, as clients of today do', async () => {
    const { as } = await startAclServer({ initialManagement: '' });
    const body = { BootstrapSecret: NOBODY };
    const { json } = await as('', 'PUT', '/v1/acl/bootstrap', body);
    assert.equal((json as { SecretID: string }).SecretID, NOBODY);
  });

  it('is over where the configuration names the first token', async () => {
    const { as } = await startAclServer();
    assert.equal((await as('', 'PUT', '/v1/acl/bootstrap')).status, 403);
  });

  it('is to be had again by whoever has the machine, once', async () => {
    const dataDir = await mkdtemp(path.join(tmpdir(), 'acl-reset-'));
    const file = path.join(dataDir, 'acl-bootstrap-reset');
    const { as } = await startAclServer({ dataDir });
    const bootstrap = () => as('', 'PUT', '/v1/acl/bootstrap');
    const [, index = ''] = /reset index: (\d+)/.exec((await bootstrap()).text) ?? [];
    await writeFile(file, `${Number(index) + 1}`);
    assert.match((await bootstrap()).text, /^Invalid bootstrap reset index/);
    await writeFile(file, `${index}\n`);
    const again = await bootstrap();
    assert.equal(again.status, 200);
    await assert.rejects(readFile(file));
    assert.equal((await bootstrap()).status, 403);
    // Two at once: one counts, and the other is told as whoever comes too late.
    const [, next = ''] = /reset index: (\d+)/.exec((await bootstrap()).text) ?? [];
    await writeFile(file, next);
    const both = await Promise.all([bootstrap(), bootstrap(), bootstrap()]);
    assert.deepEqual(both.map(({ status }) => status).sort(), [200, 403, 403]);
    // The others are as they were.
    assert.equal((await as(MASTER, 'GET', '/v1/acl/tokens')).status, 200);
  });
});
