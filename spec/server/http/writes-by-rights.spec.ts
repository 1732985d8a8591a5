/** Who may change what: by whose it is, as it is stored. */
import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { compileRights, ruleSet } from '../../../lib/acl/compile-rights.ts';
import { ANYONE } from '../../../lib/acl/rights.ts';
import type { Asker, Command } from '../../../server/commands.ts';
import { type Unjudged, write, writeAs } from '../../../server/http/deps.ts';
import { APPLIED, OUTDATED, type Outcome } from '../../../server/state/outcome.ts';
import { State } from '../../../server/state/state.ts';
import { checkNamed, registerOn, serviceNamed } from '../../support/factories.ts';
import { FakeAccess, MASTER, withToken } from '../../support/fakes/fake-access.ts';
import { startAclServer } from '../../support/servers/acl-server.ts';
import { startServerWith } from '../../support/servers/start-server.ts';

const RULES = {
  web: `service "web" { policy = "write" } key_prefix "k/" { policy = "write" }
    key "k/no" { policy = "read" } query_prefix "web" { policy = "write" }
    event "ev" { policy = "write" } key "seen" { policy = "read" }`,
  nodes: 'node_prefix "" { policy = "write" } session_prefix "m" { policy = "write" }',
};

async function start() {
  const access = new FakeAccess(RULES);
  const { server, ask } = await startServerWith({ access });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  after(() => agent.destroy());
  const as = (token: string, request: string, body: string | object = '') => {
    const [method = '', path = ''] = request.split(' ');
    return ask(method, `/v1/${path}`, { body, agent, ...withToken(token) });
  };
  const make = async (request: string, body: string | object) => {
    const { status, text } = await as(MASTER, request, body);
    assert.equal(status, 200, `${request}: ${text}`);
    return text === '' ? '' : (JSON.parse(text) as { ID?: string }).ID;
  };
  const on = (service: object, check?: object) => ({
    ...M,
    Service: service,
    ...(check && { Check: check }),
  });
  await make('PUT catalog/register', on({ ID: 'web1', Service: 'web' }, check('wc', 'web1')));
  await make('PUT catalog/register', on({ ID: 'db1', Service: 'db' }, check('dc', 'db1')));
  await make('PUT kv/hidden', '1');
  await make('PUT kv/seen', '1');
  const session = (await make('PUT session/create', { Node: 'm', NodeChecks: [] })) ?? '';
  const dbQuery = await make('POST query', { Name: 'db', Service: { Service: 'db' } });
  const webQuery = await make('POST query', { Name: 'web', Service: { Service: 'db' } });
  return { access, server, as, session, dbQuery, webQuery };
}

const M = { Node: 'm', Address: '10.0.0.1' };
const check = (CheckID: string, ServiceID = '') => ({ CheckID, Name: CheckID, ServiceID });
const register = 'PUT catalog/register';
const deregister = 'PUT catalog/deregister';

/** [whose token, request, body, status] */
type Case = readonly [string, string, string | object, number];

