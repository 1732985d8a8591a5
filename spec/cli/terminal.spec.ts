import assert from 'node:assert/strict';
import { table } from '../../cli/table.ts';
import { failing, oneLine, shownOn, type Terminal, toned } from '../../cli/terminal.ts';
import { commandLineOf } from '../support/servers/command-line.ts';
import { startServer } from '../support/servers/start-server.ts';

const TERMINAL: Terminal = { columns: 80, hasColours: true };
const EVIL = 'evil\x1b]0;title\x07\x1b[2J\r\u009b31m\u202e';

describe('what a terminal is shown', () => {
  it('holds nothing that a terminal obeys, whatever was named so', () => {
    const shown = shownOn(TERMINAL, `${EVIL}\nnext\ttab\r\n`);
    assert.equal(shown, 'evil\\x1b]0;title\\x07\\x1b[2J\\x0d\\x9b31m\\u202e\nnext\ttab\n');
    assert.equal(oneLine('a\nb'), 'a\\x0ab');
  });

  it('has the colours of the program alone, and none where none are wanted', () => {
    const text = `${toned('good', 'passing')} ${toned('bad', '\x1b[32mcritical')}`;
    assert.equal(
      shownOn(TERMINAL, text),
      '\x1b[32mpassing\x1b[0m \x1b[31m\\x1b[32mcritical\x1b[0m',
    );
    const plain = shownOn({ hasColours: false }, text);
    assert.equal(plain, 'passing \\x1b[32mcritical');
  });
});

describe('a table', () => {
  const rows = [
    ['Node', 'Status'],
    ['n1', 'alive'],
    ['failed\n', 'failed'],
  ];

  it('is as it is in a pipe, and has a header and words in colours on a terminal', () => {
    assert.equal(table(undefined, rows), 'Node     Status\nn1       alive\nfailed\n  failed\n');
    assert.equal(
      shownOn(TERMINAL, table(TERMINAL, rows)),
      '\x1b[1mNode        Status\x1b[0m\nn1          \x1b[32malive\x1b[0m\nfailed\\x0a  \x1b[31mfailed\x1b[0m\n',
    );
  });

  it('has a line for each cell where it is wider than the terminal, and those broken at commas', () => {
    const wide = table({ columns: 20, hasColours: false }, [
      ['Node', 'Tags'],
      ['a-long-name', 'a=1,b=22222,c=3,d=4'],
      ['n2', ''],
    ]);
    assert.equal(
      shownOn({ hasColours: false }, wide),
      'Node  a-long-name\nTags  a=1,b=22222,\n      c=3,d=4\n\nNode  n2\nTags\n',
    );
  });
});

describe('why a command fails', () => {
  for (const [text, seen] of [
    ['Error! No key\n', '\x1b[31mError! No key\x1b[0m\n'],
    ['Must say\n\nUsage: x\n\n  y\n', '\x1b[31mMust say\x1b[0m\n\nUsage: x\n\n  y\n'],
    ['no flag -x\nUsage:\n  -y\n', '\x1b[31mno flag -x\x1b[0m\nUsage:\n  -y\n'],
    ['a\x1b[1mb', '\x1b[31ma\\x1b[1mb\x1b[0m'],
  ] as const) {
    it(`is red on a terminal, and not what follows it: ${JSON.stringify(text)}`, () => {
      assert.equal(shownOn({ hasColours: true }, failing(text)), seen);
      const plain = shownOn({ hasColours: false }, failing(text));
      assert.equal(plain, text.replaceAll('\x1b', '\\x1b'));
    });
  }
});

describe('commands whose answers have names of strangers', () => {
  it('show them on a terminal in columns that hold, and in a pipe as they are', async () => {
    const { port, put } = await startServer();
    const run = commandLineOf(port);
    const Service = { Service: 'svc\x1b[1m', Tags: [EVIL] };
    await put('/v1/catalog/register', { Node: `n${EVIL}`, Address: '127.0.0.1', Service });
    const terminal = { columns: 200, hasColours: false };
    for (const words of ['catalog nodes -detailed', 'catalog services -tags', 'catalog nodes']) {
      const seen = shownOn(terminal, (await run(words, { terminal })).out);
      assert.doesNotMatch(seen, /(?!\n)[\p{Cc}\u202e]/u, words);
      assert.match(seen, /\\x1b/);
      assert.ok((await run(words)).out.includes('\x1b'), words);
    }
  });
});
