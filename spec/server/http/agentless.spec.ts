/** A beat or a deregistration at a server, of what its own agent does not know. */
import assert from 'node:assert/strict';
import { attended, beaten, startAgentless } from '../../support/servers/agentless.ts';
import { startAgent } from '../../support/servers/agents.ts';

const SECOND_MS = 1000;

describe('a beat at a server for a node without an agent', () => {
  it('is taken, says how the check stands, and lasts for its TTL', async () => {
    const { say, register, status, check, clock } = await startAgentless();
    await register(beaten('ext1', { status: 'critical' }));
    assert.deepEqual(await say('check/pass/service:db?note=fine'), { status: 200, text: '' });
    assert.equal(status('ext1', 'service:db'), 'passing');
    assert.equal(check('ext1', 'service:db')?.Output, 'fine');
    await clock.advance(9 * SECOND_MS);
    await say('check/pass/service:db?note=fine');
    await clock.advance(9 * SECOND_MS);
    assert.equal(status('ext1', 'service:db'), 'passing');
    await clock.advance(3 * SECOND_MS);
    assert.equal(status('ext1', 'service:db'), 'critical');
    assert.equal(check('ext1', 'service:db')?.Output, 'TTL expired');
  });

  it('may warn, fail and update, in any spelling of the id that the catalog takes for the same', async () => {
    const { say, register, status } = await startAgentless();
    await register(beaten('ext1'));
    await say('check/warn/service:DB');
    assert.equal(status('ext1', 'service:db'), 'warning');
    await say('check/fail/service:db');
    assert.equal(status('ext1', 'service:db'), 'critical');
    await say('check/update/service:db', { body: { Status: 'passing', Output: 'up' } });
    assert.equal(status('ext1', 'service:db'), 'passing');
  });

  it('wakes nobody where it says nothing new, and writes an output alone once in a while', async () => {
    const { say, register, server, check, clock } = await startAgentless();
    await register(beaten('ext1', { ttl: '1h' }));
    await say('check/pass/service:db');
    const { position } = server.state;
    await say('check/pass/service:db');
    assert.equal(server.state.position, position);
    await say('check/pass/service:db?note=1');
    await say('check/pass/service:db?note=2');
    assert.equal(check('ext1', 'service:db')?.Output, '1');
    await clock.advance(300 * SECOND_MS);
    await say('check/pass/service:db?note=3');
    assert.equal(check('ext1', 'service:db')?.Output, '3');
  });

  it('keeps no more of an output than an agent does', async () => {
    const { say, register, check } = await startAgentless();
    await register(beaten('ext1'));
    const body = { Status: 'critical', Output: 'x'.repeat(100_000) };
    await say('check/update/service:db', { body });
    assert((check('ext1', 'service:db')?.Output.length ?? 0) < 4200);
  });

  it('takes the interval of a ttl check for its TTL: clients have no other field for it', async () => {
    const { say, register, status, clock } = await startAgentless();
    const Definition = { Interval: '10s' };
    const Check = { CheckID: 'c', Name: 'c', ServiceID: 'db', Type: 'ttl', Definition };
    await register({ ...beaten('ext1'), Check });
    await say('check/pass/c');
    assert.equal(status('ext1', 'c'), 'passing');
    await clock.advance(12 * SECOND_MS);
    assert.equal(status('ext1', 'c'), 'critical');
  });

  it('is missed by a check that was registered as passing', async () => {
    const { register, status, clock } = await startAgentless();
    await register(beaten('ext1'));
    await clock.advance(9 * SECOND_MS);
    assert.equal(status('ext1', 'service:db'), 'passing');
    // The leader looks for checks that are new every ten seconds.
    await clock.advance(13 * SECOND_MS);
    assert.equal(status('ext1', 'service:db'), 'critical');
  });

  it('begins anew where the check is registered anew', async () => {
    const { register, say, put, status, clock } = await startAgentless();
    await register(beaten('ext1'));
    await say('check/pass/service:db');
    await clock.advance(9 * SECOND_MS);
    await put('/v1/catalog/deregister', { Node: 'ext1' });
    await register(beaten('ext1'));
    await clock.advance(8 * SECOND_MS);
    assert.equal(status('ext1', 'service:db'), 'passing');
  });

  it('is refused by name for a check that nobody reports', async () => {
    const { say, register } = await startAgentless();
    await register({ ...beaten('ext1'), Check: { CheckID: 'c', Name: 'c', Status: 'passing' } });
    assert.deepEqual(await say('check/pass/c'), {
      status: 500,
      text: 'CheckID "c" does not have associated TTL',
    });
  });

  it('is refused as ever where nobody has the id', async () => {
    const { say } = await startAgentless();
    assert.deepEqual(await say('check/pass/nope'), {
      status: 500,
      text: 'CheckID "nope" does not have associated TTL',
    });
    assert.deepEqual(await say('check/pass/nope?node=ext1'), {
      status: 404,
      text: 'Unknown ID "nope" on "ext1"',
    });
  });

  it('names the nodes where several have the id, and takes the one that is said', async () => {
    const { say, register, status } = await startAgentless();
    for (const node of ['ext1', 'ext2']) await register(beaten(node));
    assert.deepEqual(await say('check/fail/service:db'), {
      status: 500,
      text: 'check "service:db" is on nodes "ext1", "ext2": say which by ?node=',
    });
    assert.equal((await say('check/fail/service:db?node=EXT2')).status, 200);
    assert.equal(status('ext1', 'service:db'), 'passing');
    assert.equal(status('ext2', 'service:db'), 'critical');
  });

  it('is for the agent of the node to take, where one lives', async () => {
    const { say, register, status } = await startAgentless();
    await register(attended('n7'));
    await register(beaten('n7'));
    const text = 'check "service:db" is on node "n7": the agent there is the one to tell';
    assert.deepEqual(await say('check/fail/service:db'), { status: 500, text });
    assert.deepEqual(await say('check/fail/service:db?node=n7'), { status: 500, text });
    assert.equal(status('n7', 'service:db'), 'passing');
  });

  it("leaves alone what an agent's check of the same id is: which is meant must be said", async () => {
    const { say, register, status } = await startAgentless();
    await register(attended('n7'));
    await register(beaten('n7'));
    await register(beaten('ext1'));
    assert.match((await say('check/fail/service:db')).text, /on nodes "ext1", "n7": say which/);
    assert.equal((await say('check/fail/service:db?node=ext1')).status, 200);
    assert.equal(status('ext1', 'service:db'), 'critical');
  });

  it("is the agent's own where it knows the id", async () => {
    const { say, register, status, agent } = await startAgentless();
    await register(beaten('ext1'));
    const Check = { CheckID: 'service:db', TTL: '10s', Status: 'passing' };
    await say('service/register', { body: { Name: 'db', Check } });
    assert.equal((await say('check/fail/service:db')).status, 200);
    assert.equal(status('ext1', 'service:db'), 'passing');
    assert.equal(agent.local.checks.get('service:db')?.definition.Status, 'critical');
    assert.equal((await say('check/fail/service:db?node=ext1')).status, 200);
    assert.equal(status('ext1', 'service:db'), 'critical');
    assert.equal((await say('check/pass/service:db?node=N1')).status, 200);
    assert.equal(agent.local.checks.get('service:db')?.definition.Status, 'passing');
  });

  it('is not taken for another node by an agent without a server', async () => {
    const { app } = await startAgent();
    const { default: supertest } = await import('supertest');
    const { status, text } = await supertest(app).put('/v1/agent/check/pass/x?node=ext1');
    assert.equal(status, 500);
    assert.match(text, /this agent speaks for node "n1" alone: say it of "ext1" to a server/);
  });
});

