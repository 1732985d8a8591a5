/** Calls every method that the package `consul` has, once, and says of each what came: a line of JSON. */
import { setTimeout as sleep } from 'node:timers/promises';
import Consul from 'consul';

const [host, port] = process.argv[2].split(':');
const client = (token) => new Consul({ host, port: Number(port), defaults: { token } });
const bare = client(undefined);
let all = bare;
const made = {};
const called = new Set();

const say = (method, fault) => process.stdout.write(`${JSON.stringify({ method, fault })}\n`);

async function run(method, options, keep) {
  called.add(method);
  try {
    const path = method.split('.');
    const name = path.pop();
    const room = path.reduce((part, each) => part[each], all);
    const result = await room[name](typeof options === 'function' ? options() : options);
    if (keep !== undefined) made[method] = result[keep];
    say(method, '');
  } catch (error) {
    say(method, String(error.message));
  }
}

await run('acl.bootstrap', undefined, 'SecretID');
all = client(made['acl.bootstrap']);
await run('acl.replication');
await run(
  'acl.legacy.create',
  { name: 'l', type: 'client', rules: 'key "" { policy = "read" }' },
  'ID',
);
const legacy = () => ({ id: made['acl.legacy.create'] });
await run('acl.legacy.info', legacy);
await run('acl.legacy.get', legacy);
await run('acl.legacy.update', () => ({
  ...legacy(),
  type: 'client',
  rules: 'key "a" { policy = "read" }',
}));
await run('acl.legacy.clone', legacy);
await run('acl.legacy.list');
await run('acl.legacy.destroy', legacy);

await run('agent.self');
await run('agent.members');
await run('agent.reload');
await run('agent.service.register', {
  name: 'node',
  id: 'node-1',
  port: 80,
  check: { ttl: '60s' },
});
await run('agent.service.list');
await run('agent.services');
await run('agent.service.maintenance', { id: 'node-1', enable: true, reason: 'r' });
await run('agent.check.register', { name: 'c', id: 'c', ttl: '60s' });
await run('agent.check.list');
await run('agent.checks');
for (const how of ['pass', 'warn', 'fail']) await run(`agent.check.${how}`, { id: 'c', note: 'n' });
await run('agent.check.deregister', { id: 'c' });
await run('agent.service.deregister', { id: 'node-1' });
await run('agent.maintenance', { enable: true, reason: 'r' });
await all.agent.maintenance({ enable: false });
const { DebugConfig } = await all.agent.self();
await run('agent.join', { address: `127.0.0.1:${DebugConfig.SerfPortLAN}` });
await run('agent.forceLeave', { node: 'nobody' });

const far = { id: 'far', service: 'far', port: 80 };
await run('catalog.register', { node: 'node-far', address: '10.1.2.3', service: far });
await run('catalog.datacenters');
await run('catalog.nodes');
await run('catalog.node.list');
await run('catalog.node.services', 'node-far');
await run('catalog.services');
await run('catalog.service.list');
await run('catalog.service.nodes', 'far');
await run('catalog.connect.nodes', 'far');
await run('health.node', 'node-far');
await run('health.checks', 'far');
await run('health.service', 'far');
await run('health.state', 'any');
await run('catalog.deregister', { node: 'node-far' });

await run('kv.set', { key: 'node/a', value: 'x' });
await run('kv.get', 'node/a');
await run('kv.keys', 'node/');
await run('kv.del', 'node/a');
await run('kv.delete', 'node/b');
await run('transaction.create', [{ KV: { Verb: 'set', Key: 'node/t', Value: 'eA==' } }]);
await run('session.create', { name: 'node' }, 'ID');
const session = () => made['session.create'];
await run('session.info', session);
await run('session.get', session);
await run('session.node', 'n1');
await run('session.list');
await run('session.renew', session);
await run('session.destroy', session);
await run('event.fire', { name: 'node', payload: 'x' });
await run('event.list');
await run('query.create', { name: 'node', service: { service: 'consul' } }, 'ID');
const query = () => ({ query: made['query.create'] });
await run('query.get', query);
await run('query.list');
await run('query.update', () => ({ ...query(), name: 'node', service: { service: 'consul' } }));
await run('query.execute', { query: 'node' });
await run('query.explain', { query: 'node' });
await run('query.destroy', query);
await run('status.leader');
await run('status.peers');

// A watch is a method too: it is asked for one change.
called.add('watch');
const watch = all.watch({
  method: all.kv.get,
  options: { key: 'node/watched' },
  backoffFactor: 100,
});
const seen = new Promise((resolve) => {
  watch.on('change', (data) => data?.Value === 'now' && resolve(''));
  watch.on('error', (error) => resolve(error.message));
});
await all.kv.set('node/watched', 'now');
say('watch', await Promise.race([seen, sleep(5000, 'it saw nothing')]));
watch.end();
await run('destroy');

function* methods(room, path = '', known = new Set([all])) {
  for (const [name, part] of Object.entries(room)) {
    const isRoom = typeof part === 'object' && part !== null && name !== 'consul';
    if (!isRoom || name.startsWith('_') || known.has(part)) continue;
    known.add(part);
    yield* methods(part, `${path}${name}.`, known);
  }
  for (const name of Object.getOwnPropertyNames(Object.getPrototypeOf(room))) {
    const isHelp = name === 'constructor' || name.startsWith('_') || name in Object.prototype;
    if (!isHelp && typeof room[name] === 'function') yield path + name;
  }
}
for (const method of methods(all)) if (!called.has(method)) say(method, 'nobody has called it');
process.exit();
