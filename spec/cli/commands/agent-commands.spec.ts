import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startAgent } from '../../support/servers/agents.ts';
import { commandLineOf } from '../../support/servers/command-line.ts';
import { serveHttp } from '../../support/servers/http-servers.ts';

async function start(config = '') {
  const { app, agent } = await startAgent(config);
  const { port } = await serveHttp(app);
  return { agent, run: commandLineOf(port) };
}

describe('proconsul services', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'proconsul-cli-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function file(name: string, text: string): string {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  }

  it('registers what files in JSON and HCL define, with all of it', async () => {
    const { agent, run } = await start();
    const json = file('web.json', '{"services": [{"name": "web"}, {"name": "web", "id": "w2"}]}');
    const hcl = file(
      'api.hcl',
      `service {
        name = "api"
        id = "api1"
        port = 81
        enable_tag_override = true
        meta = { my_key = "my_value" }
        tagged_addresses { lan { address = "10.0.0.1" port = 82 } }
        check { id = "c1" name = "alive" ttl = "10s" deregister_critical_service_after = "1h" }
      }`,
    );
    const { code, out } = await run(`services register ${json} ${hcl}`);
    assert.equal(code, 0);
    assert.equal(
      out,
      'Registered service: web\nRegistered service: web\nRegistered service: api\n',
    );
    assert.deepEqual([...agent.local.services.keys()], ['web', 'w2', 'api1']);
    const api = agent.local.services.get('api1')?.definition;
    assert.equal(api?.EnableTagOverride, true);
    assert.deepEqual(api?.Meta, { my_key: 'my_value' });
    assert.deepEqual(api?.TaggedAddresses, { lan: { Address: '10.0.0.1', Port: 82 } });
    assert.equal(agent.local.checks.get('c1')?.definition.ServiceID, 'api1');
  });

  it('registers one from flags, and takes it out by ID or file', async () => {
    const { agent, run } = await start();
    await run('services register -name=web -id=w1 -port=80 -tag=a -tag=b -meta=k=v=w');
    const web = agent.local.services.get('w1')?.definition;
    assert.deepEqual([web?.Service, web?.Port, web?.Tags], ['web', 80, ['a', 'b']]);
    assert.deepEqual(web?.Meta, { k: 'v=w' });
    assert.equal((await run('services deregister -id=w1')).out, 'Deregistered service: w1\n');
    assert.equal(agent.local.services.size, 0);

    const path = file('web.json', '{"service": {"name": "web"}}');
    await run(`services register ${path}`);
    assert.equal((await run(`services deregister ${path}`)).out, 'Deregistered service: web\n');
    assert.equal(agent.local.services.size, 0);
  });

  for (const [words, complaint] of [
    ['register', 'Service registration requires at least one argument or flags.'],
    ['register -name=a b.json', 'Service registration requires arguments or -id, not both.'],
    [
      'register nope.json',
      'Error: config: Open failed on nope.json. open nope.json: no such file or directory',
    ],
    [
      'register -name=a -meta=b',
      'invalid value "b" for flag -meta: Missing "=" value in argument: b',
    ],
    ['deregister', 'Service deregistration requires at least one argument or -id.'],
    ['deregister -id=a b.json', 'Service deregistration requires arguments or -id, not both.'],
  ] as const) {
    it(`refuses '${words}' as Consul does`, async () => {
      const { run } = await start();
      const { code, err } = await run(`services ${words}`);
      assert.deepEqual([code, err], [1, `${complaint}\n`]);
    });
  }
});

