/** Commands of access control, from pools as small as those of the others. */
import fc from 'fast-check';
import { MANAGEMENT_POLICY_ID } from '../../../lib/acl/model.ts';
import type { AclCommand } from '../../../server/acl-commands.ts';
import { policyNamed, roleNamed, tokenNamed } from '../acl-factories.ts';

const uuid = (n: number) => `00000000-0000-4000-b000-00000000000${n}`;
const POLICIES = [uuid(1), uuid(2), MANAGEMENT_POLICY_ID] as const;
const ROLES = [uuid(3), uuid(4)] as const;
const ACCESSORS = ['', uuid(5), uuid(6)] as const;
const SECRETS = [uuid(7), uuid(8), uuid(5)] as const;

const grants = {
  Policies: fc.subarray([...POLICIES]),
  ServiceIdentities: fc.constantFrom([], [{ ServiceName: 'web', Datacenters: null }]),
};
const name = fc.constantFrom('a', 'A', 'b', '__proto__');
const policy = fc
  .record({
    ID: fc.constantFrom(...POLICIES),
    Name: name,
    Rules: fc.constantFrom('', 'acl = "read"'),
  })
  .map(({ Name, ...over }) => policyNamed(Name, over));
const role = fc
  .record({ ID: fc.constantFrom(...ROLES), Name: name, ...grants })
  .map(({ Name, ...over }) => roleNamed(Name, over));
const token = fc
  .record({
    AccessorID: fc.constantFrom(...ACCESSORS),
    SecretID: fc.constantFrom(...SECRETS),
    Roles: fc.subarray([...ROLES]),
    Local: fc.boolean(),
    ...grants,
  })
  .map(({ SecretID, ...over }) => tokenNamed(SecretID, over));
const expiry = fc.constantFrom(
  { atMs: 0, ttlMs: 0 },
  { atMs: 5, ttlMs: 0 },
  { atMs: 0, ttlMs: 60_000 },
);

const METHODS = ['m', 'M', 'n'] as const;
const RULES = [uuid(8), uuid(9)] as const;
const method = fc.record({
  Name: fc.constantFrom(...METHODS),
  Type: fc.constantFrom('jwt', 'kubernetes'),
  DisplayName: fc.constantFrom('', 'd'),
  Description: fc.constant(''),
  MaxTokenTTL: fc.constantFrom(0, 60e9),
  TokenLocality: fc.constantFrom('' as const, 'global' as const),
  Config: fc.constantFrom({}, { BoundIssuer: 'i' }),
});
const rule = fc.record({
  ID: fc.constantFrom(...RULES),
  Description: fc.constantFrom('', 'd'),
  AuthMethod: fc.constantFrom(...METHODS),
  Selector: fc.constant(''),
  BindType: fc.constantFrom('service', 'role'),
  BindName: fc.constant('web'),
  BindVars: fc.constant(null),
});
const stoodAt = (ids: readonly string[]) =>
  fc.record({ id: fc.constantFrom(...ids), at: fc.nat(20) });
const loggedIn = fc
  .record({ made: token, AuthMethod: fc.constantFrom(...METHODS) })
  .map(({ made, AuthMethod }) => ({ ...made, AuthMethod }));

type Kinds = { readonly [T in AclCommand['type']]: [number, fc.Arbitrary<AclCommand>] };

export const ACL_KINDS: Kinds = {
  'begin-acl': [
    1,
    fc.record(
      { type: fc.constant('begin-acl'), policy, anonymous: token, token },
      { requiredKeys: ['type', 'policy', 'anonymous'] },
    ),
  ],
  'bootstrap-acl': [
    1,
    fc.record({ type: fc.constant('bootstrap-acl'), token, resetIndex: fc.nat(10) }),
  ],
  'set-acl-token': [
    3,
    fc.record({ type: fc.constant('set-acl-token'), token, expiry, update: fc.boolean() }),
  ],
  'set-legacy-token': [1, token.map((made) => ({ type: 'set-legacy-token', token: made }))],
  'delete-acl-token': [
    1,
    fc.record({
      type: fc.constant('delete-acl-token'),
      secret: fc.constantFrom(...SECRETS),
      accessor: fc.constantFrom(...ACCESSORS),
    }),
  ],
  'reap-acl-tokens': [
    1,
    fc.record({
      type: fc.constant('reap-acl-tokens'),
      term: fc.nat(20),
      accessors: fc.subarray([...ACCESSORS]),
    }),
  ],
  'set-acl-policy': [
    2,
    fc.record({ type: fc.constant('set-acl-policy'), policy, update: fc.boolean() }),
  ],
  'delete-acl-policy': [
    1,
    fc.constantFrom(...POLICIES).map((id) => ({ type: 'delete-acl-policy', id })),
  ],
  'set-acl-role': [2, fc.record({ type: fc.constant('set-acl-role'), role, update: fc.boolean() })],
  'delete-acl-role': [1, fc.constantFrom(...ROLES).map((id) => ({ type: 'delete-acl-role', id }))],
  'set-auth-method': [2, method.map((made) => ({ type: 'set-auth-method', method: made }))],
  'delete-auth-method': [
    1,
    fc.constantFrom(...METHODS).map((each) => ({ type: 'delete-auth-method', name: each })),
  ],
  'set-binding-rule': [
    2,
    fc.record({ type: fc.constant('set-binding-rule'), rule, update: fc.boolean() }),
  ],
  'delete-binding-rule': [
    1,
    fc.constantFrom(...RULES).map((id) => ({ type: 'delete-binding-rule', id })),
  ],
  login: [
    3,
    fc.record({
      type: fc.constant('login'),
      token: loggedIn,
      expiry,
      method: stoodAt(METHODS),
      decidedAt: fc.nat(20),
      rules: fc.array(stoodAt(RULES), { maxLength: 1 }),
    }),
  ],
};
