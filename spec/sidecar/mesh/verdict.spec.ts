import assert from 'node:assert/strict';
import { PermissionList, Verdicts } from '../../../sidecar/mesh/verdict.ts';

const asked = (path: string, method = 'GET', fields: readonly string[] = []) => ({
  ...{ path, method, fields },
  authority: 'x',
});
const list = (permissions: readonly object[], byDefault = false) => {
  const all = new PermissionList(permissions, byDefault);
  const permitted = (request: ReturnType<typeof asked>) => all.permitted(request);
  return {
    permitted,
    allows: (request: Parameters<typeof permitted>[0]) => typeof permitted(request) !== 'string',
  };
};
const rule = (Action: string, HTTP: object) => ({ Action, HTTP });

describe('what an intention says of a request', () => {
  it('is what the first permission says that is about it, or the default', () => {
    const all = list([
      rule('deny', { PathPrefix: '/admin', Methods: ['PUT'] }),
      rule('allow', { PathPrefix: '/admin', Header: [{ Name: 'X-Role', Exact: 'chief' }] }),
      rule('deny', { PathPrefix: '/admin' }),
      rule('allow', { PathExact: '/' }),
    ]);
    const chief = ['x-role', 'chief'];
    assert.equal(all.allows(asked('/admin', 'PUT', chief)), false);
    assert.equal(all.allows(asked('/admin', 'GET', chief)), true);
    assert.equal(all.allows(asked('/admin')), false);
    assert.equal(all.allows(asked('/?q')), true);
    assert.equal(all.allows(asked('/other')), false);
    assert.equal(list([rule('deny', { PathExact: '/x' })], true).allows(asked('/other')), true);
  });

  for (const path of [
    ...['/x/../admin', '/./admin', '//admin', '/%61dmin', '/x/%2e%2e/admin', '/x/..%2fadmin'],
    ...['/%2Fadmin', '/x\\..\\admin', '/%5cadmin', '/x/.%2e/admin/y', '/..//admin?q'],
  ]) {
    it(`is said of ${path} as of what a program may take it for`, () => {
      assert.equal(list([rule('deny', { PathPrefix: '/admin' })], true).allows(asked(path)), false);
      assert.equal(list([rule('allow', { PathPrefix: '/x' })]).allows(asked(path)), false);
    });
  }

  it('goes on by the path that was judged, and by none that may be read in two ways', () => {
    const all = list([rule('deny', { PathPrefix: '/admin' }), rule('allow', { PathPrefix: '/' })]);
    const on = (path: string) => {
      const request = all.permitted(asked(path));
      return typeof request === 'string' ? request : request.path;
    };
    assert.equal(on('/public//../admin'), '/public/admin');
    assert.equal(on('/x%2fy/../%61dmin?z'), '/x/admin?z');
    assert.equal(on('/x%2f../%61dmin'), 'denied');
    assert.equal(on('/admin;x'), 'denied');
    assert.equal(on('/x/..;/admin'), 'unclear');
    assert.equal(on('/x/%252e%252e/admin'), 'unclear');
  });

  it('is said of the path that goes on, and not of how that came', () => {
    const all = list([rule('allow', { PathPrefix: '/public' }), rule('deny', { PathPrefix: '/' })]);
    for (const path of ['//public/x', '/x/../public/x', '/%70ublic//x', '/\\public/./x']) {
      const request = all.permitted(asked(path));
      assert.equal(typeof request === 'string' ? request : request.path, '/public/x', path);
    }
    assert.equal(all.allows(asked('/public/../x')), false);
  });

  it('denies what a rule means that is written as no path goes on', () => {
    const exact = ['/a//b', '/x/../a/b', '/a%2fb', '\\a\\b', '/a/./b'];
    const prefixes = ['//a/b', '/x/../a/b', '/a//b', '/a%2F%2Fb'];
    const rules = [
      ...exact.map((PathExact) => rule('deny', { PathExact })),
      ...prefixes.map((PathPrefix) => rule('deny', { PathPrefix })),
    ];
    for (const each of rules) {
      const all = list([each, rule('allow', { PathPrefix: '/' })]);
      for (const path of ['/a/b', '/a//b', '/x/../a/b', '/a%2fb'])
        assert.equal(all.allows(asked(path)), false, `${JSON.stringify(each)} ${path}`);
      assert.equal(all.allows(asked('/a')), true);
    }
  });

  for (const [http, path] of [
    [{ PathRegex: '//admin.*' }, '//admin/x'],
    [{ PathRegex: '.*%2[fF].*' }, '/a%2fb'],
    [{ PathRegex: '.*\\.\\./.*' }, '/x/../admin'],
    [{ PathRegex: '.*/\\./.*' }, '/x/./admin'],
    [{ PathRegex: '/{2,}admin' }, '//admin'],
    [{ PathRegex: '[/][/]admin' }, '//admin'],
    [{ PathRegex: '\\x2f\\x{2f}admin' }, '//admin'],
    [{ PathRegex: '(/){2}.*' }, '//a/b'],
    [{ PathRegex: '/x[^a-z]+admin' }, '/x/../admin'],
    [{ PathRegex: '.*[.]{2}.*' }, '/x\\..\\admin'],
    [{ PathRegex: '.*(?:\\.\\.|%2e).*' }, '//x/%2E%2e/admin'],
    [{ Header: [{ Name: ':path', Exact: '//admin' }] }, '//admin'],
    [{ Header: [{ Name: ':path', Prefix: '/x/../admin' }] }, '/x/../admin/y'],
    [{ Header: [{ Name: ':path', Contains: '..' }] }, '/x/../admin'],
    [{ Header: [{ Name: ':path', Suffix: '/.' }] }, '/x/.'],
    [{ Header: [{ Name: ':path', Regex: '.*//.*' }] }, '/a//b'],
  ] as const) {
    it(`denies what comes so, where a pattern or the header is about that: ${JSON.stringify(http)}`, () => {
      const all = list([rule('deny', http), rule('allow', { PathPrefix: '/' })]);
      assert.equal(all.permitted(asked(path)), 'denied');
      assert.equal(all.allows(asked('/admin')), true);
      // And nobody is let in by how his path came.
      assert.equal(list([rule('allow', http)]).allows(asked(path)), false);
    });
  }

  it('denies by a pattern about paths that go on no path for how it came', () => {
    for (const [PathRegex, came] of [
      ['/x/.*', '/x/../public'],
      ['/[^p].*', '//public'],
    ] as const) {
      const all = list([rule('deny', { PathRegex }), rule('allow', { PathPrefix: '/public' })]);
      assert.equal(all.allows(asked(came)), true, PathRegex);
    }
  });

  it('goes on so too where permissions go by the path as a header', () => {
    const Header = [{ Name: ':Path', Prefix: '/admin' }];
    const all = list([rule('deny', { Header }), rule('allow', { PathPrefix: '/' })]);
    for (const path of ['//admin', '/x/..%2fadmin?y', '/admin?z'])
      assert.equal(all.permitted(asked(path)), 'denied');
    assert.equal(typeof all.permitted(asked('/x/..;/')), 'string');
  });

  it('leaves a path as it came where no permission goes by paths', () => {
    const all = list([rule('allow', { PathPrefix: '/', Methods: ['GET'] })]);
    const request = asked('/a//../%zz;/..;');
    assert.equal(all.permitted(request), request);
  });

  it('is said of what the codes of a rule stand for', () => {
    const all = list(
      [rule('deny', { PathPrefix: '/a%2Bb' }), rule('deny', { PathExact: '/ж' })],
      true,
    );
    for (const path of ['/a%2bb/x', '/a+b', '/a%2Bb', '/%D0%B6', '/%d0%b6', '/\xd0\xb6'])
      assert.equal(all.allows(asked(path)), false, path);
    const some = list([rule('allow', { PathPrefix: '/a%20b' })]);
    assert.deepEqual(
      ['/a%20b/c', '/a%20c'].map((path) => some.allows(asked(path))),
      [true, false],
    );
  });

  it('is no for a path that may be read in too many ways, where paths count', () => {
    const path = '/a;b/%253b%2541/c'.repeat(300);
    const get = { PathPrefix: '/', Methods: ['GET'] };
    assert.equal(list([rule('allow', { PathPrefix: '/a' })], true).allows(asked(path)), false);
    assert.equal(list([rule('allow', get)]).allows(asked(path)), true);
  });

  it('is said of a method in any case where it denies', () => {
    const all = list([rule('deny', { Methods: ['DELETE'] }), rule('allow', { PathPrefix: '/' })]);
    const some = list([rule('allow', { Methods: ['GET'] })]);
    assert.deepEqual(
      ['DELETE', 'delete', 'get'].map((m) => all.allows(asked('/', m))),
      [false, false, true],
    );
    assert.deepEqual(
      ['GET', 'get'].map((m) => some.allows(asked('/', m))),
      [true, false],
    );
  });

  it('denies what is denied without a header to whoever does not say it', () => {
    const Header = [{ Name: 'x-role', Exact: 'admin', Invert: true }];
    const open = rule('allow', { PathPrefix: '/' });
    const denied = list([rule('deny', { PathPrefix: '/admin', Header }), open]);
    assert.equal(denied.allows(asked('/admin')), false);
    assert.equal(denied.allows(asked('/admin', 'GET', ['x-role', 'guest'])), false);
    assert.equal(denied.allows(asked('/admin', 'GET', ['x-role', 'admin'])), true);
    assert.equal(denied.allows(asked('/other')), true);
    // And nobody is let in by what he does not say.
    assert.equal(list([rule('allow', { Header })]).allows(asked('/')), false);
  });

  it('is said of a header however the program reads it: each value, or all, and with other signs in its name', () => {
    const by = (how: object) => [{ Name: 'X-Role', ...how }];
    const open = rule('allow', { PathPrefix: '/' });
    const denied = list([rule('deny', { Header: by({ Exact: 'guest' }) }), open]);
    const unless = list([rule('deny', { Header: by({ Exact: 'admin', Invert: true }) }), open]);
    const bare = list([rule('deny', { Header: by({ Present: true }) }), open]);
    const admins = list([rule('allow', { Header: by({ Exact: 'admin' }) })]);
    const others = list([rule('allow', { Header: by({ Exact: 'guest', Invert: true }) })]);
    const [guest, admin] = [
      ['x-role', 'guest'],
      ['x-role', 'admin'],
    ];
    for (const fields of [
      ['x_role', 'guest'],
      ['x.role', 'guest'],
      [...guest, ...guest],
      [...admin, ...guest],
      [...admin, 'x_role', 'guest'],
      ['x-role', 'guest, x'],
      ['x-role', 'admin,guest'],
    ]) {
      for (const all of [denied, unless, bare, admins, others])
        assert.equal(all.allows(asked('/', 'GET', fields)), false, fields.join());
    }
    const joined = list([rule('deny', { Header: by({ Exact: 'a, b' }) }), open]);
    assert.equal(joined.allows(asked('/', 'GET', ['x-role', 'a', 'x-role', 'b'])), false);
    const allowed = [denied, unless, admins, others].map((all) =>
      all.allows(asked('/', 'GET', [...admin, 'x_rule', 'guest'])),
    );
    assert.deepEqual(allowed, [true, true, true, true]);
    assert.equal(admins.allows(asked('/', 'GET', ['x_role', 'admin'])), false);
    // What has a comma may be one value all the same.
    const browsers = list([rule('allow', { Header: by({ Prefix: 'Mozilla' }) })]);
    assert.equal(browsers.allows(asked('/', 'GET', ['x-role', 'Mozilla (a, like b)'])), true);
  });

  it('lets nobody in by what cannot be told here, and keeps out whom it may be about', () => {
    const JWT = { Providers: [{ Name: 'okta' }] };
    for (const more of [
      { HTTP: { PathPrefix: '/' }, JWT },
      { JWT },
      { HTTP: { PathRegex: '(' } },
    ]) {
      assert.equal(list([{ Action: 'allow', ...more }]).allows(asked('/')), false);
      assert.equal(list([{ Action: 'deny', ...more }], true).allows(asked('/')), false);
    }
  });

  it('is no, where an agent answers anything else', () => {
    for (const json of [undefined, null, [], 'yes', { Authorized: 'true' }, { Permissions: [] }]) {
      assert.equal(new Verdicts().in(json), false);
    }
    assert.equal(new Verdicts().in({ Authorized: true }), true);
  });

  it('is compiled once, for whomever and however often it is said', () => {
    const verdicts = new Verdicts();
    const said = (path: string, Default = false) =>
      verdicts.in({ Default, Permissions: [rule('allow', { PathRegex: path })] });
    const list = said('/a');
    assert.equal(said('/a'), list);
    assert.notEqual(said('/b'), list);
    assert.notEqual(said('/a', true), list);
    // What is said no more is forgotten.
    for (let i = 0; i < 300; i++) said(`/${i}`);
    assert.notEqual(said('/a'), list);
  });
});
