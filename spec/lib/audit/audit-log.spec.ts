import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { ANONYMOUS_ACCESSOR_ID } from '../../../lib/acl/model.ts';
import { type AccessControl, ANYONE, type Caller } from '../../../lib/acl/rights.ts';
import { AuditLog } from '../../../lib/audit/audit-log.ts';
import { createApp } from '../../../lib/http/app.ts';
import { silentLogger } from '../../../lib/logger.ts';
import { BEAT_PATH } from '../../../lib/membership.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { FAST_PATH } from '../../support/seed.ts';
import { aclRules, MASTER } from '../../support/servers/acl-server.ts';
import { serveHttp } from '../../support/servers/http-servers.ts';
import { getText, RawClient } from '../../support/servers/raw-client.ts';
import { type Sent, send, startServerWith } from '../../support/servers/start-server.ts';
import { until } from '../../support/until.ts';

interface Payload {
  readonly id: string;
  readonly timestamp: string;
  readonly auth: { readonly accessor_id: string; readonly description: string };
  readonly request: Readonly<Record<string, string>> & {
    readonly query_params?: Readonly<Record<string, string>>;
  };
  readonly response?: { readonly status: string };
  readonly stage: string;
}

async function start() {
  const lines: string[] = [];
  const server = await startServerWith({
    acl: aclRules(),
    audit: ({ state }, clock) =>
      new AuditLog({
        sinks: [{ write: (line) => void lines.push(line) }],
        clock,
        isKnownId: (id) => state.acl.tokenBy(id) !== undefined,
      }),
  });
  const events = () => lines.map((line) => (JSON.parse(line) as { payload: Payload }).payload);
  const ask = async (method: string, path: string, sent: Sent = {}) => {
    const had = lines.length;
    const answer = await server.ask(method, path, sent);
    await until(() => lines.length >= had + 2);
    return { answer, events: events().slice(had) };
  };
  const master = (method: string, path: string, body?: Sent['body']) =>
    ask(method, path, { ...as(MASTER), ...(body !== undefined && { body }) });
  return { ...server, lines, events, ask, master };
}

const as = (token: string) => ({ headers: { 'X-Consul-Token': token } });
/** What is compared of an event. */
const seen = ({ auth, request, response, stage }: Payload) => [
  stage,
  auth.accessor_id,
  request['operation'],
  request['endpoint'],
  response?.status,
];

