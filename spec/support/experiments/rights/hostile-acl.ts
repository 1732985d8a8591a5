/** Rules, selectors and bodies of access control that are made to harm whoever reads them. */
import { sign } from 'node:crypto';

/** More than a server takes. */
const MB = 1024 * 1024;
/** So deep that a reader which calls itself for each level has no room left. */
const DEEP = 20_000;

const around = (open: string, close: string, levels = DEEP) =>
  `${open.repeat(levels)}${close.repeat(levels)}`;
const many = <T>(n: number, each: (i: number) => T) => Array.from({ length: n }, (_, i) => each(i));

/** They are sent seldom: the time of others is part of what is looked at. */
export const HUGE_RULES: readonly string[] = [
  around('key "a" { ', '}'),
  around('{"key":', '}'),
  around('[', ']'),
  around('a = [', ']'),
  many(20_000, (i) => `key "k${i}" { policy = "read" }`).join('\n'),
  many(20_000, (i) => `service_prefix "${'s'.repeat(i % 30)}" { policy = "deny" }`).join('\n'),
  JSON.stringify({
    key: Object.fromEntries(many(20_000, String).map((k) => [k, { policy: 'read' }])),
  }),
  `key_prefix "${'a'.repeat(500_000)}" { policy = "read" }`,
  `operator = "${'x'.repeat(MB)}"`,
  '"'.repeat(100_000),
  '/*'.repeat(100_000),
  '#'.repeat(100_000),
  `a = <<EOF\n${'EO\n'.repeat(50_000)}`,
  '${'.repeat(50_000),
  'a = '.repeat(50_000),
  '\\u{'.repeat(50_000),
];

export const HOSTILE_RULES: readonly string[] = [
  '',
  'key_prefix "fuzz" { policy = "write" }',
  'key "fuzz" { policy = "write" } key "fuzz" { policy = "deny" }',
  'service "fuzz" { policy = "write" intentions = "odd" }',
  'key "\u0000" { policy = "read" }',
  'key "\\u0000" { policy = "read" }',
  '{"__proto__":{"policy":"write"}}',
  '{"key":{"__proto__":{"policy":"write"}}}',
  '{"key_prefix":{"fuzz":{"policy":"write","policy":"deny"}}}',
  '{"key":[{"fuzz":[{"policy":"write"}]}]}',
  'operator = write',
  'operator = "write" operator = "deny"',
  'acl = "manage"',
  'agent "" { policy = "list" }',
  'key_prefix "" { policy = "sudo" }',
  'partition "x" { key "y" { policy = "read" } }',
  'key "a" { sentinel { code = "x" } policy = "write" }',
  '\ufeffkey "a" { policy = "read" }',
  'key "a" { policy = "read"',
  'key "\ud800" { policy = "read" }',
  '<<',
  'key <<A { policy = "read" }\nA',
];

/** Selectors of binding rules, and filters of lists. */
export const HOSTILE_FILTERS: readonly string[] = [
  'value.team matches "(a+)+$"',
  'Name matches "^(a|a)*$"',
  'Name matches "(.*)*(.*)*(.*)*x"',
  'Name matches "(x{100}){100}"',
  `Name matches "${'('.repeat(5000)}"`,
  `Name matches "${'a?'.repeat(500)}${'a'.repeat(500)}"`,
  `Name == "${'a'.repeat(20_000)}"`,
  around('(', ')', 10_000),
  `${'not '.repeat(20_000)}Name == x`,
  'Name == x and '.repeat(5000),
  many(2000, (i) => `Name != x${i}`).join(' or '),
  'ops in list.groups and value.team == ops',
  'serviceaccount.name==web',
  '"" in ""',
  'Name == "\\',
  'Name == `',
  '"/a/~1/~0" == x',
  'value.__proto__ == x',
  'constructor == x',
  '\u0000',
];

const NAMES = [
  ...[
    'fuzz-0',
    'fuzz-1',
    'fuzz-2',
    'fuzz-3',
    '',
    'x'.repeat(300),
    'a b',
    '../x',
    '%2e',
    'ü',
    '\u0000',
  ],
  ...['__proto__', 'constructor', 'global-management', `$${'{value.team}'}`, `$${'{'.repeat(500)}`],
];

interface Drawing {
  readonly pick: <T>(list: readonly T[]) => T;
  readonly chance: () => number;
}

/** A token that has whatever of this was taken: its rights have to be worked out when it asks. */
export const LADEN = '1ade0000-0000-4000-8000-000000000000';
const LADEN_ACCESSOR = '1ade0000-0000-4000-8000-000000000001';

const VARIABLE = `$${'{value.team}'}`;