describe('a deregistration at a server for a node without an agent', () => {
  it('takes the service out with its checks, or a check alone', async () => {
    const { say, register, server, check } = await startAgentless();
    await register(beaten('ext1'));
    assert.deepEqual(await say('check/deregister/service:db'), { status: 200, text: '' });
    assert.equal(check('ext1', 'service:db'), undefined);
    await register(beaten('ext1'));
    assert.deepEqual(await say('service/deregister/db'), { status: 200, text: '' });
    assert.equal(server.state.catalog.instance('ext1', 'db'), undefined);
    assert.equal(check('ext1', 'service:db'), undefined);
  });

  it('does nothing for an id that nobody has, and none that an agent has, as ever', async () => {
    const { say, register, server } = await startAgentless();
    await register(attended('n7'));
    await register(beaten('n7'));
    for (const id of ['nope', 'db']) {
      assert.deepEqual(await say(`service/deregister/${id}`), { status: 200, text: '' });
    }
    assert.notEqual(server.state.catalog.instance('n7', 'db'), undefined);
    assert.equal((await say('service/deregister/db?node=n7')).status, 500);
    assert.equal((await say('service/deregister/nope?node=n7')).status, 404);
  });

  it('takes out what a dead agent has left', async () => {
    const { say, register, server } = await startAgentless();
    const Checks = [{ CheckID: 'serfHealth', Name: 's', Status: 'critical' }];
    await register(attended('n7', { Checks }));
    await register(beaten('n7'));
    assert.equal((await say('service/deregister/db')).status, 200);
    assert.equal(server.state.catalog.instance('n7', 'db'), undefined);
  });

  it('names the nodes where several have the id', async () => {
    const { say, register, server } = await startAgentless();
    for (const node of ['ext1', 'ext2']) await register(beaten(node));
    assert.match((await say('service/deregister/db')).text, /on nodes "ext1", "ext2": say which/);
    await say('service/deregister/db?node=ext1');
    assert.equal(server.state.catalog.instance('ext1', 'db'), undefined);
    assert.notEqual(server.state.catalog.instance('ext2', 'db'), undefined);
  });
});

