import assert from 'node:assert/strict';
import { commandLineOf } from '../../support/servers/command-line.ts';
import { startServer } from '../../support/servers/start-server.ts';
import { until } from '../../support/until.ts';

/** Consul's archives and Proconsul's are the same: a real one is asked by spec/system/import.system.ts. */
async function twoServers() {
  const [old, now] = [await startServer(), await startServer()];
  await old.put('/v1/kv/a', '1');
  await old.put('/v1/kv/dir/b?flags=18446744073709551615', Buffer.from([0, 255, 1]));
  const Service = { ID: 'db1', Service: 'db', Port: 5432 };
  await old.put('/v1/catalog/register', { Node: 'm', Address: '10.0.0.1', Service });
  for (const [Node, more] of [
    ['old-1', undefined],
    ['old-2', { Service: 'batch' }],
  ] as const) {
    const Address = '10.0.0.9';
    await old.put('/v1/catalog/register', { Node, Address, Service: { Service: 'consul' } });
    if (more !== undefined) await old.put('/v1/catalog/register', { Node, Address, Service: more });
  }
  return { old, now, run: commandLineOf(now.port), from: `127.0.0.1:${old.port}` };
}

const READS = ['/v1/kv/?recurse', '/v1/catalog/service/db', '/v1/query'];

/** Two servers in one process, on a machine that may be busy with others. */
const MOST_MS = 60_000;

describe('proconsul import-consul', function () {
  this.timeout(MOST_MS);
  // However a spec ends: what follows would follow for ever.
  let end: AbortController;
  beforeEach(() => {
    end = new AbortController();
  });
  afterEach(() => end.abort());

  it('copies everything, and says how much of what', async () => {
    const { old, now, run, from } = await twoServers();
    const { code, out, err } = await run(`import-consul ${from}`);
    assert.deepEqual([code, err], [0, '']);
    assert.match(out, /^Kind +Consul +Here\n/);
    assert.match(out, /^kv +2 +2$/m);
    assert.match(out, /\nCopied to index \d+\n$/);
    for (const path of READS) {
      const [before, after] = [await old.ask('GET', path), await now.ask('GET', path)];
      assert.equal(after.text, before.text);
    }
  });

  it("leaves Consul's servers out, and not what else is on their nodes", async () => {
    const { now, run, from } = await twoServers();
    await run(`import-consul ${from}`);
    const nodes = JSON.parse((await now.ask('GET', '/v1/catalog/nodes')).text);
    assert.deepEqual(
      nodes.map(({ Node }: { Node: string }) => Node),
      ['m', 'old-2'],
    );
    const services = (await now.ask('GET', '/v1/catalog/services')).text;
    assert.deepEqual(Object.keys(JSON.parse(services)).sort(), ['batch', 'db']);
  });

  it('replaces nothing of a cluster that is not new, unless that is meant', async () => {
    const { now, run, from } = await twoServers();
    await now.put('/v1/kv/mine', 'x');
    const refused = await run(`import-consul ${from}`);
    assert.equal(refused.code, 1);
    assert.match(refused.err, /^Error! The cluster is not new \(key: 1\), and an import replaces/);
    assert.equal((await now.ask('GET', '/v1/kv/mine?raw')).text, 'x');
    assert.equal((await run(`import-consul -force ${from}`)).code, 0);
    assert.equal((await now.ask('GET', '/v1/kv/mine')).status, 404);
  });

  it('follows until it is told to end, with what is written meanwhile', async () => {
    const { old, now, run, from } = await twoServers();
    const ran = run(`import-consul -follow -interval=1s ${from}`, { signal: end.signal });
    const key = async (name: string) => (await now.ask('GET', `/v1/kv/${name}?raw`)).text;
    await until(async () => (await key('a')) === '1', undefined, MOST_MS);
    await old.put('/v1/kv/later', '2');
    await until(async () => (await key('later')) === '2', undefined, MOST_MS);
    end.abort();
    assert.equal((await ran).code, 0);
  });

  it('follows no longer once somebody writes to the new cluster', async () => {
    const { old, now, run, from } = await twoServers();
    const ran = run(`import-consul -follow -interval=1s ${from}`, { signal: end.signal });
    const copied = async () => (await now.ask('GET', '/v1/kv/a')).status === 200;
    await until(copied, undefined, MOST_MS);
    await now.put('/v1/kv/a', 'moved');
    await old.put('/v1/kv/a', 'too late');
    const { code, err } = await ran;
    assert.equal(code, 1);
    assert.match(err, /^Somebody writes to the new cluster by now/);
    assert.equal((await now.ask('GET', '/v1/kv/a?raw')).text, 'moved');
  });

  it('says what it needs, and whom it cannot reach', async () => {
    const { run, from } = await twoServers();
    const none = await run('import-consul');
    assert.match(none.err, /^Say where one Consul is\n\nUsage: proconsul import-consul/);
    const soon = await run(`import-consul -interval=1ms ${from}`);
    assert.match(soon.err, /^-interval is a duration of a second or more: 1ms/);
    const gone = await run('import-consul 127.0.0.1:1');
    assert.match(gone.err, /^Error reading from Consul: Get "http:.*connection refused/);
    assert.equal(gone.code, 1);
  });
});
