/** What a program in Node says to Consul: the package `consul`, unchanged. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import Consul from 'consul';

const [host, port] = process.argv[2].split(':');
const client = new Consul({ host, port: Number(port) });
const say = (line) => process.stdout.write(`${line}\n`);

async function show(name, test) {
  try {
    await test();
    say(`ok ${name}`);
  } catch (error) {
    process.exitCode = 1;
    say(`FAIL ${name}: ${error.message}`);
  }
}

await show('kv: set, get, cas, keys, delete', async () => {
  assert.equal(await client.kv.set('node/a', '1'), true);
  const { Value, ModifyIndex } = await client.kv.get('node/a');
  assert.equal(Value, '1');
  assert.equal(await client.kv.set({ key: 'node/a', value: '2', cas: ModifyIndex }), true);
  // This library hands a `false` on as undefined, from a real Consul too.
  assert.ok(!(await client.kv.set({ key: 'node/a', value: '3', cas: ModifyIndex })));
  assert.deepEqual(await client.kv.keys('node/'), ['node/a']);
  assert.equal(await client.kv.del({ key: 'node/', recurse: true }), true);
  assert.equal(await client.kv.get('node/a'), undefined);
});

await show('session: lock, release, renew, destroy', async () => {
  const { ID } = await client.session.create({ ttl: '10s', lockdelay: '1s' });
  assert.equal(await client.kv.set({ key: 'node-lock', value: 'x', acquire: ID }), true);
  assert.equal(await client.kv.set({ key: 'node-lock', value: 'x', release: ID }), true);
  const [renewed] = await client.session.renew(ID);
  assert.equal(renewed.ID, ID);
  await client.session.destroy(ID);
});

await show('agent: register with a TTL check, pass it, find it passing', async () => {
  await client.agent.service.register({ name: 'node-web', port: 80, check: { ttl: '10s' } });
  await client.agent.check.pass('service:node-web');
  let found = [];
  for (let i = 0; i < 50 && found.length === 0; i++) {
    found = await client.health.service({ service: 'node-web', passing: true });
    await sleep(100);
  }
  assert.equal(found[0]?.Service.Port, 80);
  await client.agent.service.deregister('node-web');
});

await show('watch: sees each value of a key', async () => {
  const watch = client.watch({ method: client.kv.get, options: { key: 'node-watched' } });
  const seen = [];
  watch.on('change', (row) => row && seen.push(row.Value));
  for (const value of ['one', 'two']) {
    await client.kv.set('node-watched', value);
    for (let i = 0; i < 100 && seen.at(-1) !== value; i++) await sleep(50);
  }
  watch.end();
  assert.deepEqual(seen, ['one', 'two']);
});

await show('catalog, transaction, events, status', async () => {
  assert.ok((await client.catalog.node.list()).length > 0);
  assert.ok('consul' in (await client.catalog.service.list()));
  const ops = [{ KV: { Verb: 'set', Key: 'node-txn', Value: 'eA==' } }];
  assert.equal((await client.transaction.create(ops)).Errors, null);
  assert.equal((await client.event.fire('node', 'x')).Name, 'node');
  assert.notEqual(await client.status.leader(), '');
});
