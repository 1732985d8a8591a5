import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { type AclServer, MASTER, startAclServer } from '../../support/servers/acl-server.ts';
import { type People, startPeople } from '../../support/servers/https-people.ts';

const METHOD = '/v1/acl/auth-method';
const RULE = '/v1/acl/binding-rule';
const KEYS = '/keys';
const DISCOVERY = '/.well-known/openid-configuration';
const MINUTE_S = 60;

interface Signer {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

const ec = (): Signer => generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pemOf = ({ publicKey }: Signer) =>
  publicKey.export({ type: 'spki', format: 'pem' }).toString();
const jwkOf = ({ publicKey }: Signer, kid: string) => ({
  ...publicKey.export({ format: 'jwk' }),
  kid,
});

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

function signed({ privateKey }: Signer, claims: object, header: object = {}): string {
  const input = `${part({ alg: 'ES256', ...header })}.${part(claims)}`;
  const key = { key: privateKey, dsaEncoding: 'ieee-p1363' } as const;
  return `${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`;
}

const value = (name: string) => `$${`{value.${name}}`}`;

interface Started extends AclServer {
  readonly signer: Signer;
  readonly now: () => number;
  readonly login: (token: string) => ReturnType<AclServer['as']>;
  readonly configure: (config: object, over?: object) => ReturnType<AclServer['as']>;
}

/** A method `jwt` of one static key, and a rule that gives whoever it knows a service. */
async function start(
  config: object = {},
  rule: object = {},
  lines: string[] = [],
): Promise<Started> {
  const signer = ec();
  const keep = (line: string) => void lines.push(line);
  const logger = { error: keep, warn: keep, info: keep, debug: keep };
  const server = await startAclServer({}, logger);
  const configure = (Config: object, over: object = {}) =>
    server.as(MASTER, 'PUT', METHOD, { Name: 'jwt', Type: 'jwt', Config, ...over });
  const given = await configure({ JWTValidationPubKeys: [pemOf(signer)], ...config });
  assert.equal(given.status, 200, given.text);
  const base = { AuthMethod: 'jwt', BindType: 'service', BindName: 'web' };
  await server.master('PUT', RULE, { ...base, ...rule });
  const login = (BearerToken: string) =>
    server.as('', 'POST', '/v1/acl/login', { AuthMethod: 'jwt', BearerToken });
  const now = () => Math.floor(server.clock.now() / 1000);
  return { ...server, signer, now, login, configure };
}

const services = ({ json }: { readonly json: unknown }) =>
  (json as { ServiceIdentities?: { ServiceName: string }[] }).ServiceIdentities?.map(
    ({ ServiceName }) => ServiceName,
  );

describe('POST /v1/acl/login by a token of somebody whose key is known', () => {
  it('maps claims to names, and binds by them', async () => {
    const server = await start(
      {
        ClaimMappings: { team: 'team', '/user/na~1me': 'user', level: 'level', on: 'on' },
        ListClaimMappings: { groups: 'groups' },
      },
      {
        Selector: 'value.team==ops and a in list.groups',
        BindName: `${value('user')}-${value('level')}-${value('on')}`,
      },
    );
    const user = { 'na/me': 'ann' };
    const claims = { team: 'ops', user, level: 3.7, on: true, groups: ['b', 'a', 1] };
    const exp = server.now() + MINUTE_S;
    const given = await server.login(signed(server.signer, { exp, ...claims }));
    assert.deepEqual(services(given), ['ann-3-true']);
    const single = await server.login(signed(server.signer, { exp, ...claims, groups: 'a' }));
    assert.deepEqual(services(single), ['ann-3-true']);
    const none = await server.login(signed(server.signer, { exp, ...claims, groups: undefined }));
    assert.equal(none.text, 'Permission denied');
  });

  for (const [selector, claims] of [
    ['value.team matches `^$`', {}],
    ['value.unmapped matches `ops`', { unmapped: 'ops' }],
    ['value.team matches `ops`', {}],
    ['value.constructor matches `.`', {}],
    ['x in list.groups', { groups: [] }],
  ] as const) {
    it(`${selector} is asked of an empty claim where there is none`, async () => {
      const mappings = { ClaimMappings: { team: 'team' }, ListClaimMappings: { groups: 'groups' } };
      const server = await start(mappings, { Selector: selector });
      const exp = server.now() + MINUTE_S;
      const { status } = await server.login(signed(server.signer, { exp, ...claims }));
      assert.equal(status, selector.includes('^$') ? 200 : 403);
    });
  }

  for (const [claims, text] of [
    [
      { team: { a: 1 } },
      "error converting claim 'team' to string from unknown type map[string]interface {}",
    ],
    [{ team: ['a'] }, "error converting claim 'team' to string from unknown type []interface {}"],
    [{ groups: { a: 1 } }, '"groups" list claim could not be converted to string list'],
    [{ groups: [{}] }, 'value in "groups" list claim could not be parsed as string'],
  ] as const) {
    it(`refuses ${JSON.stringify(claims)}`, async () => {
      const mappings = { ClaimMappings: { team: 'team' }, ListClaimMappings: { groups: 'groups' } };
      const server = await start(mappings);
      const exp = server.now() + MINUTE_S;
      const answer = await server.login(signed(server.signer, { exp, ...claims }));
      assert.deepEqual([answer.status, answer.text], [500, text]);
    });
  }

  const FAILED = 'error validating claims: square/go-jose/jwt: validation failed,';
  for (const [what, claims, text] of [
    ['ended', () => ({ exp: -61 }), `${FAILED} token is expired (exp)`],
    ['ended within the skew of clocks', () => ({ exp: -59 }), ''],
    ['not valid yet', () => ({ exp: 999, nbf: 61 }), `${FAILED} token not valid yet (nbf)`],
    [
      'issued in the future',
      () => ({ exp: 999, nbf: 0, iat: 61 }),
      'error validating claims: square/go-jose/jwt: validation field, token issued in the future (iat)',
    ],
    ['of no end, issued long ago', () => ({ iat: -211 }), `${FAILED} token is expired (exp)`],
    ['of no end, issued just now', () => ({ iat: -209 }), ''],
    ['of no time', () => ({}), 'no issue time, notbefore, or expiration time encoded in token'],
  ] as const) {
    it(`judges a token that is ${what}`, async () => {
      const server = await start();
      const now = server.now();
      const times = Object.entries(claims()).map(([name, at]) => [name, now + (at as number)]);
      const answer = await server.login(signed(server.signer, Object.fromEntries(times)));
      assert.deepEqual(answer.status === 200 ? '' : answer.text, text);
    });
  }

  it('knows nobody by another issuer, another audience, or an audience that nobody asked for', async () => {
    const server = await start({ BoundIssuer: 'i', BoundAudiences: ['a'] });
    const exp = server.now() + MINUTE_S;
    const login = async (claims: object) =>
      (await server.login(signed(server.signer, { exp, ...claims }))).text;
    assert.match(await login({ aud: 'a' }), /invalid issuer claim/);
    assert.match(await login({ iss: 'I', aud: 'a' }), /invalid issuer claim/);
    assert.match(await login({ iss: 'i' }), /does not match any bound audience$/);
    assert.match(await login({ iss: 'i', aud: ['b'] }), /does not match any bound audience$/);
    assert.match(await login({ iss: 'i', aud: ['b', 'a'] }), /AccessorID/);
    await server.configure({ JWTValidationPubKeys: [pemOf(server.signer)] });
    assert.match(await login({ aud: 'a' }), /no audiences are bound$/);
  });

  it('knows nobody whose token is not signed by that key, however it is made', async () => {
    const server = await start();
    const claims = { exp: server.now() + MINUTE_S };
    const pem = pemOf(server.signer);
    const good = signed(server.signer, claims);
    const [head = '', body = '', signature = ''] = good.split('.');
    const hs = `${part({ alg: 'HS256' })}.${body}`;
    for (const token of [
      signed(ec(), claims),
      `${part({ alg: 'none' })}.${body}.`,
      `${part({ alg: 'none' })}.${body}.${signature}`,
      `${hs}.${createHmac('sha256', pem).update(hs).digest('base64url')}`,
      `${head}.${part({ ...claims, sub: 'other' })}.${signature}`,
      signed(server.signer, claims, { crit: ['x'], x: 1 }),
      signed(server.signer, { ...claims, exp: 'never' }),
      signed(server.signer, { ...claims, iss: 5 }),
      signed(ec(), claims, { jwk: jwkOf(ec(), 'k') }),
    ]) {
      const { status, text } = await server.login(token);
      assert.deepEqual(
        [status, text],
        [500, 'no known key successfully validated the token signature'],
      );
    }
    assert.equal((await server.login(good)).status, 200);
  });

  it('takes the algorithms alone that are named', async () => {
    const server = await start({ JWTSupportedAlgs: ['RS256'] });
    const { status } = await server.login(signed(server.signer, { exp: server.now() + MINUTE_S }));
    assert.equal(status, 500);
  });

  it('says nothing of a token, neither to who logs in nor to the log', async () => {
    const lines: string[] = [];
    const server = await start({ ClaimMappings: { team: 'team' } }, {}, lines);
    const exp = server.now() + MINUTE_S;
    const token = signed(server.signer, { exp, team: { planted: 'planted-claim' } });
    const answers = [await server.login(token), await server.login(`${token}x`)];
    const told = [...lines, ...answers.map(({ text }) => text)].join('\n');
    assert.equal(told.includes(token) || told.includes('planted'), false);
  });
});

describe('POST /v1/acl/login by a token of somebody who publishes keys', () => {
  async function startWith(config: (people: People) => object, keys: object[]) {
    const people = await startPeople();
    people.says.set(KEYS, { json: { keys } });
    people.says.set(DISCOVERY, { json: { issuer: people.url, jwks_uri: `${people.url}${KEYS}` } });
    const server = await start();
    const answer = await server.configure(config(people));
    assert.equal(answer.status, 200, answer.text);
    return { ...server, people };
  }
  const byKeys = ({ url, ca }: People) => ({ JWKSURL: `${url}${KEYS}`, JWKSCACert: ca });

  it('asks for the keys once in a while, and again for one that is not among them', async () => {
    const [first, second] = [ec(), ec()];
    const server = await startWith(byKeys, [jwkOf(first, '1')]);
    const { people } = server;
    const login = async (signer: Signer, kid: string) => {
      const claims = { exp: server.now() + MINUTE_S };
      return (await server.login(signed(signer, claims, { kid }))).status;
    };
    const asked = () => people.asked.length;
    const before = asked();
    assert.equal(await login(first, '1'), 200);
    assert.equal(await login(first, '1'), 200);
    assert.equal(asked(), before + 1);
    people.says.set(KEYS, { json: { keys: [jwkOf(second, '2')] } });
    // Not at once: whoever sends nonsense would have us ask each time.
    assert.equal(await login(second, '2'), 500);
    assert.equal(asked(), before + 1);
    await server.clock.advance(30_000);
    assert.equal(await login(second, '2'), 200);
    assert.equal(await login(first, '1'), 500);
    assert.equal(asked(), before + 2);
    await server.clock.advance(11 * 60_000);
    assert.equal(await login(second, '2'), 200);
    assert.equal(asked(), before + 3);
  });

  it('tries each key that it may be of, where it does not say which', async () => {
    const [first, second] = [ec(), ec()];
    const server = await startWith(byKeys, [jwkOf(first, '1'), jwkOf(second, '2')]);
    const claims = { exp: server.now() + MINUTE_S };
    assert.equal((await server.login(signed(second, claims))).status, 200);
    assert.equal((await server.login(signed(ec(), claims))).status, 500);
  });

  it('finds the keys by discovery, and knows tokens of that provider alone', async () => {
    const signer = ec();
    const server = await startWith(
      ({ url, ca }) => ({
        OIDCDiscoveryURL: url,
        OIDCDiscoveryCACert: ca,
        JWTSupportedAlgs: ['ES256'],
        BoundAudiences: ['a'],
      }),
      [jwkOf(signer, '1')],
    );
    const login = (iss: string, aud: string) =>
      server.login(signed(signer, { exp: server.now() + MINUTE_S, iss, aud }, { kid: '1' }));
    assert.equal((await login(server.people.url, 'a')).status, 200);
    assert.match((await login(server.people.url, 'b')).text, /bound audience$/);
    assert.match((await login('https://other', 'a')).text, /issued by a different provider/);
  });

  it('takes no method whose keys it cannot get, or only from one that it does not trust', async () => {
    const people = await startPeople();
    const server = await start();
    const url = `${people.url}${KEYS}`;
    for (const [config, why] of [
      [
        { JWKSURL: url, JWKSCACert: people.ca },
        /^Invalid Auth Method: error checking JWKSURL: .*404/,
      ],
      [{ JWKSURL: url }, /error checking JWKSURL: /],
      [{ JWKSURL: 'file:///etc/passwd' }, /unsupported protocol scheme "file"/],
      [{ OIDCDiscoveryURL: people.url, OIDCDiscoveryCACert: people.ca }, /OIDCDiscoveryURL: .*404/],
    ] as const) {
      const { status, text } = await server.configure(config);
      assert.equal(status, 500);
      assert.match(text, why);
    }
    people.says.set(DISCOVERY, { json: { issuer: 'https://other', jwks_uri: url } });
    const config = { OIDCDiscoveryURL: people.url, OIDCDiscoveryCACert: people.ca };
    assert.match((await server.configure(config)).text, /issuer did not match/);
    people.says.set(DISCOVERY, { json: { issuer: people.url, jwks_uri: 'http://plain/' } });
    assert.match((await server.configure(config)).text, /jwks_uri is not of https/);
  });
});

describe('PUT /v1/acl/auth-method of the type jwt', () => {
  it('takes no private key, and repeats none', async () => {
    const server = await start();
    const pem = server.signer.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const { status, text } = await server.configure({ JWTValidationPubKeys: [pem] });
    assert.equal(status, 500);
    assert.match(text, /does not contain any valid/);
    assert.equal(text.includes(pem.split('\n')[1] ?? ''), false);
  });

  it('reads names in any case and one text for a list of one, and refuses what nobody knows', async () => {
    const server = await start();
    const keys = pemOf(server.signer);
    assert.equal((await server.configure({ jwtvalidationpubkeys: keys })).status, 200);
    const unknown = await server.configure({ JWTValidationPubKeys: keys, Colour: 1, Shape: 2 });
    assert.match(unknown.text, /\* '' has invalid keys: Colour, Shape$/);
    const { text } = await server.configure({ JWTValidationPubKeys: keys }, { NamespaceRules: [] });
    assert.match(text, /unknown field "NamespaceRules"/);
  });
});
