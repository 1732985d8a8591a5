import assert from 'node:assert/strict';
import type { BuiltPage } from '../../pack/page.ts';

/** By which configuration files, and JSON of the API, are read too. */
const READERS: ReadonlySet<string> = new Set([
  'lib/config/hcl-scanner.ts',
  'lib/config/hcl-syntax.ts',
  'lib/errors.ts',
  'lib/json-bounds.ts',
  'lib/marked-integers.ts',
  'lib/simple-escapes.ts',
  'lib/whole-characters.ts',
]);
const MAX_BYTES = 150 * 1024;
/** What the index names. */
const MAX_FIRST_BYTES = 40 * 1024;

describe('the page that is built', () => {
  let page: BuiltPage;
  before(async function () {
    this.timeout(60_000);
    // Mocha would require it, and what is built then lacks what loads the parts of the page.
    const { buildPage } = await import('../../pack/page.ts');
    page = await buildPage();
  });

  const sent = () => [...page.files].filter(([name]) => !page.files.has(`${name}.gz`));

  it('is small, all of it', () => {
    const bytes = sent().reduce((sum, [, body]) => sum + body.length, 0);
    assert.ok(bytes > 10_000 && bytes < MAX_BYTES, `${bytes}`);
  });

  it('has little to load before the first page, and what reads YAML not until it is wanted', () => {
    const index = page.files.get('index.html')?.toString() ?? '';
    const first = [...index.matchAll(/"\.\/(assets\/[^"]*)"/g)].map(([, name = '']) => name);
    const bytes = first.reduce((sum, name) => {
      return sum + (page.files.get(`${name}.gz`) ?? page.files.get(name) ?? '').length;
    }, 0);
    assert.ok(first.length > 1 && bytes < MAX_FIRST_BYTES, `${bytes}`);
    const yaml = [...page.files.keys()].filter((name) => /^assets\/yaml-fault-.*\.js$/.test(name));
    assert.equal(yaml.length, 1);
    for (const name of first)
      assert.doesNotMatch(String(page.files.get(name)), /from"\.\/yaml-fault/);
  });

  it('begins with files that need no part of pages: those would be run before what they are made of is there', () => {
    const needs = new Map<string, readonly string[]>();
    for (const [name, body] of page.files) {
      if (!name.endsWith('.js')) continue;
      const found = body.toString().matchAll(/\bfrom\s*["']\.\/([^"']+)["']/g);
      const all = Array.from(found, ([, each = '']) => each);
      needs.set(name.replace(/^assets\//, ''), all);
    }
    const index = [...needs.keys()].filter((name) => name.startsWith('index-'));
    const reached = new Set(index);
    for (const name of reached) for (const each of needs.get(name) ?? []) reached.add(each);
    assert.ok(reached.size > index.length);
    assert.deepEqual(
      [...reached].filter((name) => name.startsWith('parts-')),
      [],
    );
  });

  it('has a hash in the name of each file but the index', () => {
    const names = [...page.files.keys()].filter((name) => name !== 'index.html');
    assert.ok(names.length > 5);
    for (const name of names) assert.match(name, /^assets\/[\w-]+-[\w-]{8}\.(js|css|svg)(\.gz)?$/);
  });

  it('has nothing written into its index that its policy forbids, and nothing of elsewhere', () => {
    const index = page.files.get('index.html')?.toString() ?? '';
    assert.match(index, /data-base="" data-datacenter=""/);
    assert.doesNotMatch(index, /<style|<script>|style=|onload|https?:/);
    for (const [, url] of index.matchAll(/(?:src|href)="([^"]*)"/g)) {
      assert.match(url ?? '', /^\.\/assets\//);
    }
  });

  it('is made of the page, of shapes, and of packages that are shipped with a licence', () => {
    const strange = page.inputs.filter(
      (path) =>
        !/^(web|lib\/model\.ts|node_modules\/(preact|@preact|js-yaml)\/)/.test(path) &&
        !READERS.has(path),
    );
    assert.deepEqual(strange, []);
    assert.ok(page.inputs.some((path) => path.startsWith('node_modules/preact/')));
  });
});
