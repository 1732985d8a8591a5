import assert from 'node:assert/strict';
import { startServer } from '../../support/servers/start-server.ts';

/** In place of each value of a body: what no JavaScript number holds, and what is of another type. */
const STRANGE = [
  '12345678901234567890',
  '-9223372036854775808',
  '1e300',
  '"3000h"',
  '"-3000h"',
  '[]',
];

const service = { ID: 'w', Service: 'w', Port: 1, Weights: { Passing: 1, Warning: 1 } };
const definition = { TTL: '1s', Interval: '1s', DeregisterCriticalServiceAfter: '1s' };
const check = { CheckID: 'c', Name: 'c', ServiceID: 'w', Status: 'critical' };
const path = { Path: '/x', ListenerPort: 1, LocalPathPort: 2 };
const retries = { NumRetries: 1, RetryOnStatusCodes: [500], RequestTimeout: '1s' };
const config = (Kind: string, over: object) =>
  ['PUT', '/v1/config', { Kind, Name: 'w', ...over }] as const;

const WRITTEN: readonly (readonly ['PUT' | 'POST', string, object])[] = [
  [
    'PUT',
    '/v1/catalog/register',
    {
      Node: 'n',
      Address: '10.0.0.1',
      NodeMeta: { a: 'b' },
      Service: { ...service, Proxy: { DestinationServiceName: 'w', Config: { a: 1 } } },
      Check: { ...check, Definition: definition },
    },
  ],
  ['PUT', '/v1/session/create', { Node: 'n', Checks: [], LockDelay: '1s', TTL: '10s' }],
  [
    'PUT',
    '/v1/txn',
    [
      { KV: { Verb: 'set', Key: 'k', Value: '', Flags: 5, Index: 1 } },
      { Service: { Verb: 'set', Node: 'n', Service: service } },
      { Check: { Verb: 'set', Check: { ...check, Node: 'n', Definition: definition } } },
    ],
  ],
  [
    'POST',
    '/v1/query',
    { Service: { Service: 'w', Failover: { NearestN: 1 } }, DNS: { TTL: '10s' } },
  ],
  [
    'PUT',
    '/v1/coordinate/update',
    { Node: 'n', Coord: { Vec: [0, 0, 0, 0, 0, 0, 0, 0], Error: 1.5, Height: 1, Adjustment: 0 } },
  ],
  ['PUT', '/v1/operator/kv-revisions', { Prefixes: ['k'], Count: 5, MaxAge: '1h', MaxBytes: 1000 }],
  [
    'PUT',
    '/v1/operator/autopilot/configuration',
    { LastContactThreshold: '1s', MaxTrailingLogs: 250, ServerStabilizationTime: '1s' },
  ],
  [
    'POST',
    '/v1/connect/intentions',
    { SourceName: 'a', DestinationName: 'w', Action: 'allow', Meta: { a: 'b' }, DefaultPort: 1 },
  ],
  config('proxy-defaults', { Config: { protocol: 'http', a: 1 }, MeshGateway: { Mode: 'local' } }),
  config('service-defaults', { Protocol: 'http', Expose: { Checks: true, Paths: [path] } }),
  config('service-resolver', {
    ConnectTimeout: '5s',
    Subsets: { v1: { Filter: 'Service.Meta.v == 1', OnlyPassing: true } },
    Failover: { '*': { Service: 'b', Datacenters: ['dc2'] } },
  }),
  config('service-splitter', { Splits: [{ Weight: 100, Service: 'w' }] }),
  config('service-router', { Routes: [{ Destination: retries }] }),
  config('service-intentions', { Sources: [{ Name: 'a', Action: 'allow' }] }),
];

const READ = [
  '/v1/health/state/any',
  '/v1/catalog/nodes?near=n',
  '/v1/session/list',
  '/v1/query',
  '/v1/operator/kv-revisions',
  '/v1/operator/autopilot/configuration',
  '/v1/connect/intentions',
  '/v1/config/',
];

/** The body with one of its values in place of each. */
function* changed(body: unknown, strange: string): Iterable<string> {
  const whole = JSON.stringify(body);
  let leaves = 0;
  const count = (_: string, value: unknown) => {
    if (typeof value !== 'object') leaves++;
    return value;
  };
  JSON.stringify(body, count);
  for (let nth = 0; nth < leaves; nth++) {
    let at = 0;
    const put = (_: string, value: unknown) =>
      typeof value !== 'object' && at++ === nth ? '@' : value;
    yield JSON.stringify(body, put).replace('"@"', () => strange);
  }
  yield whole;
}

const isFine = ({ text }: { readonly text: string }, of: string) =>
  assert.notEqual(text, 'Internal error', of);

/** A lock is held by it, and let go of when it ends. */
async function lockBy(session: string, put: Awaited<ReturnType<typeof startServer>>['put']) {
  assert.equal((await put(`/v1/kv/${session}?acquire=${session}`)).text, 'true');
  assert.equal((await put(`/v1/session/destroy/${session}`)).status, 200);
}

/** A command that ends who applies it is in the log, and ends each server that reads it. */
describe('strange values in a body', () => {
  for (const [method, at, body] of WRITTEN) {
    const { Kind = '' } = body as { Kind?: string };
    it(`end no server, and are no error of its own: ${at} ${Kind}`, async () => {
      const { ask, put, get } = await startServer();
      await put('/v1/catalog/register', { Node: 'n', Address: '10.0.0.1' });
      for (const each of STRANGE.flatMap((strange) => [...changed(body, strange)])) {
        const answer = await ask(method, at, { body: each });
        isFine(answer, each);
        isFine(await put('/v1/kv/k', each), each);
        const [, session] = /^{"ID":"([^"]+)"}$/.exec(answer.text) ?? [];
        if (at === '/v1/session/create' && session !== undefined) await lockBy(session, put);
      }
      for (const value of ['a', 'b']) assert.equal((await put('/v1/kv/k', value)).text, 'true');
      for (const path of READ) isFine(await get(path), path);
    }).timeout(120_000);
  }
});
