import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import supertest from 'supertest';
import { nodeFiles, type ValueFileHandle, type ValueFiles } from '../../agent/state/value-files.ts';
import { encodeJson } from '../../lib/json.ts';
import { checkNamed, serviceNamed } from '../support/factories.ts';
import { FakeClock } from '../support/fakes/fake-clock.ts';
import { MemoryCatalog } from '../support/fakes/memory-catalog.ts';
import { RecordingLogger } from '../support/fakes/recording-logger.ts';
import { startAgent } from '../support/servers/agents.ts';

describe('an agent that is restarted', () => {
  let folder = '';

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'agent-'));
  });

  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  async function restart(
    between: (first: Awaited<ReturnType<typeof startAgent>>) => Promise<unknown>,
    downMs = 0,
    config: readonly [before: string, after: string] = ['', ''],
  ) {
    const shared = { catalog: new MemoryCatalog(), clock: new FakeClock(), dataDir: folder };
    const first = await startAgent(config[0], shared);
    await between(first);
    await first.agent.stop();
    await shared.clock.advance(downMs);
    const commands = shared.catalog.commands;
    const second = await startAgent(config[1], shared);
    return { ...second, told: shared.catalog.commands - commands };
  }

  const register = (app: Parameters<typeof supertest>[0], body: object) =>
    supertest(app).put('/v1/agent/service/register').send(JSON.stringify(body)).expect(200);

  it('has its services and checks as they stood, and tells the catalog nothing', async () => {
    const { app, told } = await restart(async (first) => {
      await register(first.app, { Name: 'web', Port: 80, Check: { TTL: '60s' } });
      await supertest(first.app).put('/v1/agent/check/pass/service:web?note=ok').expect(200);
    }, 5000);
    const { body } = await supertest(app).get('/v1/agent/checks');
    assert.equal(body['service:web'].Status, 'passing');
    assert.equal(body['service:web'].Output, 'ok');
    assert.equal(told, 0);
  });

  it('has integers of 64 bits as they were said', async () => {
    const Config = { large: 2n ** 64n - 1n };
    const proxy = { DestinationServiceName: 'web', Config };
    const body = encodeJson({ Name: 'p', Kind: 'connect-proxy', Port: 1, Proxy: proxy });
    const { app } = await restart((first) =>
      supertest(first.app).put('/v1/agent/service/register').send(body).expect(200),
    );
    const { text } = await supertest(app).get('/v1/agent/services');
    assert.match(text, /"large":18446744073709551615/);
  });

  it('lets a TTL go on from where it was', async () => {
    const { app, clock } = await restart(async (first) => {
      await register(first.app, { Name: 'web', Check: { TTL: '60s', Status: 'passing' } });
      await supertest(first.app).put('/v1/agent/check/pass/service:web').expect(200);
      await first.clock.advance(20_000);
    }, 10_000);
    const status = async () =>
      (await supertest(app).get('/v1/agent/checks')).body['service:web'].Status;
    await clock.advance(20_000);
    assert.equal(await status(), 'passing');
    await clock.advance(30_000);
    assert.equal(await status(), 'critical');
  });

  it('says of a check that nobody has reported on or looked at that it is critical', async () => {
    const { app } = await restart(async (first) => {
      const Checks = [
        { CheckID: 'ttl', TTL: '60s', Status: 'passing' },
        { CheckID: 'polled', TCP: '127.0.0.1:1', Interval: '1h', Status: 'passing' },
        { CheckID: 'reported', TTL: '60s', Status: 'passing' },
      ];
      await register(first.app, { Name: 'web', Checks });
      await supertest(first.app).put('/v1/agent/check/pass/reported').expect(200);
    });
    const { body } = await supertest(app).get('/v1/agent/checks');
    const statuses = ['ttl', 'polled', 'reported'].map((id) => body[id].Status);
    assert.deepEqual(statuses, ['critical', 'critical', 'passing']);
  });

  it('starts whatever its journal says, and brings back what is sound in it', async () => {
    const sound = { definition: serviceNamed('b'), token: '', source: 'api' };
    const ttl = checkNamed('c', { ServiceID: 'b', Type: 'ttl' });
    const spec = { CheckID: 'c', Name: 'c', ServiceID: 'b', TTL: 60e9 };
    const values: readonly (readonly [string, unknown])[] = [
      ['service:null', null],
      ['service:empty', {}],
      ['service:id', { ...sound, definition: { ID: 'id' } }],
      ['service:odd', { ...sound, definition: { ...serviceNamed('odd'), Tags: 'a', Meta: [1] } }],
      ['service:b', sound],
      ['check:null', null],
      ['check:nameless', { definition: { ...ttl, Name: undefined }, token: '' }],
      ['check:odd', { definition: { ...ttl, CheckID: 'odd' }, token: '', spec: { HTTP: 5 } }],
      ['check:c', { definition: ttl, token: '', spec }],
      ['state:c', null],
      ['state:filed', { Status: 'green' }],
    ];
    await mkdir(path.join(folder, 'agent'));
    const lines = values.map((line) => `${JSON.stringify(line)}\n`);
    await writeFile(path.join(folder, 'agent', 'journal'), lines.join(''));
    const filed = 'check { id = "filed" name = "filed" ttl = "1m" }';
    const logger = new RecordingLogger();
    const { app } = await startAgent(filed, { dataDir: folder, logger });
    const { body: services } = await supertest(app).get('/v1/agent/services').expect(200);
    const { body: checks } = await supertest(app).get('/v1/agent/checks').expect(200);
    assert.deepEqual([Object.keys(services), Object.keys(checks)], [['b'], ['c', 'filed']]);
    assert.equal(checks.c.Status, 'critical');
    const said = logger.lines.filter((line) => line.includes('cannot bring back'));
    assert.equal(said.length, 7);
  });

  it('has a proxy without the upstreams that an earlier version took and the catalog refuses now, and says which', async () => {
    const upstream = (name: string, port: number, more = {}) => ({
      ...{ DestinationType: 'service', DestinationName: name, Datacenter: '' },
      ...{ LocalBindPort: port, ...more },
    });
    const Upstreams = [
      upstream('db', 9191),
      upstream('cache', 9192, { DestinationNamespace: 'team' }),
      upstream('mail', 9191),
    ];
    const proxy = { DestinationServiceName: 'web', Upstreams };
    const definition = { ...serviceNamed('p'), Kind: 'connect-proxy', Port: 1, Proxy: proxy };
    await mkdir(path.join(folder, 'agent'));
    const line = JSON.stringify(['service:p', { definition, token: '', source: 'api' }]);
    await writeFile(path.join(folder, 'agent', 'journal'), `${line}\n`);
    const [logger, catalog] = [new RecordingLogger(), new MemoryCatalog()];
    const { app } = await startAgent('', { dataDir: folder, logger, catalog });
    const { body } = await supertest(app).get('/v1/agent/service/p').expect(200);
    assert.deepEqual(
      body.Proxy.Upstreams.map((each: { DestinationName: string }) => each.DestinationName),
      ['db'],
    );
    const said = logger.lines.filter((each) => each.includes('of "p" is left out'));
    assert.match(said.join('\n'), /"cache".*Namespaces are.*\n.*"mail".*duplicates by local bind/);
  });

  it('does not bring back what was deregistered', async () => {
    const { app } = await restart(async (first) => {
      await register(first.app, { Name: 'web', Check: { TTL: '60s' } });
      await supertest(first.app).put('/v1/agent/service/deregister/web').expect(200);
    });
    await supertest(app).get('/v1/agent/services').expect(200, '{}');
    await supertest(app).get('/v1/agent/checks').expect(200, '{}');
  });

  it('runs no script that it would refuse now', async () => {
    const enabled = 'enable_script_checks = true';
    const { agent } = await restart(
      (first) =>
        register(first.app, {
          Name: 'web',
          Checks: [{ CheckID: 'script', Args: ['true'], Interval: '10s' }, { TTL: '60s' }],
        }),
      0,
      [enabled, 'enable_local_script_checks = true'],
    );
    assert.deepEqual([...agent.local.checks.keys()], ['service:web:2']);
  });

  it('is still in maintenance', async () => {
    const { app } = await restart((first) =>
      supertest(first.app).put('/v1/agent/maintenance?enable=true&reason=disk').expect(200),
    );
    const { body } = await supertest(app).get('/v1/agent/checks');
    assert.equal(body._node_maintenance.Notes, 'disk');
  });
});

