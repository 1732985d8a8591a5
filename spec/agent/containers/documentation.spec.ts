import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');

/** The last column of the tables: 'options: «is a socket», «needs its files»'. */
function promises(): { file: string; descriptions: string[] }[] {
  const rows = read('../../../docs/containers.md').split('\n');
  return rows
    .filter((row) => row.startsWith('| ') && !/^\| (---|registrator \||label \|)/.test(row))
    .map((row) => row.split('|').at(-2) ?? '')
    .map((cell) => ({
      file: cell.split(':')[0]?.trim() ?? '',
      descriptions: [...cell.matchAll(/«([^»]*)»/g)].map(([, text = '']) => text),
    }));
}

describe('docs/containers.md', () => {
  for (const { file, descriptions } of promises()) {
    it(`names specs that there are: ${file}: ${descriptions.join(', ')}`, () => {
      assert.ok(descriptions.length > 0);
      const spec = read(`./${file}.spec.ts`);
      assert.deepEqual(
        descriptions.filter((text) => !spec.includes(text)),
        [],
      );
    });
  }
});
