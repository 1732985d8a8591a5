import assert from 'node:assert/strict';
import { posix } from 'node:path';
import { readPath } from '../../../sidecar/mesh/readings.ts';
import { seededRandom } from '../../support/fakes/seeded-random.ts';
import { SEED } from '../../support/seed.ts';

/** What is asked for goes on as the other. */
const WRITTEN = [
  ['/a/../admin/x', '/admin/x'],
  ['/%61dmin/x', '/admin/x'],
  ['//admin//x', '/admin/x'],
  ['/a\\..\\admin\\x', '/admin/x'],
  ['/a%5c..%5Cadmin/x', '/admin/x'],
  ['/a/%2e%2E%2fadmin%2Fx', '/admin/x'],
  ['/public//../admin', '/public/admin'],
  ['/x%2fy/%2e%2e/admin', '/x/admin'],
  ['/x%2fy/../%61dmin', '/x/admin'],
  ['/x;%2f/../%61dmin', '/x;/admin'],
  ['/a%20b/%C3%A9/.', '/a%20b/%C3%A9/'],
] as const;

describe('a path that permissions go by', () => {
  for (const [path, on] of WRITTEN) {
    it(`goes on as ${on} where it came as ${path}`, () => {
      const read = readPath(`${path}?a;b//c`);
      assert.equal(read?.path, `${on}?a;b//c`);
      assert.equal(read?.readings[0], read?.path);
    });
  }

  for (const [path, reading] of [
    ['/%2561dmin/x', '/admin/x'],
    ['/%252561dmin/x', '/admin/x'],
    ['/admin;v=1/x;y', '/admin/x'],
    ['/admin%3bv=1/x', '/admin/x'],
    ['/admin%253bv=1/x', '/admin/x'],
    ['/admin%252fx', '/admin/x'],
    ['/admin%2523/x', '/admin'],
    ['/admin%3fx', '/admin'],
    ['/admin%20', '/admin'],
    ['/%D0%B6', '/ж'],
    ['/%25D0%B6', '/ж'],
  ] as const) {
    it(`${path} may be ${reading}`, () => {
      assert.ok(readPath(path)?.readings.includes(reading), `${readPath(path)?.readings}`);
    });
  }

  for (const path of [
    ...['/x/..;/admin', '/;a/admin', '/x/..%3b/admin', '/x/%252e%252e/admin', '/x/%252fadmin'],
    ...['/admin%00.png', '/x%0d%0ay', '/x%zz', '/x%', '/x%u002e%u002e/admin', '/x%255c..%255cy'],
    ...['/x/%c0%ae%c0%ae/admin', '/x/%e0%80%af', '/x\xc0\xaf', '/x/..%3fy', '/x/..%2523/z'],
  ]) {
    it(`does not go on as ${JSON.stringify(path)}`, () => assert.equal(readPath(path), undefined));
  }

  it('goes on as it is where it says nothing of the kind', () => {
    const path = '/a.b/c-d?x=/../y;z%20';
    assert.deepEqual(readPath(path), { path, readings: [path] });
  });

  it('does not go on where it may be too many: one of some kilobytes may be two dozen others', () => {
    const worst = (letters: number) => '/a;b/x%253b%2541/c%2525'.repeat(letters / 23);
    assert.ok((readPath(worst(540))?.readings.length ?? 0) > 6);
    for (const letters of [3900, 30_000]) assert.equal(readPath(worst(letters)), undefined);
    assert.equal(readPath(`${worst(540)}?${'q'.repeat(30_000)}`), undefined);
  });

  it('is looked at where it is long and written in order', () => {
    const text = encodeURIComponent('ж'.repeat(1000));
    assert.deepEqual(readPath(`/a/${text}`)?.readings.length, 3);
    assert.equal(readPath(`/a%20b?${'q'.repeat(30_000)}`)?.readings.length, 2);
    assert.equal(readPath(`/${'a'.repeat(30_000)}`)?.readings.length, 1);
  });
});

/** What programs do, each by itself; one does several, in an order of its own. */
const DOES: Readonly<Record<string, (path: string) => string>> = {
  'decodes all': (path) => path.replace(/%([0-9a-f]{2})/gi, (_, two) => byte(two)),
  'decodes dots': (path) => path.replace(/%2e/gi, '.'),
  'decodes slashes': (path) => path.replace(/%2f/gi, '/').replace(/%5c/gi, '\\'),
  'decodes letters': (path) =>
    path.replace(/%(?=[46][1-9a-f])([0-9a-f]{2})/gi, (_, two) => byte(two)),
  'leaves parameters away': (path) => path.replace(/;[^/]*/g, ''),
  'turns slashes': (path) => path.replaceAll('\\', '/'),
  'merges slashes': (path) => path.replace(/\/+/g, '/'),
  'goes by POSIX': (path) => posix.normalize(path),
  'goes by WHATWG': (path) => new URL(`http://x${path}`).pathname,
  'cuts what looks like a query': (path) => path.replace(/[?#].*$/s, ''),
};
const byte = (two: string) => String.fromCharCode(Number.parseInt(two, 16));

const PIECES = [
  ...[
    '/',
    '//',
    '\\',
    '%2f',
    '%5C',
    '%252f',
    ';',
    ';a',
    '%3b',
    '.',
    '..',
    '%2e',
    '%2E%2e',
    '%252e',
  ],
  ...['admin', '%61dmin', '%2561dmin', 'x', '%20', '%25-', '?', '%3f', '%23', 'public', '/admin'],
];

describe('whatever a program does with a path that goes on', () => {
  it(`it reads what a rule was asked of (seed ${SEED})`, () => {
    const random = seededRandom(SEED);
    const one = <T>(all: readonly T[]) => all[Math.floor(random.next() * all.length)] as T;
    const names = Object.keys(DOES);
    let [went, ways] = [0, 0];
    for (let i = 0; i < 4000; i++) {
      const path = `/${Array.from({ length: 1 + (i % 9) }, () => one(PIECES)).join('')}`;
      const read = readPath(path.split('?')[0] ?? '');
      if (read === undefined) continue;
      went++;
      for (let j = 0; j < 8; j++) {
        const does = Array.from({ length: 1 + (j % 5) }, () => one(names));
        const reads = does.reduce((so, name) => DOES[name]?.(so) ?? so, read.path);
        const isAsked = read.readings.some((each) => sameText(each, reads));
        assert.ok(isAsked, `${path} goes on as ${read.path}; ${does.join(', ')}: ${reads}`);
        ways++;
      }
    }
    assert.ok(went > 1000 && ways > 8000);
  });
});

/** However its unreserved characters are written; and WHATWG's URLs have codes again where there were characters. */
function sameText(one: string, other: string): boolean {
  const [a, b] = [one, other].map((path) =>
    path
      .replace(/%(?=[2-7])([0-9a-f]{2})/gi, (code, two) =>
        /[\w.~-]/.test(byte(two)) ? byte(two) : code,
      )
      .replace(/[^!$&-;=@-Z_a-z~%]/g, (char) => encodeURIComponent(char)),
  );
  return a === b;
}
