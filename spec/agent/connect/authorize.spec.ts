import assert from 'node:assert/strict';
import supertest from 'supertest';
import type { Matched } from '../../../lib/connect/authorization.ts';
import { FakeAccess, MASTER } from '../../support/fakes/fake-access.ts';
import { noAuthority } from '../../support/fakes/no-authority.ts';
import { startAgent } from '../../support/servers/agents.ts';

const allowed = (SourceName: string): Matched => ({
  ID: 'i',
  SourceNS: 'default',
  SourceName,
  DestinationNS: 'default',
  DestinationName: 'db',
  Action: 'allow',
  Precedence: 9,
});

const RULES = { db: 'service "db" { policy = "write" }' };

async function start(policy: 'allow' | 'deny') {
  const access = new FakeAccess(RULES);
  const { app } = await startAgent(`acl { enabled = true, default_policy = "${policy}" }`, {
    access,
    authority: {
      ...noAuthority,
      intentionsOn: async () => ({ intentions: [allowed('web')], isHit: false }),
    },
  });
  return async (token: string, caller: string) => {
    const ClientCertURI = `spiffe://t.consul/ns/default/dc/dc1/svc/${caller}`;
    const { body } = await supertest(app)
      .post('/v1/agent/connect/authorize')
      .set('X-Consul-Token', token)
      .send({ Target: 'db', ClientCertURI })
      .expect(200);
    return (body as { Authorized: boolean }).Authorized;
  };
}

describe('/v1/agent/connect/authorize under access control', () => {
  it('goes by the default policy where no intention is about a call, whatever the token may do', async () => {
    const byPolicy = { deny: await start('deny'), allow: await start('allow') };
    for (const token of [MASTER, 'db']) {
      assert.equal(await byPolicy.deny(token, 'other'), false);
      assert.equal(await byPolicy.allow(token, 'other'), true);
    }
  });

  it('takes nobody for another whose name is written in other letters', async () => {
    const isAuthorized = await start('deny');
    assert.equal(await isAuthorized('db', 'web'), true);
    assert.equal(await isAuthorized('db', 'WEB'), false);
  });
});
