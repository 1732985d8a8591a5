import assert from 'node:assert/strict';
import { FakeAccess, MASTER, withToken } from '../../support/fakes/fake-access.ts';
import { startServerWith } from '../../support/servers/start-server.ts';

const RULES = {
  n1: 'node "n1" { policy = "write" }',
  N1: 'node "N1" { policy = "write" }',
  n2: 'node "n2" { policy = "write" }',
  'read-n1': 'node "n1" { policy = "read" }',
};

const BEAT = '/v1/internal/agent/beat';
const LEAVE = '/v1/internal/agent/leave';
const MEMBERS = '/v1/internal/members';

async function start() {
  const { server, put, get } = await startServerWith({ access: new FakeAccess(RULES) });
  const beat = (token: string, Node: string, Tags = {}) => {
    const ID = Node.toLowerCase();
    const body = { ID, Node, Address: '10.0.0.1', Datacenter: 'dc1', LanPort: 1, Tags };
    return put(BEAT, body, withToken(token));
  };
  return { server, beat, put, get };
}

describe('beats under access control', () => {
  it('make a member of whoever may write the node, and of nobody else', async () => {
    const { server, beat } = await start();
    for (const token of ['', 'n2', 'read-n1']) {
      const { status, text } = await beat(token, 'n1');
      assert.deepEqual([status, text], [403, 'Permission denied: Missing node:write on n1']);
    }
    assert.equal((await beat('unknown', 'n1')).text, 'ACL not found');
    assert.equal(server.state.members.size, 0);
    assert.equal((await beat('n1', 'n1')).status, 200);
    assert.equal(server.state.members.size, 1);
  });

  it('do not take over a node under another spelling', async () => {
    const { beat } = await start();
    assert.equal((await beat('n1', 'n1')).status, 200);
    assert.equal((await beat('N1', 'N1')).status, 403);
  });

  it('give no node the id of another that is not theirs, nor of one that lives', async () => {
    const { server, beat, put } = await start();
    const as = (token: string, Node: string, ID: string) => {
      const body = { ID, Node, Address: '10.0.0.1', Datacenter: 'dc1', LanPort: 1 };
      return put(BEAT, body, withToken(token));
    };
    const ID = '11111111-1111-4111-8111-111111111111';
    await put('/v1/catalog/register', { Node: 'n1', ID, Address: '10.0.0.1' }, withToken(MASTER));
    assert.equal((await as('n2', 'n2', ID)).status, 403);
    assert.equal((await as('n1', 'n1', ID)).status, 200);
    const { status, text } = await as(MASTER, 'n2', ID);
    const why = `Node id ${ID} of n2 is that of node n1 (10.0.0.1), which is alive`;
    assert.deepEqual([status, text], [500, why]);
    assert.deepEqual(
      [...server.state.members.values()].map((row) => row.Node),
      ['n1'],
    );
    // A machine that is called otherwise now, and has said goodbye.
    await put(LEAVE, { ID, Node: 'n1' }, withToken('n1'));
    assert.equal((await as(MASTER, 'n2', ID)).status, 200);
    await beat('n2', 'n2');
  });

  it('make no server, whoever sends them', async () => {
    const { server, beat } = await start();
    for (const token of ['n1', MASTER]) {
      const { status } = await beat(token, 'n1', { role: 'consul', port: '8300' });
      assert.equal(status, 403);
    }
    assert.equal(server.state.liveServers.size, 0);
  });

  it('are ended by a leave of whoever may write the node', async () => {
    const { server, beat, put } = await start();
    await beat('n1', 'n1');
    const leave = (token: string) => put(LEAVE, { ID: 'n1', Node: 'n1' }, withToken(token));
    for (const token of ['', 'n2']) assert.equal((await leave(token)).status, 403);
    assert.equal(server.state.members.get('n1')?.Status, 1);
    assert.equal((await leave('n1')).status, 200);
    assert.equal(server.state.members.get('n1')?.Status, 3);
  });

  it('take no server for an agent, nor out, whoever sends them', async () => {
    const { server, put } = await start();
    const Tags = { role: 'consul', port: '8300' };
    const member = { ID: 's', Node: 'n1', Address: '10.0.0.1', Port: 1, Tags };
    await server.deps.propose({ type: 'member-alive', member });
    const beat = { ID: 's', Node: 'n1', Address: '10.0.0.9', Datacenter: 'dc1', LanPort: 1 };
    const fail = {
      type: 'members-failed',
      term: server.state.leadership.term,
      nodes: ['n1'],
    } as const;
    for (const token of ['n1', MASTER, 'n1', MASTER]) {
      const { index } = server.state;
      for (const Node of ['n1', 'N1']) {
        const beaten = await put(BEAT, { ...beat, Node }, withToken(token));
        const left = await put(LEAVE, { ID: 's', Node }, withToken(token));
        assert.deepEqual([beaten.status, left.status], [403, 403], `${token} as ${Node}`);
      }
      assert.equal(server.state.index, index);
      // The same of one that nobody hears of.
      if (token === MASTER) await server.deps.propose(fail);
    }
    assert.equal(server.state.failedServers.size, 1);
  });

  it('are told of to whoever may see the node', async () => {
    const { beat, get } = await start();
    await beat('n1', 'n1');
    await beat('n2', 'n2');
    const names = async (token: string) => {
      const { text } = await get(MEMBERS, withToken(token));
      return JSON.parse(text).map(({ Name }: { Name: string }) => Name);
    };
    assert.deepEqual(await names(''), []);
    assert.deepEqual(await names('read-n1'), ['n1']);
    assert.deepEqual(await names(MASTER), ['n1', 'n2']);
  });
});
