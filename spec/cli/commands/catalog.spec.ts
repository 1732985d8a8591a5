import assert from 'node:assert/strict';
import { commandLineOf } from '../../support/servers/command-line.ts';
import { startServer } from '../../support/servers/start-server.ts';

async function start() {
  const server = await startServer();
  await server.put('/v1/catalog/register', {
    Node: 'other',
    Address: '10.0.0.1',
    NodeMeta: { rack: 'r1' },
    Service: { ID: 'db1', Service: 'db', Tags: ['b', 'a'], Port: 5432 },
  });
  return { ...server, run: commandLineOf(server.port) };
}

describe('proconsul catalog', () => {
  it('lists datacenters, nodes and services', async () => {
    const { run } = await start();
    assert.equal((await run('catalog datacenters')).out, 'dc1\n');
    for (const words of [
      'nodes -service=db',
      'nodes -node-meta=rack=r1',
      'nodes -filter=Node==other',
    ]) {
      const { out } = await run(`catalog ${words}`);
      assert.equal(out, 'Node   ID  Address   DC\nother      10.0.0.1  dc1\n');
    }
    assert.match((await run('catalog nodes -detailed')).out, /^other .* rack=r1$/m);
    assert.equal((await run('catalog services -node=other')).out, 'db\n');
    assert.equal((await run('catalog services -node-meta=rack=r1 -tags')).out, 'db      a,b\n');
  });

  it('says where nothing matches, and exits with 0', async () => {
    const { run } = await start();
    const nodes = await run('catalog nodes -service=nope');
    assert.equal(nodes.err, 'No nodes match the given query - try expanding your search.\n');
    const services = await run('catalog services -node=nope');
    assert.equal(services.err, 'No services match the given query - try expanding your search.\n');
    assert.deepEqual([nodes.code, services.code], [0, 0]);
  });

  it('tells what the server refuses', async () => {
    const { run } = await start();
    const { code, err } = await run('catalog nodes -filter=x==y');
    assert.equal(code, 1);
    assert.match(
      err,
      /^Error listing nodes: Unexpected response code: 500 \(Failed to create bool/,
    );
    const extra = await run('catalog services x');
    assert.equal(extra.err, 'Too many arguments (expected 0, got 1)\n');
    const far = await run('catalog nodes -datacenter=dc9');
    assert.match(far.err, /No path to datacenter/);
  });
});

describe('proconsul operator', () => {
  it('lists the servers', async () => {
    const { run } = await start();
    const { out } = await run('operator raft list-peers');
    assert.match(out, /^Node +ID +Address +State +Voter +RaftProtocol\nn1 .* leader +true +3\n$/);
  });

  it('changes what it is told of autopilot, and nothing else', async () => {
    const { run } = await start();
    const before = (await run('operator autopilot get-config')).out;
    const set = await run(
      'operator autopilot set-config -cleanup-dead-servers=false -last-contact-threshold=1m',
    );
    assert.equal(set.out, 'Configuration updated!\n');
    assert.equal(
      (await run('operator autopilot get-config')).out,
      before
        .replace('CleanupDeadServers = true', 'CleanupDeadServers = false')
        .replace('LastContactThreshold = 200ms', 'LastContactThreshold = 1m0s'),
    );
    const { code, err } = await run('operator autopilot set-config -last-contact-threshold=bla');
    assert.equal(code, 1);
    assert.match(err, /^invalid value "bla" for flag -last-contact-threshold: time: invalid durat/);
  });
});

describe('proconsul operator raft', () => {
  it('takes no peer out that nobody knows, and asks for one or the other name', async () => {
    const { run } = await start();
    const peer = async (flags: string) => await run(`operator raft remove-peer ${flags}`.trim());
    const said = 'Error removing peer: ';
    const unknown = `${said}Unexpected response code: 500 (id "x" was not found in the Raft `;
    assert.equal((await peer('-id=x')).err, `${unknown}configuration)\n`);
    assert.equal(
      (await peer('')).err,
      `${said}an address or id is required for the peer to remove\n`,
    );
    assert.equal(
      (await peer('-id=x -address=y')).err,
      `${said}cannot give both an address and id\n`,
    );
  });

  it('hands the lead to nobody where there is nobody', async () => {
    const { run } = await start();
    const { code, err } = await run('operator raft transfer-leader');
    assert.equal(code, 1);
    assert.match(err, /there is no other server/);
  });
});

describe('proconsul operator autopilot state and usage', () => {
  it('show what there is', async () => {
    const { run } = await start();
    const state = await run('operator autopilot state');
    assert.match(state.out, /^Healthy: +false\nFailure Tolerance: +0\n/);
    const json = await run('operator autopilot state -format=json');
    assert.equal((JSON.parse(json.out) as { Healthy: boolean }).Healthy, false);
    assert.equal((await run('operator autopilot state -format=x')).err, 'Unknown format: x\n');
    const { out } = await run('operator usage instances');
    assert.match(out, /^Billable Service Instances Total: \d+\ndc1 Billable Service Instances: \d/);
    assert.match(out, /\ndc1 +connect-native +0\n/);
    const only = await run('operator usage instances -only-connect');
    assert.match(only.out, /^Connect Services\nDatacenter +Type +Service instances\n/);
  });
});

describe('proconsul event', () => {
  it('fires, with its payload and filters', async () => {
    const { run, get } = await start();
    const { out } = await run('event -name=deploy -node=n payload');
    assert.match(out, /^Event ID: [0-9a-f-]{36}\n$/);
    const events = (await get('/v1/event/list')).json as Record<string, unknown>[];
    const fired = events.map(({ Name, Payload, NodeFilter }) => [Name, Payload, NodeFilter]);
    assert.deepEqual(fired, [['deploy', 'cGF5bG9hZA==', 'n']]);
  });

  it('refuses an event without a name and filters that are none', async () => {
    const { run } = await start();
    assert.match((await run('event')).err, /^Event name must be specified\n\nUsage: /);
    assert.match((await run('event -name=x a b')).err, /^Too many command line arguments\.\n\nU/);
    const tag = await run('event -name=x -tag=t');
    assert.equal(tag.err, 'Cannot provide tag filter without service filter.\n');
    const pattern = await run('event -name=x -service=(');
    assert.match(pattern.err, /^Failed to compile service filter regexp: error parsing regexp/);
  });
});

describe('proconsul rtt', () => {
  it('estimates from coordinates', async () => {
    const { run, put, clock, get } = await start();
    const Coord = {
      Vec: [0.003, 0.004, 0, 0, 0, 0, 0, 0],
      Error: 1.5,
      Adjustment: 0,
      Height: 1e-5,
    };
    await put('/v1/coordinate/update', { Node: 'other', Coord });
    await clock.advance(10_000);
    const nodes = (await get('/v1/coordinate/nodes')).json as unknown[];
    assert.equal(nodes.length, 1);
    const { out } = await run('rtt other other');
    assert.equal(out, 'Estimated other <-> other rtt: 0.020 ms (using LAN coordinates)\n');
    const { code, err } = await run('rtt other nope');
    assert.deepEqual([code, err], [1, 'Could not find a coordinate for node "nope"\n']);
    assert.match((await run('rtt')).err, /^One or two node names must be specified\n\nUsage/);
    // As a real Consul does of its only server, which it finds by its name and data centre.
    const unnamed = await run('rtt -wan other other');
    assert.match(
      unnamed.err,
      /^Node names must be specified as <node name>\.<datacenter> with -wan/,
    );
    const nobody = await run('rtt -wan other.dc1 other.dc1');
    assert.match(nobody.err, /^Could not find a coordinate for node "other\.dc1"/);
  });
});
