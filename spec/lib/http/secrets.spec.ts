import assert from 'node:assert/strict';
import { pathWithoutSecrets } from '../../../lib/http/secrets.ts';

describe('a path in the log', () => {
  const secret = '11111111-2222-3333-4444-555555555555';

  for (const before of ['info', 'destroy', 'clone', 'update', 'token', 'rules/translate']) {
    it(`does not say what follows /v1/acl/${before}`, () => {
      for (const path of [`/v1/acl/${before}/${secret}`, `/v1/acl/${before}/${secret}/clone`]) {
        assert.equal(pathWithoutSecrets(path), `/v1/acl/${before}/<hidden>`);
      }
    });
  }

  it('says all that is no secret', () => {
    for (const path of [
      '/v1/acl/token/self',
      '/v1/acl/policy/x',
      '/v1/kv/token/a',
      '/v1/acl/tokens',
    ]) {
      assert.equal(pathWithoutSecrets(path), path);
    }
  });
});
