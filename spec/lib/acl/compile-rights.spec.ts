import assert from 'node:assert/strict';
import fc from 'fast-check';
import { compileRights, type DefaultPolicy, ruleSet } from '../../../lib/acl/compile-rights.ts';
import { nodeRules, serviceRules } from '../../../lib/acl/identities.ts';
import { NameRules, type Rank } from '../../../lib/acl/name-rules.ts';
import { type Access, RESOURCES, type Resource } from '../../../lib/acl/rights.ts';
import { SEED } from '../../support/seed.ts';

const rightsOf = (text: string, fallback: DefaultPolicy = 'deny') =>
  compileRights([ruleSet(text)], fallback);

const NAMELESS: ReadonlySet<Resource> = new Set(['acl', 'keyring', 'mesh', 'operator', 'peering']);
const ACCESSES: readonly Access[] = ['read', 'list', 'write'];

/** Which accesses it grants. */
function granted(text: string, resource: Resource, name: string, fallback?: DefaultPolicy): string {
  const rights = rightsOf(text, fallback);
  return ACCESSES.filter((access) => rights.may(resource, access, name)).join(' ');
}

describe('rights', () => {
  for (const resource of RESOURCES) {
    if (resource === 'intention') continue;
    if (NAMELESS.has(resource)) {
      it(`to ${resource} are what its rule says, whatever the default`, () => {
        for (const fallback of ['allow', 'deny'] as const) {
          assert.equal(granted(`${resource} = "deny"`, resource, '', fallback), '');
          assert.equal(granted(`${resource} = "read"`, resource, '', fallback), 'read');
          assert.equal(granted(`${resource} = "write"`, resource, '', fallback), 'read list write');
        }
      });
      continue;
    }
    it(`to ${resource} are those of the name, else of the longest beginning, else the default`, () => {
      const text = `
        ${resource} "web" { policy = "read" }
        ${resource}_prefix "we" { policy = "deny" }
        ${resource}_prefix "w" { policy = "write" }`;
      assert.equal(granted(text, resource, 'web'), 'read');
      assert.equal(granted(text, resource, 'webs'), '');
      assert.equal(granted(text, resource, 'we'), '');
      assert.equal(granted(text, resource, 'wa'), 'read list write');
      assert.equal(granted(text, resource, 'x'), '');
      assert.equal(granted(text, resource, 'x', 'allow'), 'read list write');
      assert.equal(granted(text, resource, 'web', 'allow'), 'read');
    });
  }

  it('to keys have a list between read and write', () => {
    assert.equal(granted('key "a" { policy = "list" }', 'key', 'a'), 'read list');
  });

  it('by default never reach access control itself', () => {
    assert.equal(granted('', 'acl', '', 'allow'), '');
    assert.equal(granted('', 'operator', '', 'allow'), 'read list write');
  });

  it('to mesh and peering are those of the operator where nothing is said of them', () => {
    assert.equal(granted('operator = "read"', 'mesh', ''), 'read');
    assert.equal(granted('operator = "read" peering = "deny"', 'peering', ''), '');
  });

  it('of two rules about one name: deny wins, else the one that allows more', () => {
    const two = (a: string, b: string) =>
      ['deny', 'read', 'write'].filter((level) => {
        const sets = [a, b].map((policy) => ruleSet(`node "a" { policy = "${policy}" }`));
        const rights = compileRights(sets, 'deny');
        return level !== 'deny' && rights.may('node', level as Access, 'a');
      });
    assert.deepEqual(two('read', 'write'), ['read', 'write']);
    assert.deepEqual(two('write', 'read'), ['read', 'write']);
    assert.deepEqual(two('write', 'deny'), []);
    assert.deepEqual(two('deny', 'write'), []);
  });

  it('to intentions follow the service, as far as reading, unless its rule says otherwise', () => {
    assert.equal(granted('service "a" { policy = "write" }', 'intention', 'a'), 'read');
    assert.equal(granted('service "a" { policy = "deny" }', 'intention', 'a', 'allow'), '');
    const text = 'service "a" { policy = "read" intentions = "write" }';
    assert.equal(granted(text, 'intention', 'a'), 'read list write');
  });

  it('to the intentions of every service: any is enough to read, all are needed to write', () => {
    const one = 'service "a" { policy = "read" intentions = "write" }';
    const all = 'service_prefix "" { policy = "read" intentions = "write" }';
    assert.equal(granted(one, 'intention', '*'), 'read');
    assert.equal(granted(all, 'intention', '*'), 'read list write');
    const butOne = `${all} service "x" { policy = "read" intentions = "read" }`;
    assert.equal(granted(butOne, 'intention', '*'), 'read');
  });

  it('to all that begins so need the longest beginning above, and every rule below', () => {
    const rights = rightsOf(`
      key_prefix "a/" { policy = "write" }
      key_prefix "a/b/c" { policy = "read" }
      key "d/x" { policy = "deny" }`);
    assert.equal(rights.mayUnder('key', 'write', 'a/'), false);
    assert.equal(rights.mayUnder('key', 'write', 'a/b/'), false);
    assert.equal(rights.mayUnder('key', 'write', 'a/b/cd'), false);
    assert.equal(rights.mayUnder('key', 'read', 'a/b/cd'), true);
    assert.equal(rights.mayUnder('key', 'write', 'a/b/d'), true);
    assert.equal(rights.mayUnder('key', 'write', 'a'), false);
    const open = rightsOf('key "d/x" { policy = "read" }', 'allow');
    assert.equal(open.mayUnder('key', 'write', 'd'), false);
    assert.equal(open.mayUnder('key', 'write', 'e'), true);
  });

  it('to some name that begins so are there where one rule below gives them, or the longest above', () => {
    const letter = fc.constantFrom('a', 'b');
    const name = fc.string({ unit: letter, maxLength: 3 });
    const level = fc.constantFrom('deny', 'read', 'write');
    const rule = fc.record({ name, level, kind: fc.constantFrom('key', 'key_prefix') });
    const names = ['', 'a', 'b', 'aa', 'ab', 'ba', 'bb'].flatMap((from) => [
      ...['', 'a', 'b', 'c'].map((one) => from + one),
      ...['aa', 'ab', 'ac', 'ba', 'bb', 'bc'].map((two) => from + two),
    ]);
    fc.assert(
      fc.property(
        fc.array(rule, { maxLength: 5 }),
        fc.constantFrom<DefaultPolicy>('allow', 'deny'),
        name,
        (rules, fallback, prefix) => {
          const text = rules.map(
            (each) => `${each.kind} "${each.name}" { policy = "${each.level}" }`,
          );
          const rights = rightsOf(text.join('\n'), fallback);
          const some = [...names, `${prefix}c`, prefix].some(
            (each) => each.startsWith(prefix) && rights.may('key', 'read', each),
          );
          assert.equal(rights.mayAnyUnder('key', 'read', prefix), some, text.join(' '));
        },
      ),
      { seed: SEED },
    );
  });

  it('to any name at all are given by one rule, and by the default unless all is forbidden', () => {
    assert.equal(rightsOf('service "a" { policy = "write" }').mayAny('service', 'write'), true);
    assert.equal(rightsOf('service "a" { policy = "read" }').mayAny('service', 'write'), false);
    assert.equal(rightsOf('', 'allow').mayAny('service', 'write'), true);
    const none = 'service_prefix "" { policy = "deny" }';
    assert.equal(rightsOf(none, 'allow').mayAny('service', 'write'), false);
  });

  it('are to everything for management alone', () => {
    const named = ['agent', 'event', 'key', 'node', 'query', 'session'];
    const lines = named.map((name) => `${name}_prefix "" { policy = "write" }`);
    const text = `acl = "write" keyring = "write" operator = "write" ${lines.join(' ')}
      service_prefix "" { policy = "write" intentions = "write" }`;
    assert.equal(rightsOf(text).all, true);
    assert.equal(rightsOf(`${text} key "x" { policy = "read" }`).all, false);
    assert.equal(rightsOf(`${text} mesh = "read"`).all, false);
    assert.equal(rightsOf('', 'allow').all, false);
  });

  it('have one key, however the same rules are handed out', () => {
    const a = ruleSet('key "a" { policy = "read" }');
    const b = ruleSet(serviceRules('web'));
    const key = compileRights([a, b], 'deny').key;
    assert.equal(compileRights([b, a, b], 'deny').key, key);
    assert.notEqual(compileRights([a, b], 'allow').key, key);
    assert.notEqual(compileRights([a], 'deny').key, key);
    assert.notEqual(compileRights([ruleSet(a.text, 'legacy'), b], 'deny').key, key);
  });

  it('of a service are to itself, its sidecar, and to discover', () => {
    const rights = rightsOf(serviceRules('web'));
    assert.equal(rights.may('service', 'write', 'web-sidecar-proxy'), true);
    assert.equal(rights.may('service', 'write', 'web-sidecar'), false);
    assert.equal(rights.may('node', 'read', 'any'), true);
    assert.equal(rightsOf(nodeRules('n')).may('node', 'read', 'm'), false);
  });
});

