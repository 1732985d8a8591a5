import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { language, words } from '../../web/words/words.ts';

const WORDS = new URL('../../web/words/', import.meta.url);

/** Each text in both languages; what takes something is given some of it. */
async function* pairs(): AsyncGenerator<readonly [place: string, en: string, zh: string]> {
  for (const file of readdirSync(WORDS).filter((name) => name.endsWith('-words.ts'))) {
    const module: Record<string, { readonly value: object }> = await import(
      new URL(file, WORDS).href
    );
    for (const [name, table] of Object.entries(module)) {
      const said = (['en', 'zh'] as const).map((each) => {
        language.value = each;
        return new Map(textsOf(table.value, name));
      });
      for (const [place, en] of said[0] ?? []) yield [place, en, said[1]?.get(place) ?? ''];
    }
  }
}

function* textsOf(of: unknown, place: string): Generator<readonly [string, string]> {
  if (typeof of === 'string') yield [place, of];
  else if (typeof of === 'function') yield [place, String(of(2, 2, 2))];
  else if (typeof of === 'object' && of !== null)
    for (const [name, each] of Object.entries(of)) yield* textsOf(each, `${place}.${name}`);
}

describe('what the page says', () => {
  afterEach(() => {
    language.value = 'en';
  });

  it('is turned round by no name, which turns nothing but itself', () => {
    const { value: say } = words(
      { of: (name: string, n: number) => `${name} ${n}` },
      { of: () => '' },
    );
    assert.equal(say.of('web', 2), 'web 2');
    assert.equal(say.of('a\u202eb', 2), '\u2068a\u202eb\u2069 2');
    assert.equal(say.of('\u05d0', 2), '\u2068\u05d0\u2069 2');
    assert.equal(say.of('\u2069\u202eb\u2067', 2), '\u2068\u202eb\u2069 2');
    assert.equal(say.of('\u2067b\u2069', 2), '\u2068\u2067b\u2069\u2069 2');
  });

  it('says 代理 of a proxy alone, and Agent of an agent', async () => {
    for await (const [place, en, zh] of pairs()) {
      if (zh.includes('代理')) assert.match(en, /prox|sidecar/i, `${place}: ${zh}`);
      if (/\bagents?\b/i.test(en)) assert.match(zh, /agent/i, `${place}: ${zh}`);
    }
  });

  it('says something in both languages, and not the same', async () => {
    for await (const [place, en, zh] of pairs()) assert.ok(zh.trim() !== '' || en === '', place);
  });
});