describe('proconsul maint', () => {
  it('takes the node and a service out, lists both, and brings them back', async () => {
    const { run } = await start('services { name = "web" }');
    const node = await run('maint -enable -reason=disk');
    assert.equal(node.out, 'Node maintenance is now enabled\n');
    const service = await run('maint -enable -service=web');
    assert.equal(service.out, 'Service maintenance is now enabled for "web"\n');
    const { out } = await run('maint');
    assert.match(out, /^Node:\n {2}Name: {3}n1\n {2}Reason: disk\n\n/m);
    assert.match(out, /^Service:\n {2}ID: {5}web\n {2}Reason: Maintenance mode is enabled/m);
    await run('maint -disable');
    await run('maint -disable -service=web');
    assert.deepEqual(await run('maint'), { code: 0, out: '', err: '' });
  });

  it('refuses flags that contradict one another', async () => {
    const { run } = await start();
    for (const [words, complaint] of [
      ['-enable -disable', 'Only one of -enable or -disable may be provided'],
      ['-reason=x', 'Reason may only be provided with -enable'],
      ['-service=x', 'Service requires either -enable or -disable'],
    ]) {
      const { code, err } = await run(`maint ${words}`);
      assert.deepEqual([code, err], [1, `${complaint}\n`]);
    }
  });

  it('says of a service that is not there what the agent says', async () => {
    const { run } = await start();
    const { code, err } = await run('maint -enable -service=nope');
    assert.equal(code, 1);
    assert.match(err, /^Error enabling service maintenance: Unexpected response code: 404 \(/);
  });
});

describe('proconsul info, reload, leave, join, force-leave', () => {
  it('shows the figures of the agent by section and name', async () => {
    const { run } = await start();
    const { out } = await run('info');
    assert.match(out, /^agent:\n\tcheck_monitors = 0\n/);
    assert.match(out, /^build:\n/m);
  });

  it('reloads', async () => {
    const { run } = await start();
    assert.equal((await run('reload')).out, 'Configuration reload triggered\n');
  });

  it('joins whoever it can, and fails where nobody is left', async () => {
    const { host, server } = await serveHttp((request, response) => {
      response.statusCode = request.url?.endsWith('bad') ? 500 : 200;
      response.end(response.statusCode === 500 ? 'no' : '');
    });
    assert.ok(server.listening);
    const run = commandLineOf(Number(host.split(':')[1]));
    const some = await run('join bad good');
    assert.equal(some.out, 'Successfully joined cluster by contacting 1 nodes.\n');
    const failed = "Error joining address 'bad': Unexpected response code: 500 (no)\n";
    assert.equal(some.err, failed);
    const none = await run('join bad');
    assert.deepEqual([none.code, none.err], [1, `${failed}Failed to join any nodes.\n`]);
    assert.match((await run('join')).err, /^At least one address to join must be specified\.\n\nU/);
    assert.equal((await run('force-leave -prune gone')).code, 0);
    assert.equal((await run('leave')).out, 'Graceful leave complete\n');
  });
});

describe('proconsul members', () => {
  const member = (Name: string, Status: number, role: string) => ({
    Name,
    Addr: Name === 'b' ? '::1' : '10.0.0.1',
    Port: 8301,
    Status,
    Tags: { role, build: '1.8.7:abc', vsn: '2', dc: 'dc1' },
  });

  async function startWith(members: readonly object[]) {
    const { port } = await serveHttp((_, response) => response.end(JSON.stringify(members)));
    return commandLineOf(port);
  }

  it('lists them by name, servers and clients', async () => {
    const run = await startWith([member('b', 4, 'node'), member('a', 1, 'consul')]);
    assert.equal(
      (await run('members')).out,
      [
        'Node  Address        Status  Type    Build  Protocol  DC   Segment',
        'a     10.0.0.1:8301  alive   server  1.8.7  2         dc1  <all>',
        'b     [::1]:8301     failed  client  1.8.7  2         dc1  <default>',
        '',
      ].join('\n'),
    );
    assert.match((await run('members -detailed')).out, /^a .* alive {3}build=1\.8\.7:abc,dc=dc1,/m);
  });

  it('exits with 2 where the filter leaves nobody', async () => {
    const run = await startWith([member('a', 1, 'consul')]);
    assert.deepEqual(await run('members -status=^(left|failed)$'), { code: 2, out: '', err: '' });
    assert.match((await run('members -status=fail|alive')).out, /^a /m);
    const bad = await run('members -status=(');
    assert.equal(bad.code, 1);
    assert.match(bad.err, /^Failed to compile status regexp: error parsing regexp: missing clos/);
  });
});

describe('proconsul monitor', () => {
  it('shows what comes until it is told to end, and then exits with 0', async () => {
    const ending = new AbortController();
    const { port } = await serveHttp((request, response) => {
      response.write(`${request.url}\n`, () => ending.abort());
    });
    const { code } = await commandLineOf(port)('monitor -log-level=debug', {
      signal: ending.signal,
    });
    assert.equal(code, 0);
  });

  it('exits with 1 where the agent ends it', async () => {
    const { port } = await serveHttp((_, response) => response.end('a line\n'));
    const { code, out, err } = await commandLineOf(port)('monitor');
    assert.deepEqual([code, out], [1, 'a line\n']);
    assert.match(err, /^The agent ended the log/);
  });
});