describe(`the rules of names (seed ${SEED})`, () => {
  const names = fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 5 });
  const ranks = fc.constantFrom<Rank>(0, 1, 2, 3);
  const said = fc.array(fc.tuple(names, ranks), { maxLength: 12 }).map((list) => new Map(list));

  it('say the same as looking through them one by one', () => {
    const property = fc.property(said, said, names, (exact, prefix, name) => {
      const rules = new NameRules({ exact, prefix });
      const above = [...prefix].filter(([each]) => name.startsWith(each));
      const longest = above.sort(([a], [b]) => b.length - a.length)[0]?.[1];
      assert.equal(rules.rankOf(name), exact.get(name) ?? longest);
      const all = [...exact, ...prefix];
      const below = all.filter(([each]) => each.startsWith(name));
      for (const needed of [1, 2, 3] as const) {
        const allows = (rank: Rank | undefined) => (rank === undefined ? rank : rank >= needed);
        const forbids = below.some(([, rank]) => rank < needed);
        const expected = forbids ? false : allows(longest);
        assert.equal(allows(rules.rankUnder(name, needed)), expected);
        assert.equal(
          rules.allowsAny(needed),
          all.some(([, rank]) => rank >= needed),
        );
      }
    });
    fc.assert(property, { seed: SEED, numRuns: 1000 });
  });
});
