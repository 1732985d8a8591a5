import assert from 'node:assert/strict';
import { MASTER, startAclServer } from '../../../support/servers/acl-server.ts';
import { startPeople } from '../../../support/servers/https-people.ts';

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const JWT = `${part({ alg: 'RS256' })}.${part({ sub: 'own' })}.b3du`;

describe('an archive', () => {
  it('keeps auth methods and binding rules', async () => {
    const { ca } = await startPeople();
    const from = await startAclServer();
    const Config = { Host: 'https://kube', CACert: ca, ServiceAccountJWT: JWT };
    const method = { Name: 'k8s', Type: 'kubernetes', MaxTokenTTL: '5m', TokenLocality: 'global' };
    await from.master('PUT', '/v1/acl/auth-method', { ...method, Config });
    const rule = { AuthMethod: 'k8s', Selector: 'serviceaccount.name==a', Description: 'd' };
    await from.master('PUT', '/v1/acl/binding-rule', {
      ...rule,
      BindType: 'templated-policy',
      BindName: 'builtin/service',
      BindVars: { Name: 'x' },
    });
    const shown = async ({ as }: typeof from) => [
      (await as(MASTER, 'GET', '/v1/acl/auth-method/k8s')).text,
      (await as(MASTER, 'GET', '/v1/acl/binding-rules')).text,
    ];
    const before = await shown(from);
    const archive = await fetch(`http://127.0.0.1:${from.port}/v1/snapshot`, {
      headers: { 'X-Consul-Token': MASTER },
    });
    const to = await startAclServer();
    const restored = await to.as(
      MASTER,
      'PUT',
      '/v1/snapshot',
      Buffer.from(await archive.arrayBuffer()),
    );
    assert.equal(restored.status, 200, restored.text);
    assert.deepEqual(await shown(to), before);
    assert.equal(before[1]?.includes('builtin/service'), true);
  });
});