const RULES = {
  db: 'service "db" { policy = "write" } node_prefix "" { policy = "read" }',
  web: 'service "web" { policy = "write" }',
  read: 'service_prefix "" { policy = "read" } node_prefix "" { policy = "read" }',
  node: 'node_prefix "" { policy = "write" }',
};

describe('under access control', () => {
  it('whoever may not write the service neither reports it nor keeps it alive', async () => {
    const { say, register, status, clock } = await startAgentless({ rules: RULES });
    await register(beaten('ext1'));
    await say('check/pass/service:db', { token: 'db' });
    await clock.advance(8 * SECOND_MS);
    for (const token of ['web', 'read', 'node']) {
      assert.deepEqual(await say('check/pass/service:db', { token }), {
        status: 403,
        text: 'Permission denied',
      });
    }
    await clock.advance(4 * SECOND_MS);
    assert.equal(status('ext1', 'service:db'), 'critical');
    assert.equal((await say('check/pass/service:db', { token: 'db' })).status, 200);
    assert.equal(status('ext1', 'service:db'), 'passing');
  });

  it('an id that several have is the one that the token may change', async () => {
    const { say, register, status } = await startAgentless({ rules: RULES });
    await register(beaten('ext1', { service: 'db', id: 'x' }));
    await register(beaten('ext2', { service: 'web', id: 'x' }));
    assert.equal((await say('check/fail/service:x', { token: 'web' })).status, 200);
    assert.equal(status('ext1', 'service:x'), 'passing');
    assert.equal(status('ext2', 'service:x'), 'critical');
    assert.equal((await say('check/fail/service:x?node=ext1', { token: 'web' })).status, 403);
  });

  it('nobody is told of nodes that he may not see', async () => {
    const { say, register } = await startAgentless({ rules: RULES });
    for (const node of ['ext1', 'ext2']) await register(beaten(node, { service: 'web' }));
    const { text } = await say('check/pass/service:web', { token: 'web' });
    assert.equal(text, 'check "service:web" is on 2 nodes: say which by ?node=');
  });

  it('a deregistration is for whoever may write the service or the node', async () => {
    const { say, register, server } = await startAgentless({ rules: RULES });
    await register(beaten('ext1'));
    for (const token of ['web', 'read']) {
      assert.equal((await say('service/deregister/db', { token })).status, 403);
      assert.equal((await say('check/deregister/service:db', { token })).status, 403);
    }
    assert.equal((await say('check/deregister/service:db', { token: 'node' })).status, 200);
    assert.equal((await say('service/deregister/db', { token: 'db' })).status, 200);
    assert.equal(server.state.catalog.instance('ext1', 'db'), undefined);
    assert.match((await say('service/deregister/db', { token: 'db' })).text, /Unknown service/);
  });
});