describe('PUT /v1/agent/service/register on a full disk', () => {
  let folder = '';

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'agent-'));
  });

  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it('is refused, and leaves all as it stood: here, in the catalog and on the disk', async () => {
    const disk = { isFull: false };
    const shared = { catalog: new MemoryCatalog(), clock: new FakeClock(), dataDir: folder };
    const first = await startAgent('', { ...shared, files: fillable(disk) });
    const register = (body: object) =>
      supertest(first.app).put('/v1/agent/service/register').send(JSON.stringify(body));
    await register({ Name: 'old', Port: 1, Check: { CheckID: 'c1', TTL: '60s' } }).expect(200);
    await supertest(first.app).put('/v1/agent/check/pass/c1?note=ok').expect(200);
    await supertest(first.app)
      .put('/v1/agent/check/register')
      .send(JSON.stringify({ ID: 'n', Name: 'of the node', TTL: '60s' }))
      .expect(200);
    await supertest(first.app).put('/v1/agent/check/warn/n?note=so').expect(200);

    const services = async (app: RequestListener) =>
      (await supertest(app).get('/v1/agent/services')).body;
    const checks = async (app: RequestListener) =>
      (await supertest(app).get('/v1/agent/checks')).body;
    const stood = [await services(first.app), await checks(first.app)];
    const known = structuredClone(await shared.catalog.node('n1'));
    disk.isFull = true;
    const refused = 'failed persisting to data_dir';
    await register({ Name: 'new', Check: { TTL: '60s' }, Connect: { SidecarService: {} } }).expect(
      500,
      refused,
    );
    // These come with ids that a check of another service, and one of the node, have.
    for (const CheckID of ['c1', 'n']) {
      await register({ Name: 'new', Check: { CheckID, TTL: '1h' } }).expect(500, refused);
    }
    const changed = {
      Port: 2,
      Checks: [
        { CheckID: 'c1', TTL: '1h' },
        { CheckID: 'c2', TTL: '1h' },
        { CheckID: 'n', TTL: '1h' },
      ],
    };
    await register({ Name: 'old', ...changed }).expect(500, refused);

    assert.deepEqual([await services(first.app), await checks(first.app)], stood);
    assert.deepEqual(await shared.catalog.node('n1'), known);
    disk.isFull = false;
    await first.agent.stop();
    const second = await startAgent('', shared);
    assert.deepEqual([await services(second.app), await checks(second.app)], stood);
  });
});

/** The files of this machine, on a disk that may be full. */
function fillable(disk: { readonly isFull: boolean }): ValueFiles {
  const on = (file: ValueFileHandle): ValueFileHandle => ({
    ...file,
    write: async (bytes, position) => {
      if (disk.isFull) throw new Error('ENOSPC: no space left on device');
      await file.write(bytes, position);
    },
  });
  return {
    ...nodeFiles,
    open: async (at) => on(await nodeFiles.open(at)),
    create: async (at) => on(await nodeFiles.create(at)),
  };
}