describe('the audit log', () => {
  it('has two lines for a request, in the form of Consul Enterprise', async () => {
    const { ask, lines, clock } = await start();
    const headers = { ...as(MASTER).headers, 'User-Agent': 'curl/7.54.0', Host: 'consul:8500' };
    const { events } = await ask('GET', '/v1/catalog/nodes?dc=dc1&stale&filter=x', { headers });
    const time = new Date(clock.now()).toISOString();
    const [begun, over] = events as [Payload, Payload];
    assert.equal(lines.at(-2), `${JSON.stringify(JSON.parse(lines.at(-2) ?? ''))}\n`);
    const { remote_addr: address = '', ...request } = begun.request;
    assert.match(address, /^127\.0\.0\.1:\d+$/);
    assert.deepEqual(request, {
      operation: 'GET',
      endpoint: '/v1/catalog/nodes',
      user_agent: 'curl/7.54.0',
      host: 'consul:8500',
      query_params: { dc: 'dc1', stale: '' },
    });
    assert.deepEqual([begun.stage, begun.response], ['OperationStart', undefined]);
    assert.deepEqual([over.stage, over.response], ['OperationComplete', { status: '500' }]);
    assert.deepEqual(
      { ...over, id: '', stage: '', response: '' },
      { ...begun, id: '', stage: '', response: '' },
    );
    assert.notEqual(begun.id, over.id);
    assert.equal(begun.timestamp, time);
    assert.equal(begun.auth.description, 'Master Token');
    assert.match(begun.auth.accessor_id, /^[\da-f-]{36}$/);
  });

  it('says of each who asked, and whether he was let in', async () => {
    const { ask, master, events } = await start();
    const rules = { Name: 'r', Rules: 'key_prefix "" { policy = "read" }' };
    await master('PUT', '/v1/acl/policy', rules);
    const body = { Policies: [{ Name: 'r' }], Description: 'reads' };
    const made = (await master('PUT', '/v1/acl/token', body)).answer.json as Record<string, string>;
    const [accessor = '', secret = ''] = [made['AccessorID'], made['SecretID']];
    const from = events().length;
    const statuses = [
      await ask('GET', '/v1/kv/a', as(secret)),
      await ask('PUT', '/v1/kv/a', { ...as(secret), body: 'v' }),
      await ask('GET', '/v1/kv/a'),
      await ask('GET', '/v1/kv/a', as('nobody-knows-it')),
      await ask('GET', '/v1/nothing/here', as(secret)),
      await ask('PATCH', '/v1/kv/a', as(secret)),
      await ask('GET', '/v1//kv/a', as(secret)),
      await ask('GET', '/v1/status/leader', as(secret)),
    ];
    const completed = events()
      .slice(from)
      .filter(({ stage }) => stage === 'OperationComplete');
    assert.deepEqual(
      statuses.map(({ answer }) => answer.status),
      [404, 403, 403, 403, 404, 405, 301, 200],
    );
    assert.deepEqual(
      completed.map(({ auth, response }) => [auth.accessor_id, response?.status]),
      [
        [accessor, '404'],
        [accessor, '403'],
        [ANONYMOUS_ACCESSOR_ID, '403'],
        ['', '403'],
        [accessor, '404'],
        [accessor, '405'],
        [accessor, '301'],
        [accessor, '200'],
      ],
    );
    assert.equal(completed[0]?.auth.description, 'reads');
  });

  it('has what the fast path answers, by whoever the token stands for then', async () => {
    const { master, ask, fastPath, lines, events, parsed } = await start();
    await master('PUT', '/v1/kv/a', 'v');
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    await ask('GET', '/v1/kv/a', { ...as(MASTER), agent });
    const from = lines.length;
    const before = parsed();
    for (let n = 0; n < 5; n++) await ask('GET', '/v1/kv/a', { ...as(MASTER), agent });
    if (FAST_PATH) assert.ok(parsed() - before < 5 && fastPath.size.answers > 0);
    const [first, ...others] = events().slice(from);
    assert.equal(others.length, 9);
    const [begun, over] = [seen(first as Payload), seen(others[0] as Payload)];
    assert.deepEqual(over, ['OperationComplete', ...begun.slice(1, 4), '200']);
    for (const [n, event] of others.entries()) {
      assert.deepEqual(seen(event), n % 2 === 0 ? over : begun);
      assert.deepEqual(event.request, first?.request);
      assert.deepEqual(event.auth, first?.auth);
    }
    assert.equal(new Set(events().map(({ id }) => id)).size, events().length);
    agent.destroy();
  });

  it('has a wait when it begins and when it ends, whichever way', async () => {
    const { master, port, lines, events } = await start();
    await master('PUT', '/v1/kv/a', 'v');
    const { index } = (await master('GET', '/v1/kv/a')).answer;
    const had = lines.length;
    const target = `/v1/kv/a?index=${index}&token=${MASTER}`;
    const clients = [
      await RawClient.connect(port),
      await RawClient.connect(port),
      await RawClient.connect(port),
      await RawClient.connect(port),
    ];
    // Of one that is new, the first request is the parser's: after it the fast path has its turn.
    for (const client of clients) await client.ask(getText(`/v1/kv/a?token=${MASTER}`));
    await until(() => lines.length === had + 8);
    for (const [n, client] of clients.entries()) {
      client.send(getText(target));
      await until(() => lines.length === had + 9 + n);
    }
    clients[2]?.reset();
    await until(() => lines.length === had + 13);
    // Half of it is closed: the route answers what the fast path has begun.
    clients[3]?.end();
    await until(() => lines.length === had + 14);
    await master('PUT', '/v1/kv/a', 'w');
    for (const client of clients.slice(0, 2)) {
      assert.match((await client.answer()).head, /^HTTP\/1\.1 200 /);
    }
    await until(() => lines.length === had + 18);
    const ours = events()
      .slice(had + 8)
      .filter(({ request }) => request['operation'] === 'GET');
    assert.deepEqual(
      ours.map(({ stage, response }) => response?.status ?? stage),
      [...Array(4).fill('OperationStart'), '499', '200', '200', '200'],
    );
    for (const { request } of ours) {
      assert.deepEqual(request.query_params, { index: String(index) });
    }
  });

  it('names a token by its id, and hides what may be its secret', async () => {
    const { master, events } = await start();
    const made = (await master('PUT', '/v1/acl/token', {})).answer.json as Record<string, string>;
    for (const path of [`token/${made['AccessorID']}`, `token/${made['SecretID']}`]) {
      await master('GET', `/v1/acl/${path}`);
    }
    const shown = events().map(({ request }) => request['endpoint']);
    assert.deepEqual(shown.slice(-3), [
      `/v1/acl/token/${made['AccessorID']}`,
      '/v1/acl/token/<hidden>',
      '/v1/acl/token/<hidden>',
    ]);
  });

  it('has nothing of what keeps a cluster together, unless it is refused', async () => {
    const { server, lines, ask, port } = await start();
    const beat = { body: { ID: 'x', Node: 'stranger', Address: '10.0.0.1' } };
    const { answer, events } = await ask('PUT', BEAT_PATH, beat);
    const { status } = answer;
    assert.ok(status >= 400, `${status}`);
    assert.deepEqual(
      events.map(({ response }) => response?.status),
      [undefined, `${status}`],
    );
    const had = lines.length;
    const client = await RawClient.connect(port);
    for (let n = 0; n < 3; n++) await client.ask(getText(`/v1/internal/members?token=${MASTER}`));
    assert.ok(server.state.index > 0);
    assert.equal(lines.length, had);
  });

  it('holds no secret, wherever a request has one', async () => {
    const { server, lines, ask, master, port } = await start();
    const made = (await master('PUT', '/v1/acl/token', {})).answer.json as Record<string, string>;
    const secret = made['SecretID'] ?? '';
    const VALUE = 'planted-value-of-a-key';
    const encoded = secret
      .replace('-', '%2d')
      .replace(/^./, (c) => `%${c.charCodeAt(0).toString(16)}`);
    for (const path of pathsWith(secret, encoded)) {
      await ask('GET', path, as(MASTER));
      await master('PUT', path, VALUE);
    }
    const sent: readonly Sent[] = [
      as(secret),
      { headers: { Authorization: `Bearer ${secret}` } },
      { headers: { ...as(secret).headers, 'User-Agent': `x ${secret}`, Host: secret } },
    ];
    for (const each of sent) {
      await ask('GET', `/v1/kv/${secret}?near=${secret}`, each);
      await ask('PUT', '/v1/kv/a', { ...each, body: VALUE });
    }
    for (const path of [
      `/v1/kv/a?token=${secret}`,
      `/v1/kv/a?token=${encoded}`,
      `/v1/kv/a?TOKEN=${secret}&filter=${secret}&${secret}&x=${secret}`,
      `/v1/agent/check/pass/x?note=${secret}&token=${secret}`,
    ]) {
      await ask('GET', path, as(MASTER));
      await ask('PUT', path, { ...as(MASTER), body: `${VALUE} ${secret}` });
    }
    for (const path of ['/v1/acl/bootstrap', '/v1/acl/login', '/v1/acl/token', '/v1/txn']) {
      await master('PUT', path, { SecretID: secret, BearerToken: secret, Value: VALUE });
    }
    // Again by the fast path, and as a wait.
    const client = await RawClient.connect(port);
    for (let n = 0; n < 3; n++) await client.ask(getText(`/v1/kv/a?token=${secret}`));
    client.send(getText(`/v1/kv/a?token=${MASTER}&index=${server.state.index}`));
    assert.ok(lines.length > 250);
    const all = lines.join('').toLowerCase();
    for (const planted of [secret, encoded, secret.slice(9), MASTER, VALUE]) {
      assert.ok(!all.includes(planted.toLowerCase()), planted);
    }
  });
});

