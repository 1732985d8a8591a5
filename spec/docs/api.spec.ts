import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { ApiPage, rowOf } from '../../docs/api-page.ts';
import { isAsShown } from '../../docs/api-shown.ts';
import { allRoutes } from '../../docs/compat-table.ts';
import { Router } from '../../lib/http/router.ts';
import { runExamples } from './examples.ts';

const FOLDER = new URL('../../docs/api/', import.meta.url);
const PAGES = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.md'))
  .map((name) => {
    const text = readFileSync(new URL(name, FOLDER), 'utf8');
    return { name, text, page: new ApiPage(text) };
  });
const router = new Router(allRoutes());
/** Most of it is starting an agent, on a machine that may be busy. */
const TIMEOUT_MS = 60_000;

describe('docs/api', function () {
  this.timeout(TIMEOUT_MS);

  for (const { name, page } of PAGES) {
    it(`shows in ${name} what its examples answer`, async () => {
      const wrong = (await runExamples(page)).find((each) => !each.isAsShown);
      if (wrong === undefined) return;
      const { command, shown } = wrong.example;
      assert.fail(`${command}\n--- shown:\n${shown}\n--- answered:\n${wrong.answer}`);
    });
  }

  it('has each row of the route table on one page, and no row that is not there', () => {
    const shown = PAGES.flatMap(({ name, page }) =>
      page.headings().map((heading) => ({ name, heading, row: rowOf(router, heading) })),
    );
    const unknown = shown.filter(({ row }) => row === undefined);
    assert.deepEqual(
      unknown.map(({ name, heading }) => `${name}: ${heading.method} ${heading.path}`),
      [],
    );
    // What stands behind the rest of a path has a heading of its own.
    const wanted = allRoutes().map(({ method, path, rest }) => {
      return `${method} ${path}${rest === undefined ? '' : `<${rest}>`}`;
    });
    const ends = allRoutes().flatMap(({ method, path, rest, ends: all = {} }) =>
      Object.keys(all).map((end) => `${method} ${path}<${rest}>/${end}`),
    );
    assert.deepEqual(
      shown.map(({ heading }) => `${heading.method} ${heading.path}`).sort(),
      [...wanted, ...ends].sort(),
    );
  });

  it('says of each row what the row says of itself: as `npm run api` writes it', () => {
    const stale = PAGES.filter(({ page, text }) => page.withRows(allRoutes()) !== text);
    assert.deepEqual(
      stale.map(({ name }) => name),
      [],
    );
  });

  it('leads to each of its pages', () => {
    const readme = PAGES.find(({ name }) => name === 'README.md')?.text ?? '';
    const lost = PAGES.filter(({ name }) => name !== 'README.md' && !readme.includes(`(${name})`));
    assert.deepEqual(
      lost.map(({ name }) => name),
      [],
    );
  });
});

describe('an answer', () => {
  const as = (shown: string, answer: string, form = 'json', names = new Map<string, string>()) =>
    isAsShown(shown, answer, { form, names });

  it('is as shown when it is the same, however its JSON is laid out', () => {
    assert.equal(as('[\n  { "A": "b c" }\n]', '[{"A":"b c"}]'), true);
    assert.equal(as('[{"A":"b  c"}]', '[{"A":"b c"}]'), false);
    assert.equal(as('[{"A": 1}]', '[{"A":1},{"A":1}]'), false);
    assert.equal(as('blue', 'green', 'text'), false);
    assert.equal(as('HTTP/1.1 404 Not Found\n…', 'HTTP/1.1 200 OK\nDate: x\n', 'http'), false);
  });

  it('may be anything where … stands, within quotes no more than one text', () => {
    assert.equal(as('{"I": …, "J": 2}', '{"I":7,"J":2}'), true);
    assert.equal(as('{"I": …, "J": 2}', '{"I":7,"J":3}'), false);
    assert.equal(as('{"I": "…"}', '{"I":"a"}'), true);
    assert.equal(as('{"I": "…"}', '{"I":"a","J":"b"}'), false);
  });

  it('is what a name was the first time', () => {
    const names = new Map<string, string>();
    assert.equal(as('{"ID": "<id>"}', '{"ID":"a"}', 'json', names), true);
    assert.equal(names.get('<id>'), 'a');
    assert.equal(as('[{"ID": "<id>"}]', '[{"ID":"b"}]', 'json', names), false);
    assert.equal(as('["<x>", "<x>"]', '["1","2"]'), false);
    assert.equal(as('["<x>", "<x>"]', '["1","1"]'), true);
  });
});
