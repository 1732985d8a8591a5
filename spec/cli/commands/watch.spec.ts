import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commandLineOf } from '../../support/servers/command-line.ts';
import { startServer } from '../../support/servers/start-server.ts';
import { until } from '../../support/until.ts';

async function start() {
  const server = await startServer();
  return { ...server, run: commandLineOf(server.port) };
}

describe('proconsul watch', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'proconsul-watch-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const read = (name: string) => {
    try {
      return readFileSync(join(folder, name), 'utf8');
    } catch {
      return '';
    }
  };

  it('shows once what there is, where no program is named', async () => {
    const { run, put } = await start();
    assert.equal((await run('watch -type=key -key=a')).out, 'null\n');
    await put('/v1/kv/a', 'hello');
    const pair = JSON.parse((await run('watch -type=key -key=a')).out);
    assert.deepEqual([pair.Key, pair.Value], ['a', 'aGVsbG8=']);
    await put('/v1/catalog/register', {
      Node: 'other',
      Address: '10.0.0.1',
      Service: { Service: 'db', Tags: ['v1'] },
    });
    for (const [words, count] of [
      ['-type=keyprefix -prefix=a', 1],
      ['-type=nodes', 1],
      ['-type=service -service=db -tag=v1 -passingonly', 1],
      ['-type=service -service=db -tag=v2', 0],
      ['-type=checks', 0],
      ['-type=checks -service=db', 0],
      ['-type=event', 0],
    ] as const) {
      const { code, out } = await run(`watch ${words}`);
      assert.deepEqual([words, code, JSON.parse(out).length], [words, 0, count]);
    }
    const services = JSON.parse((await run('watch -type=services')).out);
    assert.deepEqual(services, { db: ['v1'] });
  });

  it('runs the program now and at each change, until it is told to end', async () => {
    const { run, put } = await start();
    await put('/v1/kv/a', 'one');
    const ending = new AbortController();
    const watching = run(`watch -type=key -key=a cat >>${folder}/seen`, { signal: ending.signal });
    await until(() => read('seen').includes('b25l'));
    await put('/v1/kv/a', 'two');
    await until(() => read('seen').includes('dHdv'));
    ending.abort();
    assert.deepEqual(await watching, { code: 0, out: '', err: '' });
    assert.equal(read('seen').split('\n').length, 3);
  });

  it('waits for no program when it is told to end: that one goes on, as in Consul', async () => {
    const { run, put } = await start();
    await put('/v1/kv/a', 'one');
    const ending = new AbortController();
    const program = `echo $$ >${folder}/pid; exec sleep 600`;
    const watching = run(`watch -type=key -key=a ${program}`, { signal: ending.signal });
    await until(() => /^\d+\n$/.test(read('pid')));
    ending.abort();
    assert.equal((await watching).code, 0);
    process.kill(Number(read('pid')));
  });

  it('gives the program the index, and ends where it fails', async () => {
    const { run, put } = await start();
    await put('/v1/kv/a', 'one');
    const { code, err } = await run(
      `watch -type=key -key=a echo $CONSUL_INDEX >${folder}/index; exit 3`,
    );
    assert.deepEqual([code, err], [1, 'Error executing handler: exit status 3\n']);
    assert.match(read('index'), /^\d+\n$/);
    const direct = await run('watch -type=key -key=a -shell=false /nowhere/at/all');
    assert.match(direct.err, /^Error executing handler: spawn \/nowhere\/at\/all ENOENT\n$/);
  });

  for (const [words, complaint] of [
    ['-type=nope', 'Unsupported watch type: nope'],
    ['-type=key', 'Must specify a single key to watch'],
    ['-type=keyprefix', 'Must specify a single prefix to watch'],
    ['-type=service', 'Must specify a single service to watch'],
    ['-type=checks -service=a -state=b', 'Cannot specify service and state'],
  ] as const) {
    it(`refuses '${words}' as Consul does`, async () => {
      const { run } = await start();
      const { code, err } = await run(`watch ${words}`);
      assert.deepEqual([code, err], [1, `${complaint}\n`]);
    });
  }
});