/** A body for each row of access control that takes one: whole, and now and then with something hostile in it. */
export function aclBody(path: string, { pick, chance }: Drawing, pem: string): object | string {
  const rules = () => pick(chance() < 0.04 ? HUGE_RULES : HOSTILE_RULES);
  // Mostly a good one, so that what else is in there is looked at too.
  const name = () =>
    chance() < 0.7 ? pick(['fuzz-0', 'fuzz-1', 'fuzz-2', 'fuzz-3']) : pick(NAMES);
  const link = () =>
    [{ Name: pick(['fuzz-0', 'fuzz-1', 'x', '']) }, { ID: pick(NAMES) }].slice(0, 1);
  const grants = () => ({
    Policies: link(),
    ServiceIdentities: [{ ServiceName: name(), Datacenters: pick([null, ['dc1'], ['']]) }],
    NodeIdentities: [{ NodeName: name(), Datacenter: 'dc1' }],
    TemplatedPolicies: [{ TemplateName: 'builtin/service', TemplateVariables: { Name: name() } }],
  });
  if (path.includes('rules/translate')) return rules();
  if (path.includes('templated-policy')) return { Name: name() };
  if (path.includes('/policy')) return { Name: name(), Rules: rules(), Datacenters: ['dc1'] };
  if (path.includes('/role')) return { Name: name(), Description: 'x', ...grants() };
  if (path.includes('/auth-method')) {
    const keys = { JWTValidationPubKeys: [pick([pem, '', 'x', `${pem}${pem}`])] };
    const url = 'https://127.0.0.1:1/';
    const more = pick([
      {},
      { ClaimMappings: { team: name(), '/a/b': 'b' } },
      { BoundAudiences: many(1000, String) },
      { OIDCDiscoveryURL: url },
      { JWKSURL: url, JWTValidationPubKeys: [] },
    ]);
    const type = pick(['jwt', 'jwt', 'kubernetes', 'oidc', 'odd', '']);
    return { Name: name(), Type: type, Config: { ...keys, ...more }, MaxTokenTTL: '1m' };
  }
  if (path.includes('/binding-rule')) {
    const bind = pick(['service', 'node', 'role', 'templated-policy', 'odd']);
    const bound = pick(['fuzz-0', VARIABLE, VARIABLE.repeat(2000), '${', name()]);
    const selector = pick([...HOSTILE_FILTERS, '']);
    return { AuthMethod: 'planted', Selector: selector, BindType: bind, BindName: bound };
  }
  if (path.includes('/token')) {
    const own = { AccessorID: LADEN_ACCESSOR, SecretID: LADEN };
    const ends = { ExpirationTTL: pick(['', '1h', '1ns', '-1s', 'x']) };
    return { Description: 'fuzz', ...grants(), ...pick([own, own, ends, {}]) };
  }
  if (/\/(?:create|update)$/.test(path)) {
    return { ID: 'fuzz-legacy', Name: 'fuzz', Type: pick(['client', 'odd']), Rules: rules() };
  }
  if (path.includes('oidc/auth-url'))
    return { AuthMethod: name(), RedirectURI: 'http://127.0.0.1:1/' };
  if (path.includes('oidc/callback')) return { AuthMethod: name(), State: name(), Code: name() };
  if (path.endsWith('/authorize')) {
    return many(pick([1, 64, 65]), () => ({
      Resource: pick(['key', 'acl', '']),
      Access: 'read',
      Segment: name(),
    }));
  }
  return { AuthMethod: 'planted', BearerToken: name() };
}

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Tokens of others: a right one, and many that are not. */
export function hostileJwts(
  privateKey: Parameters<typeof sign>[2],
  now: number,
): readonly string[] {
  const signed = (claims: unknown, header: object = {}) => {
    const input = `${part({ alg: 'ES256', ...header })}.${part(claims)}`;
    const key = { key: privateKey as string, dsaEncoding: 'ieee-p1363' } as const;
    return `${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`;
  };
  const claims = { iat: now, exp: now + 24 * 3600, team: 'fuzz-0', groups: ['ops'] };
  const good = signed(claims);
  const [head = '', body = '', signature = ''] = good.split('.');
  const unsigned = (alg: string) => `${part({ alg })}.${body}.`;
  return [
    good,
    signed({ ...claims, team: 'a'.repeat(2000) }),
    signed({ ...claims, team: 'a\u0000b', groups: many(2000, String) }),
    signed({ ...claims, team: JSON.parse(around('[', ']', 2000)) }),
    signed({ ...claims, team: { __proto__: null, a: 1 }, exp: '1e308' }),
    signed({ ...claims, exp: 1e308, nbf: -1e308, iat: 2 ** 53 }),
    signed({ ...claims, exp: now - 3600 }),
    signed({ ...claims, nbf: now + 7200 }),
    signed(null),
    signed([]),
    signed('x'),
    signed(claims, { kid: 'nobody-has-it' }),
    signed(claims, { kid: 'a\u0000b', crit: ['exp'], b64: false }),
    signed(claims, {
      jwk: { kty: 'EC' },
      jku: 'https://127.0.0.1:1/',
      x5u: 'https://127.0.0.1:1/',
    }),
    ...['none', 'None', 'HS256', 'RS256', '', 'ES256'].map(unsigned),
    `${head}.${part({ ...claims, team: 'other' })}.${signature}`,
    `${head}.${body}.${signature.slice(0, -2)}`,
    `${head}.${body}`,
    `${good}.${good}`,
    `${good}\u0000`,
    `${good} `,
    'x'.repeat(60_000),
    `${'a.'.repeat(10_000)}`,
    '..',
    '',
  ];
}
