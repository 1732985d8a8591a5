import assert from 'node:assert/strict';
import {
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commandLineOf } from '../../support/servers/command-line.ts';
import { serveHttp } from '../../support/servers/http-servers.ts';
import { startServer } from '../../support/servers/start-server.ts';
import { until } from '../../support/until.ts';

describe('proconsul snapshot agent', () => {
  let path = '';
  beforeEach(() => {
    path = mkdtempSync(join(tmpdir(), 'proconsul-snapshots-'));
  });
  afterEach(() => rmSync(path, { recursive: true }));

  async function start() {
    const server = await startServer();
    const Check = { CheckID: 'serfHealth', Name: 'serfHealth', Status: 'passing' };
    await server.put('/v1/catalog/register', { Node: 'n1', Address: '127.0.0.1', Check });
    return { ...server, run: commandLineOf(server.port) };
  }

  it('saves one and ends with -interval=0, for its owner alone to read', async () => {
    const { run } = await start();
    const { code, out } = await run(`snapshot agent -interval=0 -local-path=${path}`);
    assert.equal(code, 0);
    assert.match(out, /^\S+Z saved \S+consul-\d+\.snap: index \d+, 0\.0 MB\n$/);
    const [name = ''] = readdirSync(path);
    assert.equal(statSync(join(path, name)).mode & 0o777, 0o600);
    const shown = await run(`snapshot inspect -format=json ${path}/${name}`);
    const { Meta, Stats } = JSON.parse(shown.out);
    assert.deepEqual(Object.keys(Meta), ['ID', 'Size', 'Index', 'Term', 'Version']);
    assert.deepEqual(Stats[0], { Name: 'register', Count: 3 });
  });

  it('is one of two that saves, and lets go of the lock when it ends', async () => {
    const { run, get } = await start();
    const ends = [new AbortController(), new AbortController()];
    const words = `snapshot agent -interval=1h -lock-key=a/lock -local-path=${path}`;
    const both = ends.map(({ signal }) => run(words, { signal }));
    await until(() => readdirSync(path).some((name) => name.endsWith('.snap')));
    await until(async () => ((await get('/v1/session/list')).json as unknown[]).length === 2);
    for (const each of ends) each.abort();
    const said = (await Promise.all(both)).map(({ out }) => out);
    assert.equal(said.filter((out) => out.includes('saved')).length, 1);
    assert.deepEqual((await get('/v1/session/list')).json, []);
    assert.equal((await get('/v1/kv/a/lock')).status, 404);
  });

  it('refuses what makes no sense before anything is asked', async () => {
    const { run } = await start();
    const refused = async (flags: string) => (await run(`snapshot agent ${flags}`)).err;
    assert.match(await refused('-interval=soon'), /^invalid value "soon" for flag -interval/);
    assert.match(await refused('-interval=5ms'), /^-interval must be at least 1s/);
    assert.match(await refused('-retain=-1'), /^-retain must be at least 0/);
    assert.match(await refused('-max-failures=0'), /^-max-failures must be at least 1/);
    assert.match(await refused('-local-path=/nowhere'), /^-local-path is no folder: \/nowhere/);
    assert.match(await refused('more'), /^Too many arguments/);
  });

  it('writes through no link that somebody laid where the archive is to be written', async () => {
    const { run } = await start();
    writeFileSync(join(path, 'mine'), 'precious');
    symlinkSync('mine', join(path, 'back.snap.part'));
    assert.equal((await run(`snapshot save ${path}/back.snap`)).code, 0);
    assert.equal(readFileSync(join(path, 'mine'), 'utf8'), 'precious');
    assert.equal(lstatSync(join(path, 'back.snap')).mode & 0o777, 0o600);
  });

  it('takes out what another left half-way, that was killed an hour ago or more', async () => {
    const { run } = await start();
    const old = ['consul-1795696870220000000.snap.77.part', 'back-1.snap.78.part'];
    const others = [
      'consul-1795696870220000000.snap',
      'front-1.snap.79.part',
      'consul-1.snap.80.part',
    ];
    for (const name of [...old, ...others]) {
      writeFileSync(join(path, name), '');
      // The last one may be under way.
      if (!name.includes('.80.')) utimesSync(join(path, name), 1, 1);
    }
    await run(`snapshot agent -interval=0 -local-path=${path}`);
    await run(`snapshot save ${path}/back-2.snap`);
    const names = readdirSync(path);
    assert.deepEqual(
      [...old, ...others].filter((name) => names.includes(name)),
      others,
    );
  });

  it('says that an archive broke off, and leaves nothing of it', async () => {
    const { port } = await serveHttp((_, response) => {
      response.writeHead(200, { 'Content-Length': '100' });
      response.write('x', () => response.destroy());
    });
    const run = commandLineOf(port);
    const { code, err } = await run(`snapshot save ${path}/cut.snap`);
    const why = 'the agent hung up in the middle of its answer';
    assert.deepEqual([code, err], [1, `Error saving snapshot: ${why}\n`]);
    assert.deepEqual(readdirSync(path), []);
    assert.deepEqual(
      (await run('monitor')).err,
      'The agent ended the log: it may have ended itself.\n',
    );
  });

  it('leaves nothing of an answer that is no archive, and says so', async () => {
    const { port } = await serveHttp((_, response) => response.end('<html>Sign in</html>'));
    const run = commandLineOf(port);
    const { code, err } = await run(`snapshot agent -interval=0 -local-path=${path}`);
    assert.equal(code, 1);
    assert.match(err, /^Error verifying snapshot file: failed to decompress snapshot/);
    assert.deepEqual(readdirSync(path), []);
  });
});
