import assert from 'node:assert/strict';
import { pathWithoutSecrets, withoutSecrets } from '../../../lib/http/secrets.ts';

describe('a path in the log', () => {
  const secret = '11111111-2222-3333-4444-555555555555';

  for (const before of ['info', 'destroy', 'clone', 'update', 'token', 'rules/translate']) {
    it(`does not say what follows /v1/acl/${before}`, () => {
      for (const path of [`/v1/acl/${before}/${secret}`, `/v1/acl/${before}/${secret}/clone`]) {
        assert.equal(pathWithoutSecrets(path), `/v1/acl/${before}/<hidden>`);
      }
    });
  }

  it('hides each of several tokens that came as one header', () => {
    const message = {
      url: '/v1/kv/a',
      headers: { 'x-consul-token': `${secret}, other-token-here` },
    };
    const said = withoutSecrets(`not ${secret} nor other-token-here`, message);
    assert.equal(said.includes(secret) || said.includes('other-token-here'), false, said);
  });

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

  it('has no second name by which it is said', () => {
    for (const path of [
      '/v1/acl/%69nfo/x',
      '/v1//acl/info/x',
      '/v1/./acl/info/x',
      '/v1/acl/info/%zz',
    ]) {
      assert.equal(pathWithoutSecrets(path), '/v1/acl/info/<hidden>', path);
    }
  });

  it('says an id that is known to be one', () => {
    const isKnownId = (id: string) => id === secret;
    const path = `/v1/acl/token/${secret}/clone`;
    assert.equal(pathWithoutSecrets(path, isKnownId), path);
    assert.equal(
      pathWithoutSecrets(`/v1/acl/token/x${secret}`, isKnownId),
      '/v1/acl/token/<hidden>',
    );
  });
});

describe('what an error says', () => {
  it('is as it was where the header of a token holds none', () => {
    for (const authorization of ['Bearer ', 'bearer    ', 'Bearer a']) {
      const message = { url: '/v1/kv/a', headers: { authorization } };
      assert.equal(withoutSecrets('it broke', message), 'it broke');
    }
  });
});
