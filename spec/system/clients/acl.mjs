/** What a program in Node asks of access control: every call that the package `consul` has for it, unchanged. */
import assert from 'node:assert/strict';
import Consul from 'consul';

const [host, port] = process.argv[2].split(':');
const as = (token) => new Consul({ host, port: Number(port), defaults: { token } });
const say = (line) => process.stdout.write(`${line}\n`);
let boss;

async function show(name, test) {
  try {
    await test(as(boss));
    say(`ok ${name}`);
  } catch (error) {
    process.exitCode = 1;
    say(`FAIL ${name}: ${error.message}`);
  }
}

const refused = (call) => assert.rejects(call, { statusCode: 403 });

await show('acl: bootstrap, once', async (client) => {
  boss = (await client.acl.bootstrap()).ID;
  await refused(client.acl.bootstrap());
});

await show('acl: replication', async ({ acl }) => {
  assert.equal((await acl.replication()).Enabled, false);
});

await show('acl: tokens of the older API', async ({ acl: { legacy } }) => {
  const rules = 'key "node/" { policy = "write" }';
  const { ID } = await legacy.create({ name: 'node', type: 'client', rules });
  const info = async () => await legacy.info(ID);
  const [made] = [await info()].flat();
  assert.equal(made.Name, 'node');
  await legacy.update({ id: ID, name: 'changed', type: 'client', rules });
  assert.equal([await info()].flat()[0].Name, 'changed');
  const copy = await legacy.clone(ID);
  const ids = (await legacy.list()).map((each) => each.ID);
  assert.ok(ids.includes(ID) && ids.includes(copy.ID));
  const own = as(ID);
  assert.equal(await own.kv.set('node/a', '1'), true);
  await refused(own.kv.set('other', '1'));
  await refused(own.acl.legacy.list());
  await legacy.destroy(copy.ID);
  await refused(as(copy.ID).kv.set('node/a', '1'));
  await legacy.destroy(ID);
  await refused(own.kv.get('node/a'));
});

await show('what a token may do, in its own words and those of each request', async () => {
  const stranger = as(undefined);
  await refused(stranger.kv.get('node/none'));
  await refused(stranger.kv.set('node/a', '1'));
  assert.equal(await stranger.kv.set({ key: 'node/a', value: '1', token: boss }), true);
  const service = { name: 'node-web', port: 80, check: { ttl: '10s' } };
  await refused(stranger.agent.service.register(service));
  await as(boss).agent.service.register(service);
  assert.deepEqual(await stranger.health.service('node-web'), []);
  await refused(stranger.agent.check.pass('service:node-web'));
  await refused(stranger.session.create());
  const { ID } = await as(boss).session.create();
  assert.deepEqual(await stranger.session.list(), []);
  await as(boss).session.destroy(ID);
  await refused(stranger.event.fire('node'));
  await as(boss).agent.service.deregister('node-web');
});
