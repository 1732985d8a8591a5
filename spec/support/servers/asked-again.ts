/** What is asked for again and again, for specs of the fast path. */
import { getText, RawClient } from './raw-client.ts';
import { startServer, type TestServer } from './start-server.ts';

export const web = (node: string, over: object = {}) => ({
  Node: node,
  Address: '10.0.0.1',
  NodeMeta: { rack: 'a' },
  Service: { ID: 'web1', Service: 'web', Tags: ['v1'], Port: 80, Meta: { version: '1' } },
  Checks: [{ CheckID: 'alive', Name: 'alive', Status: 'passing', ServiceID: 'web1' }],
  ...over,
});

/** A server with a service and a key, and a client whose first message is over. */
export async function start(): Promise<TestServer & { client: RawClient }> {
  const server = await startServer();
  await server.put('/v1/catalog/register', web('n1'));
  await server.put('/v1/kv/a/b', 'x'.repeat(3000));
  const client = await RawClient.connect(server.port);
  // Node's server counts the time to a connection's first message, which is therefore parsed.
  await client.ask(getText('/v1/status/leader'));
  return { ...server, client };
}

export const READS = [
  '/v1/catalog/nodes',
  '/v1/catalog/nodes?near=_agent',
  '/v1/catalog/nodes?node-meta=rack:a',
  '/v1/catalog/services',
  '/v1/catalog/services?cached',
  '/v1/catalog/services?node-meta=rack:a',
  '/v1/catalog/service/web',
  '/v1/catalog/service/web?tag=v1&stale',
  '/v1/catalog/service/none',
  '/v1/catalog/connect/web',
  '/v1/catalog/node/n1',
  '/v1/catalog/node/none',
  '/v1/catalog/node-services/n1',
  '/v1/health/service/web?passing',
  '/v1/health/service/web?filter=Service.Port==80',
  '/v1/health/service/web?pretty',
  '/v1/health/service/web?consistent',
  '/v1/health/service/web?cached&index=0',
  '/v1/health/connect/web',
  '/v1/health/checks/web',
  '/v1/health/node/n1',
  '/v1/health/state/passing',
  '/v1/health/state/any?near=n1',
  '/v1/kv/a/b',
  '/v1/kv/a/b?raw',
  '/v1/kv/a?recurse',
  '/v1/kv/?keys&separator=/',
  '/v1/kv/none',
  '/v1/kv/none?recurse',
  '/v1/session/list',
  '/v1/session/node/n1',
  '/v1/coordinate/nodes',
];

export const SENDERS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  plainly: {},
  'with gzip': { 'Accept-Encoding': 'gzip' },
  'with a token': { 'X-Consul-Token': 'abc', Connection: 'keep-alive' },
};