const CASES: Record<string, readonly Case[]> = {
  'PUT /v1/catalog/register': [
    ['web', register, { ...M, Service: { ID: 'web1', Service: 'web', Port: 1 } }, 200],
    ['web', register, M, 200],
    ['web', register, { ...M, NodeMeta: { a: 'b' } }, 403],
    ['web', register, { ...M, Locality: { Region: 'eu' } }, 403],
    ['web', register, { ...M, Node: 'M', Service: { ID: 'web1', Service: 'web' } }, 403],
    ['web', register, { Node: 'new', Address: '1.1.1.1', Service: { Service: 'web' } }, 403],
    ['web', register, { Node: 'new', SkipNodeUpdate: true, Service: { Service: 'web' } }, 403],
    ['web', register, { Node: 'm', SkipNodeUpdate: true, Service: { Service: 'web' } }, 200],
    ['web', register, { ...M, Service: { ID: 'db1', Service: 'web' } }, 403],
    ['web', register, { ...M, Service: { ID: 'x', Service: 'db' } }, 403],
    ['web', register, { ...M, Check: check('more', 'web1') }, 200],
    ['web', register, { ...M, Check: check('more', 'db1') }, 403],
    ['web', register, { ...M, Check: check('more') }, 403],
    ['web', register, { ...M, Check: check('more', 'none') }, 500],
    // Consul 1.8 lets another service's check be taken over.
    ['web', register, { ...M, Check: check('dc', 'web1') }, 403],
    ['nodes', register, { Node: 'new', Address: '1.1.1.1' }, 200],
    ['nodes', register, { ...M, Service: { Service: 'web' } }, 403],
    ['', register, M, 200],
    ['', register, { ...M, Service: { Service: 'web' } }, 403],
  ],
  'PUT /v1/catalog/deregister': [
    ['web', deregister, { Node: 'm', ServiceID: 'db1' }, 403],
    ['web', deregister, { Node: 'm', CheckID: 'dc' }, 403],
    ['web', deregister, { Node: 'm', ServiceID: 'none' }, 500],
    ['web', deregister, { Node: 'm' }, 403],
    ['web', deregister, { Node: 'none' }, 403],
    ['web', deregister, { Node: 'm', CheckID: 'wc' }, 200],
    ['web', deregister, { Node: 'm', ServiceID: 'web1' }, 200],
    ['nodes', deregister, { Node: 'm', ServiceID: 'none' }, 200],
    ['nodes', deregister, { Node: 'm' }, 200],
  ],
  '/v1/kv': [
    ['web', 'PUT kv/k/a', '1', 200],
    ['web', 'PUT kv/k/a?cas=0', '1', 200],
    ['web', 'PUT kv/k/no', '1', 403],
    ['web', 'PUT kv/hidden?cas=0', '1', 403],
    ['web', 'DELETE kv/k/a', '', 200],
    ['web', 'DELETE kv/hidden', '', 403],
    ['web', 'DELETE kv/k/?recurse', '', 403],
    ['web', 'DELETE kv/k/a/?recurse', '', 200],
    ['web', 'DELETE kv/?recurse', '', 403],
    ['', 'PUT kv/k/a', '1', 403],
  ],
  '/v1/session, /v1/event, /v1/coordinate': [
    ['web', 'PUT session/create', { Node: 'm' }, 403],
    ['nodes', 'PUT session/create', { Node: 'm', NodeChecks: [] }, 200],
    ['nodes', 'PUT session/create', { Node: 'n1', NodeChecks: [] }, 403],
    ['web', 'PUT event/fire/ev', '', 200],
    ['web', 'PUT event/fire/other', '', 403],
    ['web', 'PUT coordinate/update', { Node: 'm', Coord: { Vec: [0, 0, 0, 0, 0, 0, 0, 0] } }, 403],
    ['web', 'PUT coordinate/update', { Node: 'no', Coord: { Vec: [0, 0, 0, 0, 0, 0, 0, 0] } }, 403],
    [
      'nodes',
      'PUT coordinate/update',
      { Node: 'm', Coord: { Vec: [0, 0, 0, 0, 0, 0, 0, 0] } },
      200,
    ],
    ['web', 'POST query', { Name: 'web-2', Service: { Service: 'db' } }, 200],
    ['web', 'POST query', { Name: 'db-2', Service: { Service: 'web' } }, 403],
    [
      'web',
      'POST query',
      { Template: { Type: 'name_prefix_match' }, Service: { Service: 'a' } },
      403,
    ],
    ['web', 'PUT operator/autopilot/configuration', {}, 403],
    ['web', 'PUT operator/keyring', { Key: 'x' }, 500],
  ],
};

