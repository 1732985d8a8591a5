import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commandLineOf } from '../../support/servers/command-line.ts';
import { startServer, type TestServer } from '../../support/servers/start-server.ts';
import { until } from '../../support/until.ts';

async function start() {
  const server = await startServer();
  const Check = { CheckID: 'serfHealth', Name: 'serfHealth', Status: 'passing' };
  await server.put('/v1/catalog/register', { Node: 'n1', Address: '127.0.0.1', Check });
  return { ...server, run: commandLineOf(server.port) };
}

/** The session that holds the lock at a; '' for none. */
async function holder(get: TestServer['get']): Promise<string> {
  const answer = await get('/v1/kv/a/.lock');
  if (answer.status !== 200) return '';
  const [pair] = answer.json as { readonly Session?: string }[];
  return pair?.Session ?? '';
}

describe('proconsul lock', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'proconsul-lock-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('runs the program while it holds the lock, and leaves nothing behind', async () => {
    const { run, get } = await start();
    const file = join(folder, 'held');
    const { code, out, err } = await run(`lock -verbose a/b echo $CONSUL_LOCK_HELD >${file}`);
    assert.deepEqual([code, err], [0, '']);
    assert.equal(
      out,
      [
        'Setting up lock at path: a/b/.lock',
        'Attempting lock acquisition',
        'Starting handler',
        'Child terminated, releasing lock',
        'Cleanup succeeded',
        '',
      ].join('\n'),
    );
    assert.equal(readFileSync(file, 'utf8'), 'true\n');
    assert.equal((await get('/v1/kv/a/b/.lock')).status, 404);
    assert.deepEqual((await get('/v1/session/list')).json, []);
  });

  it('waits until another lets go, and gives up at its timeout', async () => {
    const { run, get } = await start();
    const go = join(folder, 'go');
    const first = run(`lock a until [ -e ${go} ]; do sleep 0.02; done`);
    await until(async () => (await holder(get)) !== '');
    const late = await run('lock -timeout=50ms a true');
    const why = 'Shutdown triggered or timeout during lock acquisition\n';
    assert.deepEqual([late.code, late.err], [1, why]);
    const second = run(`lock a echo >${folder}/second`);
    await run(`lock other touch ${go}`);
    assert.deepEqual([(await first).code, (await second).code], [0, 0]);
    assert.ok(existsSync(join(folder, 'second')));
  });

  it('tells the program to end where the lock is lost, and exits with 1', async () => {
    const { run, get, put } = await start();
    const locked = run('lock a exec sleep 600');
    await until(async () => (await holder(get)) !== '');
    await put(`/v1/session/destroy/${await holder(get)}`);
    const { code, err } = await locked;
    assert.equal(code, 1);
    assert.equal(err, 'Lock lost, killing child\nError running handler: signal: SIGTERM\n');
  });

  it('ends its waiting where the process is told to end', async () => {
    const { run, get } = await start();
    const [first, second] = [new AbortController(), new AbortController()];
    const holding = run('lock a exec sleep 600', { signal: first.signal });
    await until(async () => (await holder(get)) !== '');
    const waiting = run('lock a true', { signal: second.signal });
    await until(async () => ((await get('/v1/session/list')).json as unknown[]).length === 2);
    second.abort();
    const why = 'Shutdown triggered or timeout during lock acquisition\n';
    assert.deepEqual(await waiting, { code: 1, out: '', err: why });
    first.abort();
    await holding;
    assert.deepEqual((await get('/v1/session/list')).json, []);
  });

  it('lets go where the process is told to end', async () => {
    const { run, get } = await start();
    const ending = new AbortController();
    const locked = run('lock a exec sleep 600', { signal: ending.signal });
    await until(async () => (await holder(get)) !== '');
    ending.abort();
    assert.equal((await locked).code, 0);
    assert.equal((await get('/v1/kv/a/.lock')).status, 404);
  });

  it('tells of a program that fails, by its exit code too where that is asked for', async () => {
    const { run } = await start();
    const plain = await run('lock a exit 3');
    assert.deepEqual([plain.code, plain.err], [0, 'Error running handler: exit status 3\n']);
    assert.equal((await run('lock -child-exit-code a exit 3')).code, 2);
  });

  it('does not touch a key that is no lock', async () => {
    const { run, put, get } = await start();
    await put('/v1/kv/a/.lock', 'mine');
    const { code, err } = await run('lock a true');
    assert.equal(code, 1);
    assert.equal(err, 'Lock acquisition failed: Existing key does not match lock use\n');
    assert.equal((await get('/v1/kv/a/.lock?raw')).text, 'mine');
  });

  for (const [words, complaint] of [
    ['a', 'Key prefix and child command must be specified'],
    ['-n=0 a true', 'Lock holder limit must be positive'],
    ['-timeout=x a true', 'invalid value "x" for flag -timeout: time: invalid duration "x"'],
  ] as const) {
    it(`refuses 'lock ${words}'`, async () => {
      const { run } = await start();
      const { code, err } = await run(`lock ${words}`);
      assert.deepEqual([code, err], [1, `${complaint}\n`]);
    });
  }

  it('lets as many hold it as -n says, and the next in when one lets go', async () => {
    const { run, get } = await start();
    const hold = (name: string) =>
      run(
        `lock -n=2 a touch ${folder}/${name}; until [ -e ${folder}/go-${name} ]; do sleep 0.02; done`,
      );
    const holds = (name: string) => until(async () => existsSync(join(folder, name)));
    const both = [hold('one'), hold('two')];
    await Promise.all([holds('one'), holds('two')]);
    const { Limit, Holders } = JSON.parse((await get('/v1/kv/a/.lock?raw')).text);
    assert.deepEqual([Limit, Object.keys(Holders).length], [2, 2]);
    const late = await run('lock -n=2 -timeout=50ms a true');
    const why = 'Shutdown triggered or timeout during lock acquisition\n';
    assert.deepEqual([late.code, late.err], [1, why]);
    const third = hold('three');
    await run(`lock other touch ${folder}/go-one`);
    await holds('three');
    await run(`lock other touch ${folder}/go-two ${folder}/go-three`);
    for (const { code } of await Promise.all([...both, third])) assert.equal(code, 0);
    assert.equal((await get('/v1/kv/a/?recurse')).status, 404);
    assert.deepEqual((await get('/v1/session/list')).json, []);
  });

  it('gives the place of one that died to another', async () => {
    const { run, put, get } = await start();
    const dead = '99999999-9999-4999-8999-999999999999';
    const places = JSON.stringify({ Limit: 2, Holders: { [dead]: true, other: true } });
    await put('/v1/kv/a/.lock?flags=16210313421097356768', places);
    const { code, out } = await run('lock -n=2 -verbose a true');
    assert.equal(code, 0);
    assert.match(out, /^Setting up semaphore \(limit 2\) at prefix: a\n/);
    assert.match(out, /Cleanup succeeded\n$/);
    assert.equal((await get('/v1/kv/a/?recurse')).status, 404);
  });

  it('refuses a limit that is another than that of those who hold it, and keys of other use', async () => {
    const { run, put } = await start();
    const places = JSON.stringify({ Limit: 2, Holders: {} });
    await put('/v1/kv/a/.lock?flags=16210313421097356768', places);
    const limit = await run('lock -n=3 a true');
    const conflict = 'Lock acquisition failed: semaphore limit conflict (lock: 2, local: 3)\n';
    assert.deepEqual([limit.code, limit.err], [1, conflict]);
    await put('/v1/kv/b/.lock', 'text');
    const use = await run('lock -n=2 b true');
    const why = 'Lock acquisition failed: Existing key does not match semaphore use\n';
    assert.deepEqual([use.code, use.err], [1, why]);
  });
});
