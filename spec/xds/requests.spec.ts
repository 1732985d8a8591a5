/** Which requests a permission is about, as Envoy judges them once it has normalized them. */
import assert from 'node:assert/strict';
import { boundedPattern } from '../../lib/regexp.ts';
import type { HttpMatch, ParamMatch } from '../../xds/resources/chain.ts';
import { requestOf } from '../../xds/resources/requests.ts';

interface Text {
  readonly exact?: string;
  readonly prefix?: string;
  readonly suffix?: string;
  readonly contains?: string;
  readonly ignore_case?: boolean;
  readonly safe_regex?: { readonly regex: string };
}

interface Rule {
  readonly any?: true;
  readonly url_path?: { readonly path: Text };
  readonly header?: {
    readonly name: string;
    readonly present_match?: true;
    readonly string_match?: Text;
    readonly invert_match?: boolean;
  };
  readonly not_rule?: Rule;
  readonly and_rules?: { readonly rules: readonly Rule[] };
  readonly or_rules?: { readonly rules: readonly Rule[] };
}

interface Asked {
  readonly method?: string;
  readonly path?: string;
  /** All values of each as Envoy joins them. */
  readonly headers?: Readonly<Record<string, string>>;
}

function isText({ exact, prefix, suffix, contains, ignore_case, safe_regex }: Text, said: string) {
  if (safe_regex) {
    // What begins to be literal may never end.
    const { regex } = safe_regex;
    const isOpen = regex.includes('\\Q') && !regex.includes('\\E');
    return boundedPattern(`^(?:${regex}${isOpen ? '\\E' : ''})$`, 1000).test(said);
  }
  const folded = (text: string) => (ignore_case === true ? text.toLowerCase() : text);
  const value = folded(said);
  if (prefix !== undefined) return value.startsWith(folded(prefix));
  if (suffix !== undefined) return value.endsWith(folded(suffix));
  if (contains !== undefined) return value.includes(folded(contains));
  return value === folded(exact ?? '');
}

function isMet(rule: Rule, asked: Asked): boolean {
  const { any, url_path, header, not_rule, and_rules, or_rules } = rule;
  if (any) return true;
  if (not_rule) return !isMet(not_rule, asked);
  if (and_rules) return and_rules.rules.every((each) => isMet(each, asked));
  if (or_rules) return or_rules.rules.some((each) => isMet(each, asked));
  if (url_path) return isText(url_path.path, asked.path ?? '/');
  const { name = '', present_match, string_match = {}, invert_match = false } = header ?? {};
  const value = name === ':method' ? (asked.method ?? 'GET') : asked.headers?.[name];
  if (present_match) return (value !== undefined) !== invert_match;
  return value !== undefined && isText(string_match, value) !== invert_match;
}

const allowed = (http: HttpMatch) => (asked: Asked) => isMet(requestOf(http, true) as Rule, asked);
const denied = (http: HttpMatch) => (asked: Asked) => isMet(requestOf(http, false) as Rule, asked);
const byRole = (how: Omit<ParamMatch, 'Name'>) => ({ Header: [{ Name: 'x-role', ...how }] });
const withRole = (role?: string) => ({ headers: role === undefined ? {} : { 'x-role': role } });

describe('requests that a permission is about', () => {
  it('are denied by one of several values of a header, and of a list in one', () => {
    for (const [how, met, others] of [
      [{ Exact: 'guest' }, ['guest', 'guest,guest', 'a,guest', 'a, guest'], ['guests', 'a', '']],
      [{ Exact: 'guest', IgnoreCase: true }, ['a,GUEST'], ['a']],
      [{ Prefix: 'g' }, ['a,guest', 'guest,a'], ['a,bg', 'ag']],
      [{ Suffix: 't' }, ['guest,a', 'a,guest'], ['a,ta']],
      [{ Regex: 'g.*t|x' }, ['a,guest', 'x,a', 'guest'], ['ax', 'a,b']],
      [{ Regex: 'a\\Q.' }, ['a.'], ['ab']],
      [{ Exact: 'a,b' }, ['a,b'], ['a', 'b']],
    ] as const) {
      const isDenied = denied(byRole(how));
      for (const role of met) assert.ok(isDenied(withRole(role)), `${JSON.stringify(how)} ${role}`);
      for (const role of [...others, undefined]) {
        assert.ok(!isDenied(withRole(role)), `${JSON.stringify(how)} ${role}`);
      }
    }
  });

  it('are allowed by no list of values in which one is kept out', () => {
    const isAllowed = allowed(byRole({ Exact: 'guest', Invert: true }));
    const said = ['a', 'guest', 'guest,guest', 'a,guest', undefined];
    const found = said.map((role) => isAllowed(withRole(role)));
    assert.deepEqual(found, [true, false, false, false, false]);
    const isDenied = denied(byRole({ Exact: 'admin', Invert: true }));
    const others = ['admin', 'admin,a', 'a', undefined].map((role) => isDenied(withRole(role)));
    assert.deepEqual(others, [false, true, true, true]);
  });

  it('are denied by a method in whatever case, and allowed as it is written', () => {
    const http = { Methods: ['PUT', 'DELETE'] };
    for (const method of ['DELETE', 'delete', 'Put']) assert.ok(denied(http)({ method }));
    assert.ok(!denied(http)({ method: 'DELETED' }));
    assert.deepEqual(
      ['PUT', 'put'].map((method) => allowed(http)({ method })),
      [true, false],
    );
  });

  it('are denied by a path with all codes that Envoy leaves as they are', () => {
    for (const [rule, met, others] of [
      ['/a b', ['/a%20b', '/a b'], ['/ab', '/a']],
      ['/ä', ['/%C3%A4', '/%c3%a4'], ['/a']],
      ['/a%2fb', ['/a/b'], ['/a', '/ab']],
      ['/%61dmin', ['/admin'], ['/dmin']],
      ['/a//b/./c', ['/a/b/c'], ['/a/b/d']],
      ['/a!(b)', ['/a!(b)', '/a%21%28b%29', '/a%21(b)'], ['/ab']],
      ['/%', ['/%', '/%25'], ['/a']],
    ] as const) {
      for (const http of [{ PathExact: rule }, { PathPrefix: rule }]) {
        const isDenied = denied(http);
        for (const path of met) assert.ok(isDenied({ path }), `${JSON.stringify(http)} ${path}`);
        for (const path of others)
          assert.ok(!isDenied({ path }), `${JSON.stringify(http)} ${path}`);
      }
      assert.ok(denied({ PathPrefix: rule })({ path: `${met[0]}/more` }));
      assert.ok(!denied({ PathExact: rule })({ path: `${met[0]}/more` }));
    }
  });

  it('are denied by a path of nothing but slashes, of which Envoy leaves two', () => {
    const found = ['/', '//', '/a'].map((path) => denied({ PathExact: '/' })({ path }));
    assert.deepEqual(found, [true, true, false]);
  });

  it('are no others where a prefix ends within a part of a path', () => {
    const isDenied = denied({ PathPrefix: '/.' });
    assert.deepEqual(
      ['/.git', '/x', '/'].map((path) => isDenied({ path })),
      [true, false, false],
    );
    const plain = { url_path: { path: { prefix: '/admin' } } };
    assert.deepEqual(requestOf({ PathPrefix: '/admin' }, false), plain);
  });
});