describe('a write', () => {
  for (const [what, cases] of Object.entries(CASES)) {
    it(`is judged by what it changes: ${what}`, async () => {
      const { as } = await start();
      for (const [token, request, body, status] of cases) {
        const answer = await as(token, request, body);
        const said = `'${token}' ${request} ${JSON.stringify(body)}: ${answer.text}`;
        assert.equal(answer.status, status, said);
        if (status === 403) assert.equal(answer.text, 'Permission denied', said);
      }
    });
  }

  it('to a session or a prepared query is judged by whose that is', async () => {
    const { as, session, dbQuery, webQuery } = await start();
    const query = (Name: string) => ({ Name, Service: { Service: 'web' } });
    const statuses = async (...asked: [string, string, object?][]) =>
      Promise.all(asked.map(async ([token, what, body]) => (await as(token, what, body)).status));
    assert.deepEqual(
      await statuses(
        ['web', `PUT session/renew/${session}`],
        ['web', `PUT session/destroy/${session}`],
        ['web', `PUT query/${dbQuery}`, query('web-mine')],
        ['web', `DELETE query/${dbQuery}`],
        ['web', `PUT query/${webQuery}`, query('db-mine')],
      ),
      [403, 403, 403, 403, 403],
    );
    assert.deepEqual(
      await statuses(
        ['nodes', `PUT session/renew/${session}`],
        ['web', `PUT query/${webQuery}`, query('web-mine')],
        ['web', `DELETE query/${webQuery}`],
        ['nodes', `PUT session/destroy/${session}`],
      ),
      [200, 200, 200, 200],
    );
  });
});

describe('PUT /v1/txn under a token', () => {
  const ops = {
    get: { KV: { Verb: 'get', Key: 'seen' } },
    hidden: { KV: { Verb: 'get', Key: 'hidden' } },
    none: { KV: { Verb: 'get', Key: 'none' } },
    set: { KV: { Verb: 'set', Key: 'k/a', Value: '' } },
    take: { Service: { Verb: 'set', Node: 'm', Service: { ID: 'db1', Service: 'web' } } },
    remove: { Service: { Verb: 'delete', Node: 'm', Service: { ID: 'db1', Service: 'web' } } },
    make: { Service: { Verb: 'set', Node: 'm', Service: { ID: 'w2', Service: 'web' } } },
    check: {
      Check: { Verb: 'set', Check: { Node: 'm', CheckID: 'w2', Name: 'x', ServiceID: 'w2' } },
    },
    theirs: { Check: { Verb: 'delete', Check: { Node: 'm', CheckID: 'dc' } } },
    look: { KV: { Verb: 'check-index', Key: 'hidden', Index: 1 } },
    node: { Node: { Verb: 'get', Node: { Node: 'm' } } },
    change: { Node: { Verb: 'set', Node: { Node: 'm', Address: '1.2.3.4' } } },
    mine: { Service: { Verb: 'get', Node: 'm', Service: { ID: 'web1' } } },
    other: { Service: { Verb: 'get', Node: 'm', Service: { ID: 'db1' } } },
  };

  async function run(...names: (keyof typeof ops)[]) {
    const { as } = await start();
    const { status, text } = await as(
      'web',
      'PUT txn',
      names.map((name) => ops[name]),
    );
    const { Results, Errors } = JSON.parse(text) as {
      Results: object[] | null;
      Errors: { OpIndex: number; What: string }[] | null;
    };
    return {
      status,
      kinds: Results?.flatMap((each) => Object.keys(each)),
      refused: Errors?.map(({ OpIndex, What }) => `${OpIndex}: ${What}`),
    };
  }

  const denied = (...at: number[]) => ({
    status: 409,
    kinds: undefined,
    refused: at.map((i) => `${i}: Permission denied`),
  });
  const done = (...kinds: string[]) => ({ status: 200, kinds, refused: undefined });

  it('leaves out what may not be seen, there or not, in a read as in a write', async () => {
    assert.deepEqual(await run('hidden', 'none', 'get', 'node'), done('KV'));
    assert.deepEqual(await run('hidden', 'none', 'get', 'node', 'set'), done('KV', 'KV'));
    assert.deepEqual(await run('mine', 'other'), done('Service'));
  });

  it('refuses each operation that changes what is not theirs, by its place', async () => {
    assert.deepEqual(await run('hidden', 'take', 'set', 'remove'), denied(1, 3));
    assert.deepEqual(await run('set', 'theirs', 'change'), denied(1, 2));
    assert.deepEqual(await run('none', 'get', 'look'), denied(2));
  });

  it('judges an operation by those before it', async () => {
    assert.deepEqual(await run('make', 'check'), done('Service', 'Check'));
    assert.equal((await run('check', 'make')).status, 409);
  });
});

