/** Which requests an Envoy lets in by an intention's permissions, and how large what it is told of them may be. */
import assert from 'node:assert/strict';
import { type Intention, type Permission, requestRules } from '../../xds/resources/intentions.ts';
import { seededRandom } from '../support/fakes/seeded-random.ts';

const trustDomain = '11111111-2222-4333-8444-555555555555.consul';

interface Rule {
  readonly any?: true;
  readonly url_path?: { readonly path: { readonly exact: string } };
  readonly not_rule?: Rule;
  readonly and_rules?: { readonly rules: readonly Rule[] };
  readonly or_rules?: { readonly rules: readonly Rule[] };
}

/** As Envoy judges. */
function matches(rule: Rule, path: string): boolean {
  const { not_rule, and_rules, or_rules, url_path } = rule;
  if (not_rule) return !matches(not_rule, path);
  if (and_rules) return and_rules.rules.every((each) => matches(each, path));
  if (or_rules) return or_rules.rules.some((each) => matches(each, path));
  return rule.any === true || url_path?.path.exact === path;
}

function filterOf(intentions: readonly Intention[], byDefault = false) {
  const left: string[] = [];
  const omit = (what: string, why: string) => void left.push(`${what}: ${why}`);
  const made = requestRules({ intentions, byDefault, trustDomain }, omit);
  const { rules } = made['rbac'] as {
    rules: { policies: Readonly<Record<string, { readonly permissions: readonly Rule[] }>> };
  };
  const isLetIn = (path: string) =>
    (rules.policies['of web']?.permissions ?? []).some((each) => matches(each, path));
  return { policies: rules.policies, isLetIn, left, size: JSON.stringify(made).length };
}

const fromWeb = (Permissions: readonly Permission[]) => [
  { SourceName: 'web', Action: '', Permissions },
];
const permission = (Action: string, PathExact: string): Permission => ({
  Action,
  HTTP: { PathExact },
});

describe('permissions', () => {
  it('let in whom the first that is about a request allows', () => {
    const random = seededRandom(11);
    const paths = ['/a', '/b', '/c', '/d'];
    for (let round = 0; round < 300; round++) {
      const said = Array.from({ length: Math.floor(random.next() * 8) }, () => {
        const path = paths[Math.floor(random.next() * paths.length)] ?? '';
        return permission(random.next() < 0.5 ? 'allow' : 'deny', path);
      });
      for (const byDefault of [true, false]) {
        const { isLetIn } = filterOf(fromWeb(said), byDefault);
        for (const path of paths) {
          const first = said.find(({ HTTP }) => HTTP?.PathExact === path);
          const isMeant = first === undefined ? byDefault : first.Action === 'allow';
          assert.equal(isLetIn(path), isMeant, JSON.stringify([said, path, byDefault]));
        }
      }
    }
  });

  it('are told in so many words as they are, however many allow', () => {
    const many = Array.from({ length: 4000 }, (_, i) => permission('allow', `/${i}`));
    const { size, isLetIn } = filterOf(fromWeb([permission('deny', '/x'), ...many]), true);
    assert.ok(size < 500_000, String(size));
    assert.deepEqual([isLetIn('/x'), isLetIn('/3999'), isLetIn('/y')], [false, true, true]);
  });

  it('are denied, and said, where what is denied before would be repeated too often', () => {
    const many = Array.from({ length: 4000 }, (_, i) =>
      permission(i % 2 === 0 ? 'deny' : 'allow', `/${i}`),
    );
    const { size, isLetIn, left } = filterOf(fromWeb(many), true);
    assert.ok(size < 4_000_000, String(size));
    assert.deepEqual([isLetIn('/1'), isLetIn('/3999'), isLetIn('/y')], [true, false, false]);
    assert.match(left.join('\n'), /^what is allowed last of web: .*it is denied$/m);
  });

  it('that cannot be told are named', () => {
    const { left } = filterOf(
      fromWeb([
        { Action: 'deny', HTTP: { PathRegex: '(' } },
        { Action: 'allow', HTTP: { PathExact: '/' }, JWT: {} },
      ]),
    );
    assert.deepEqual(left, [
      'permission 1 of web: "(" is no pattern of RE2: it denies all',
      'permission 2 of web: it asks for a JWT: it lets nobody in',
    ]);
  });

  it('of a service that is called `others` are its own', () => {
    const { policies } = filterOf([
      { SourceName: 'others', Action: 'allow' },
      { SourceName: '*', Action: '', Permissions: [permission('allow', '/health')] },
    ]);
    assert.deepEqual(
      Object.values(policies).map(({ permissions }) => permissions.length),
      [1, 1],
    );
    assert.deepEqual(Object.keys(policies), ['of others', 'all others']);
  });
});
