import assert from 'node:assert/strict';
import {
  type Grants,
  grantsOf,
  type RoleRow,
  type TokenRow,
  textsOf,
  writeRole,
} from '../../web/core/access.ts';
import { changeToken } from '../../web/core/access-tokens.ts';

const GRANTS: Grants = {
  Policies: [{ ID: 'p-1', Name: 'readers' }],
  ServiceIdentities: [
    { ServiceName: 'web', Datacenters: ['dc2', 'dc3'] },
    { ServiceName: 'web' },
    { ServiceName: 'api', Datacenters: ['dc1'] },
  ],
  NodeIdentities: [
    { NodeName: 'n1', Datacenter: 'dc1' },
    { NodeName: 'n1', Datacenter: 'dc2' },
  ],
  TemplatedPolicies: [
    {
      TemplateName: 'builtin/service',
      TemplateVariables: { Name: 'web' },
      Datacenters: ['dc2', 'dc3'],
    },
    { TemplateName: 'builtin/service', TemplateVariables: { Name: 'api' }, Datacenters: ['dc2'] },
    { TemplateName: 'builtin/service', TemplateVariables: { Name: 'api' } },
    { TemplateName: 'builtin/dns', Datacenters: ['dc2'] },
    { TemplateName: 'builtin/dns' },
  ],
};
const ROLES = [{ ID: 'r-1', Name: 'all of it' }];
const INDEXES = { CreateIndex: 1, ModifyIndex: 2 };

describe('what a token or a role gives, in its form', () => {
  it('is sent back as it was where another thing is changed', () => {
    const token: TokenRow = {
      ...{ AccessorID: 'a', Description: 'old', Local: false, CreateTime: '', ...INDEXES },
      ...{ ...GRANTS, Roles: ROLES },
    };
    const draft = { ...textsOf(token), description: 'new', isLocal: false, ttl: '' };
    const { body } = changeToken(token, draft, 'dc1');
    assert.deepEqual(body, { Description: 'new', ...GRANTS, Roles: ROLES, Local: false });
    const role: RoleRow = { ID: 'r', Name: 'r', Description: 'old', ...INDEXES, ...GRANTS };
    const { body: changed } = writeRole(
      role,
      { ...textsOf(role), name: 'r', description: 'new' },
      'dc1',
    );
    assert.deepEqual(changed, { ID: 'r', Name: 'r', Description: 'new', ...GRANTS });
  });

  it('is all in its texts: what is deleted is made anew from them', () => {
    const { Policies: _, ...texts } = grantsOf(textsOf(GRANTS), {}, 'dc9');
    const { Policies: __, ...expected } = GRANTS;
    assert.deepEqual(texts, { Roles: [], ...expected });
  });

  it('counts where it is said to, whatever stood there before', () => {
    const texts = { ...textsOf({}), templates: ['builtin/service:api@dc1', 'builtin/dns'] };
    assert.deepEqual(grantsOf(texts, GRANTS, 'dc1').TemplatedPolicies, [
      { TemplateName: 'builtin/service', TemplateVariables: { Name: 'api' }, Datacenters: ['dc1'] },
      { TemplateName: 'builtin/dns' },
    ]);
  });

  it('keeps what no text says', () => {
    const odd = { TemplateName: 'builtin/x', TemplateVariables: { Name: 'web', More: 'm' } };
    const before: Grants = { TemplatedPolicies: [odd] };
    assert.deepEqual(grantsOf(textsOf(before), before, 'dc1').TemplatedPolicies, [odd]);
  });
});