describe('a judgement', () => {
  it('counts only for as long as what it rests on stays as it was', async () => {
    const { server } = await start();
    const at = server.state.index;
    const web = registerOn('m', { service: serviceNamed('web', { ID: 'db1' }) });
    const judged = (command: Command) => server.propose({ ...command, judged: { at } } as Command);
    assert.deepEqual(await judged(web), APPLIED);
    for (const outdated of [
      web,
      registerOn('m', { checks: [checkNamed('c', { ServiceID: 'db1' })] }),
      { type: 'deregister', node: 'm', serviceId: 'db1' },
      {
        type: 'txn',
        ops: [{ service: { verb: 'set', node: 'm', service: web.service, index: 0 } }],
      },
    ] as Command[]) {
      assert.deepEqual(await judged(outdated), OUTDATED, JSON.stringify(outdated));
    }
  });

  it('counts no more once another state was restored, whose rows have older indexes', async () => {
    const { server } = await start();
    const at = server.state.index;
    const restore = 'r';
    await server.propose({ type: 'begin-restore', restore, index: 1 });
    await server.propose({ type: 'end-restore', restore, parts: 0 });
    const command: Command = { type: 'deregister', node: 'm', serviceId: 'db1', judged: { at } };
    assert.deepEqual(await server.propose(command), OUTDATED);
  });

  it('of who may not change a node does not make it anew either', async () => {
    const { server } = await start();
    const at = server.state.index;
    const web = registerOn('m', { service: serviceNamed('web'), judged: { at, keepsNode: true } });
    await server.propose({ type: 'deregister', node: 'm' });
    assert.deepEqual(await server.propose(web), OUTDATED);
    assert.equal(server.state.catalog.node('m'), undefined);
  });

  it('is made anew when it is outdated, and then refuses', async () => {
    const { server, access } = await start();
    const outcomes: Outcome[] = [OUTDATED, OUTDATED, APPLIED];
    const proposed: Command[] = [];
    const deps = {
      state: () => server.state,
      propose: async (command: Command) => {
        proposed.push(command);
        if (proposed.length === 2) access.grant('web', '');
        return outcomes[proposed.length - 1] as Outcome;
      },
    };
    const asking = { callerStill: () => access.callerOf('web') };
    const web = registerOn('m', { service: serviceNamed('web') });
    await assert.rejects(writeAs(asking, deps, web), /Permission denied/);
    assert.equal(proposed.length, 2);
  });
});

