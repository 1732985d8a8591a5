/** Whom the rules of intentions mean: those who show the certificate of that name, whatever is in it. */
import assert from 'node:assert/strict';
import { serviceUri } from '../../lib/connect/identity.ts';
import { namesLetIn, networkFilter } from '../../xds/resources/intentions.ts';
import { anyBut } from '../../xds/resources/text-patterns.ts';
import { seededRandom } from '../support/fakes/seeded-random.ts';

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

type Said = readonly (readonly [name: string, action: string])[];

const asSaid = (said: Said) => said.map(([SourceName, Action]) => ({ SourceName, Action }));

/** Whether TLS takes the certificate of that name, before a byte of the program's is heard. */
function connects(service: string, said: Said, byDefault = false): boolean {
  const names = namesLetIn({ intentions: asSaid(said), byDefault, trustDomain }, true);
  const uri = serviceUri({ trustDomain, namespace: 'default', datacenter: 'dc1', service });
  const patterns = names?.map((each) => (each['safe_regex'] as { regex: string }).regex);
  return patterns?.some((each) => new RegExp(each).test(uri)) ?? true;
}

function rulesFor(intentions: Said): object {
  const named = asSaid(intentions);
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

    it(`come through TLS, or do not, by it: ${name}`, () => {
      const denied: Said = [
        [name, 'deny'],
        ['wet', 'deny'],
      ];
      const others = ['other', 'we', 'webb', 'w', `${name}x`];
      assert.deepEqual(
        [name, 'wet', ...others].map((each) => connects(each, denied, true)),
        [false, false, ...others.map(() => true)],
      );
      const allowed: Said = [[name, 'allow']];
      assert.deepEqual(
        [name, ...others].map((each) => connects(each, allowed)),
        [true, ...others.map(() => false)],
      );
    });
  }

  it('come through TLS all where nobody is denied, and none where nobody is let in', () => {
    const open = { intentions: [], byDefault: true, trustDomain };
    assert.equal(namesLetIn(open, true), undefined);
    // An Envoy that takes no long pattern keeps them out by its filter alone, and so does any of a very long one.
    const denied = (name: string) => ({ ...open, intentions: asSaid([[name, 'deny']]) });
    assert.equal(namesLetIn(denied('web'), false), undefined);
    assert.equal(namesLetIn(denied('x'.repeat(20_001)), true), undefined);
    assert.equal(namesLetIn(denied('web'), true)?.length, 1);
    assert.equal(connects('web', []), false);
    assert.equal(connects('web', [['*', 'deny']], true), false);
    assert.equal(connects('web', [['web', '']], true), false);
    assert.equal(connects('\ufffd', [['\ud800', 'deny']], true), true);
  });

  it('are told from a set of texts by a pattern that says nothing of what is not there', () => {
    const random = seededRandom(7);
    const letters = ['a', 'b', '-', '.', ']', '^', '\\'];
    const text = () =>
      Array.from({ length: Math.floor(random.next() * 4) + 1 }, () => {
        return letters[Math.floor(random.next() * letters.length)];
      }).join('');
    for (let round = 0; round < 200; round++) {
      const texts = new Set(Array.from({ length: 5 }, text));
      const pattern = new RegExp(`^${anyBut(texts)}$`);
      for (const each of [...texts, ...Array.from({ length: 20 }, text)]) {
        assert.equal(pattern.test(each), !texts.has(each), `${[...texts]} ${each}`);
      }
    }
  });

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
