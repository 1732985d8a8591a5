/**
 * What .NET's library (the package `Consul`) sends, as Newtonsoft writes it: with a null for all that nobody
 * said, durations as nanoseconds or as Go's text, and its headers. It parses what comes back strictly.
 */
import assert from 'node:assert/strict';
import supertest from 'supertest';
import { startAgent } from '../../support/servers/agents.ts';
import { type Answer, startServer } from '../../support/servers/start-server.ts';

const headers = { Accept: 'application/json', 'Content-Type': 'application/json' };

const SERVICE = {
  ...{ ID: 'web-1', Service: 'web', Kind: null, Tags: ['a'], Port: 8000, Address: null },
  ...{ TaggedAddresses: null, EnableTagOverride: false, Meta: null, Proxy: null, Connect: null },
};
const CHECK = {
  ...{ Node: 'n', CheckID: 'c', Name: 'up', Status: 'passing', Notes: null, Output: null },
  ...{ ServiceID: 'web-1', ServiceName: null, ServiceTags: null, Type: null, Definition: null },
};
const NODE = { Node: 'n', Address: '10.0.0.1', Datacenter: null, TaggedAddresses: null };

/** `ulong.Parse` and `bool.Parse`: anything else is an exception of the whole call. */
function parses({ headers: told }: Answer): void {
  assert.match(String(told['x-consul-index']), /^[1-9]\d*$/);
  assert.match(String(told['x-consul-lastcontact']), /^\d+$/);
  assert.match(String(told['x-consul-knownleader']), /^(true|false)$/);
}

describe('what a program in .NET sends', () => {
  it('registers in the catalog, with a null for all that it does not say, and can read it', async () => {
    const { put, get } = await startServer();
    const body = { ...NODE, NodeMeta: null, Service: SERVICE, Check: CHECK, Checks: null };
    assert.equal((await put('/v1/catalog/register', body, { headers })).text, 'true');
    const answer = await get('/v1/health/service/web?passing=1', { headers });
    parses(answer);
    const [{ Service }] = answer.json as [{ Service: { Port: number; Tags: string[] } }];
    assert.deepEqual([Service.Port, Service.Tags], [8000, ['a']]);
    for (const path of ['catalog/nodes', 'catalog/services', 'catalog/service/none', 'kv/none']) {
      parses(await get(`/v1/${path}`, { headers }));
    }
  });

  it('makes sessions with delays in nanoseconds and TTLs as text, and locks with flags', async () => {
    const { put, get } = await startServer();
    await put('/v1/catalog/register', NODE, { headers });
    const session = {
      ...{ CreateIndex: 0, ID: null, Name: 'lock', Node: 'n', Checks: [], Behavior: 'release' },
      ...{ LockDelay: 15_000_000_000, TTL: '10s' },
    };
    const made = await put('/v1/session/create', session, { headers });
    const { ID } = made.json as { ID: string };
    const [read] = (await get(`/v1/session/info/${ID}`, { headers })).json as [object];
    const { LockDelay, TTL } = read as { LockDelay: number; TTL: string };
    assert.deepEqual([LockDelay, TTL], [15_000_000_000, '10s']);
    const flags = '3304740253564472344';
    const locked = await put(`/v1/kv/lock?flags=${flags}&acquire=${ID}`, 'x', { headers });
    assert.equal(locked.text, 'true');
    assert.match((await get('/v1/kv/lock', { headers })).text, new RegExp(`"Flags":${flags}\\b`));
  });

  it('sends transactions and prepared queries with all their fields', async () => {
    const { put, get, ask } = await startServer();
    const op = { Verb: 'set', Key: 'k', Value: 'dGVzdA==', Flags: 0, Index: 0, Session: null };
    const done = await put('/v1/txn', [{ KV: op }], { headers });
    assert.equal((done.json as { Errors: null }).Errors, null);
    const lock = { ...op, Verb: 'lock' };
    const refused = await put('/v1/txn', [{ KV: lock }], { headers });
    assert.match(refused.text, /missing session/);
    const query = {
      ...{ ID: null, Name: 'q', Session: null, Token: null, Template: null, DNS: { TTL: '10s' } },
      Service: {
        ...{ Service: 'web', Near: null, OnlyPassing: false, Tags: null, NodeMeta: null },
        Failover: { NearestN: 0, Datacenters: null },
      },
    };
    const body = JSON.stringify(query);
    assert.equal((await ask('POST', '/v1/query', { body, headers })).status, 200);
    parses(await get('/v1/query', { headers }));
  });

  it('registers at its agent with checks whose times are Go’s text, and beats', async () => {
    const { app, agent } = await startAgent();
    const check = {
      ...{ CheckID: null, Name: null, Status: 'critical', Notes: null, HTTP: null, TCP: null },
      ...{ TTL: '15s', Interval: null, Timeout: null, DeregisterCriticalServiceAfter: '1m30s' },
    };
    const service = { ...SERVICE, Service: undefined, Name: 'web', Check: check, Checks: null };
    await supertest(app).put('/v1/agent/service/register').set(headers).send(service).expect(200);
    await supertest(app)
      .put('/v1/agent/check/update/service:web-1')
      .set(headers)
      .send({ Status: 'passing', Output: 'fine' })
      .expect(200);
    assert.equal(agent.local.checks.get('service:web-1')?.definition.Status, 'passing');
    await supertest(app).get('/v1/agent/health/service/id/web-1').set(headers).expect(200);
  });
});
