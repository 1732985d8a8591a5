/** Whom the rules of intentions mean: those who show the certificate of that name, whatever is in it. */
import assert from 'node:assert/strict';
import { serviceUri } from '../../lib/connect/identity.ts';
import { networkFilter } from '../../xds/resources/intentions.ts';

const trustDomain = '11111111-2222-4333-8444-555555555555.consul';
const NAMES = [
  'web',
  'a.b',
  'pay:v1',
  'a+b',
  'a@b',
  'a$b',
  'a&b=c',
  'a b',
  'Ünï',
  'a(b)*',
  'x%2Fy',
];

/** The names of which this one lets in whoever shows their certificate. */
function letsIn(service: string, rules: object): boolean {
  const uri = serviceUri({ trustDomain, namespace: 'default', datacenter: 'dc1', service });
  const isMeant = (each: {
    authenticated?: { principal_name: { safe_regex: { regex: string } } };
    and_ids?: { ids: readonly { not_id: object }[] };
    any?: boolean;
  }): boolean => {
    if (each.any === true) return true;
    if (each.and_ids !== undefined) return each.and_ids.ids.every(({ not_id }) => !isMeant(not_id));
    return new RegExp(each.authenticated?.principal_name.safe_regex.regex ?? '^$').test(uri);
  };
  const { policies } = rules as { policies: Record<string, { principals: never[] }> };
  return Object.values(policies).some(({ principals }) => principals.some(isMeant));
}

function rulesFor(intentions: readonly (readonly [name: string, action: string])[]): object {
  const named = intentions.map(([SourceName, Action]) => ({ SourceName, Action }));
  const { typed_config } = networkFilter('x', { intentions: named, byDefault: false, trustDomain });
  return (typed_config as { rules: object }).rules;
}

describe('callers of an Envoy', () => {
  for (const name of NAMES) {
    it(`are kept out, or let in, by the name that they have: ${name}`, () => {
      const denying = rulesFor([
        [name, 'deny'],
        ['*', 'allow'],
      ]);
      assert.deepEqual([letsIn(name, denying), letsIn('other', denying)], [false, true]);
      const allowing = rulesFor([[name, 'allow']]);
      assert.deepEqual([letsIn(name, allowing), letsIn('other', allowing)], [true, false]);
    });
  }

  it('are judged though a rule is about a name that no certificate holds', () => {
    const rules = rulesFor([
      ['\ud800', 'allow'],
      ['web', 'deny'],
      ['*', 'allow'],
    ]);
    assert.deepEqual([letsIn('web', rules), letsIn('other', rules)], [false, true]);
    assert.equal(letsIn('\ufffd', rulesFor([['\ud800', 'allow']])), false);
  });
});