describe('the audit log of an agent without a server', () => {
  it('says who asked what it hands on, as a server says, and waits for none of it', async () => {
    const lines: string[] = [];
    const audit = new AuditLog({
      sinks: [{ write: (line) => void lines.push(line) }],
      clock: new FakeClock(),
      isKnownId: () => false,
    });
    let knows: (caller: Caller) => void = () => undefined;
    const access: AccessControl = {
      callerOf: (token) =>
        token === 'slow'
          ? new Promise((resolve) => {
              knows = resolve;
            })
          : Promise.reject(new Error('no server')),
    };
    const fallback = () => ({ text: 'handed on' });
    const app = createApp({ routes: [], fallback, access }, { audit, logger: silentLogger });
    const { port } = await serveHttp(app);
    for (const token of ['slow', 'nobody']) {
      assert.equal((await send(port, 'GET', '/v1/kv/a', as(token))).text, 'handed on');
    }
    await until(() => lines.length === 2);
    knows({ ...ANYONE, accessorId: 'known by now' });
    await until(() => lines.length === 4);
    const told = lines.map((line) => (JSON.parse(line) as { payload: Payload }).payload);
    assert.deepEqual(
      told.map(({ auth, response }) => [auth.accessor_id, response?.status]),
      [
        ['', undefined],
        ['', '200'],
        ['known by now', undefined],
        ['known by now', '200'],
      ],
    );
  });
});

/** A secret in a path, in every form that comes to the same row, and in some that do not. */
function pathsWith(secret: string, encoded: string): readonly string[] {
  return ['info', 'clone', 'destroy', 'update', 'token', 'rules/translate'].flatMap((row) => [
    `/v1/acl/${row}/${secret}`,
    `/v1/acl/${row}/${encoded}`,
    `/v1/acl/${row}/${secret}/clone`,
    `/v1//acl/${row}/${secret}`,
    `/v1/acl/./${row}/${secret}`,
    `/v1/%61cl/${row}/${secret}`,
    `/v1/ACL/${row}/${secret}`,
    `/v1/acl/${row}/${secret}%zz`,
    `http://${secret}@x/v1/acl/${row}/${secret}`,
  ]);
}
