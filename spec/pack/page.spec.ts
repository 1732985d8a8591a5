import assert from 'node:assert/strict';
import { type BuiltPage, buildPage } from '../../pack/page.ts';

const MAX_BYTES = 150 * 1024;

describe('the page that is built', () => {
  let page: BuiltPage;
  before(async function () {
    this.timeout(60_000);
    page = await buildPage();
  });

  const sent = () => [...page.files].filter(([name]) => !page.files.has(`${name}.gz`));

  it('is small, all of it', () => {
    const bytes = sent().reduce((sum, [, body]) => sum + body.length, 0);
    assert.ok(bytes > 10_000 && bytes < MAX_BYTES, `${bytes}`);
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
      (path) => !/^(web|lib\/model\.ts|node_modules\/(preact|@preact|uplot)\/)/.test(path),
    );
    assert.deepEqual(strange, []);
    assert.ok(page.inputs.some((path) => path.startsWith('node_modules/preact/')));
  });
});