describe('whoever has asked for a command', () => {
  const kv = (by: Asker): Command => ({ type: 'kv', op: setOf('k'), by });
  const setOf = (key: string) =>
    ({ verb: 'set', key, value: null, flags: 0, index: 0, session: '' }) as const;

  async function startKnown() {
    const { server, master } = await startAclServer();
    const rules = 'key_prefix "" { policy = "write" }';
    await master('PUT', '/v1/acl/policy', { Name: 'writers', Rules: rules });
    const role = { Name: 'writers', Policies: [{ Name: 'writers' }] };
    await master('PUT', '/v1/acl/role', role);
    const token = await master('PUT', '/v1/acl/token', { Roles: [{ Name: 'writers' }] });
    const other = await master('PUT', '/v1/acl/token', { Policies: [{ Name: 'writers' }] });
    const accessor = token['AccessorID'] ?? '';
    const { state } = server;
    const by = { accessor, at: state.index };
    return { server, master, by, other: other['AccessorID'] ?? '', role };
  }

  it('may be another by the time that it is applied, where this server was behind', async () => {
    const changes: Record<string, (started: Awaited<ReturnType<typeof startKnown>>) => unknown> = {
      'his token is gone': ({ master, by }) => master('DELETE', `/v1/acl/token/${by.accessor}`),
      'his token has other policies': ({ master, by }) =>
        master('PUT', `/v1/acl/token/${by.accessor}`, { Description: 'none' }),
      'his policy says less': async ({ master, server }) => {
        const { ID } = server.state.acl.policyNamed('writers') ?? assert.fail();
        await master('PUT', `/v1/acl/policy/${ID}`, { Name: 'writers', Rules: '' });
      },
      'his role has no policy any more': async ({ master, server }) => {
        const { ID } = server.state.acl.roleNamed('writers') ?? assert.fail();
        await master('PUT', `/v1/acl/role/${ID}`, { Name: 'writers' });
      },
      'his policy is gone': async ({ master, server }) => {
        const { ID } = server.state.acl.policyNamed('writers') ?? assert.fail();
        await master('DELETE', `/v1/acl/policy/${ID}`);
      },
    };
    for (const [what, change] of Object.entries(changes)) {
      const started = await startKnown();
      await change(started);
      assert.deepEqual(await started.server.propose(kv(started.by)), OUTDATED, what);
      assert.equal(started.server.state.kv.get('k'), undefined);
    }
  });

  it('is another once a state was restored, whose rows have older indexes', async () => {
    const { server, by } = await startKnown();
    const token = server.state.acl.tokenBy(by.accessor) ?? assert.fail();
    const restore = 'r';
    await server.propose({ type: 'begin-restore', restore, index: 1 });
    const row = { ...token, Roles: [], CreateIndex: 1, ModifyIndex: 1 };
    await server.propose({ type: 'stage-rows', restore, part: 0, rows: [{ token: row }] });
    await server.propose({ type: 'end-restore', restore, parts: 1 });
    assert.notEqual(server.state.acl.tokenBy(by.accessor), undefined);
    assert.deepEqual(await server.propose(kv(by)), OUTDATED);
  });

  it('is still himself while others come and go', async () => {
    const { server, master, by, other } = await startKnown();
    await master('DELETE', `/v1/acl/token/${other}`);
    await master('PUT', '/v1/acl/policy', { Name: 'others' });
    assert.deepEqual(await server.propose(kv(by)), APPLIED);
    const { ID } = server.state.acl.policyNamed('writers') ?? assert.fail();
    await master('DELETE', `/v1/acl/policy/${ID}`);
    const without = { ...by, at: server.state.index };
    const third = await master('PUT', '/v1/acl/token', {});
    await master('DELETE', `/v1/acl/token/${third['AccessorID']}`);
    assert.deepEqual(await server.propose(kv(without)), APPLIED);
  });

  it('is named by each write under access control, and by none without it', async () => {
    const proposed: Command[] = [];
    const propose = async (command: Command) => {
      proposed.push(command);
      return APPLIED;
    };
    const deps = { state: () => new State(), propose };
    const rights = compileRights([ruleSet('key "k" { policy = "write" }')], 'deny');
    const known = { callerStill: () => ({ ...ANYONE, rights, accessorId: 'a' }) };
    const by = { accessor: 'a', at: new State().index };
    await writeAs(known, deps, { type: 'kv', op: setOf('k') });
    await write(known, deps, { type: 'set-auth-method' } as Unjudged);
    await writeAs({ callerStill: () => ANYONE }, deps, { type: 'kv', op: setOf('k') });
    assert.deepEqual(
      proposed.map((command) => command.by),
      [by, by, undefined],
    );
  });
});
