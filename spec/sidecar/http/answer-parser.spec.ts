import assert from 'node:assert/strict';
import fc from 'fast-check';
import { AnswerParser } from '../../../sidecar/http/answer-parser.ts';

function read(chunks: readonly string[], method = 'GET') {
  const seen = { status: 0, fields: [] as readonly string[], body: '', trailers: '', ends: 0 };
  const parser = new AnswerParser({
    head: ({ status, fields }, isLast) => {
      Object.assign(seen, { status, fields });
      if (isLast) seen.ends++;
    },
    data: (chunk) => {
      seen.body += chunk.toString('latin1');
    },
    end: (trailers) => {
      seen.trailers = trailers.join(',');
      seen.ends++;
    },
  });
  parser.asked(method);
  for (const chunk of chunks) parser.push(Buffer.from(chunk, 'latin1'));
  return { ...seen, parser, isReusable: parser.isReusable && parser.isIdle };
}

const OK = 'HTTP/1.1 200 OK\r\n';

describe('what a host answers by HTTP/1.1', () => {
  it('is read the same, wherever it is cut', () => {
    const whole =
      `HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n${OK}Transfer-Encoding: chunked\r\nX-A: 1\r\n` +
      'Set-Cookie: a\r\nSet-Cookie: b\r\n\r\n3\r\nabc\r\n5;ext=1\r\n\r\n\r\nd\r\n0\r\nX-T: 9\r\n\r\n';
    const cuts = fc.array(fc.nat(whole.length), { maxLength: 12 });
    fc.assert(
      fc.property(cuts, (at) => {
        const edges = [0, ...at.sort((a, b) => a - b), whole.length];
        const parts = edges.slice(1).map((end, i) => whole.slice(edges[i], end));
        const { status, fields, body, trailers, ends, isReusable } = read(parts);
        assert.deepEqual(fields, ['x-a', '1', 'set-cookie', 'a', 'set-cookie', 'b']);
        assert.deepEqual(
          [status, body, trailers, ends, isReusable],
          [200, 'abc\r\n\r\nd', 'x-t,9', 1, true],
        );
      }),
    );
  });

  it('has its values as they are, but for the spaces around them', () => {
    const text = Buffer.from('caf\u00e0').toString('latin1');
    const { fields } = read([
      `${OK}X-A: \t ${text}\t \r\nX-B:\u00a0b\r\nContent-Length: 0\r\n\r\n`,
    ]);
    assert.deepEqual(fields, ['x-a', text, 'x-b', '\u00a0b']);
  });

  for (const [what, text, method, expected] of [
    ['of HEAD has no body', `${OK}Content-Length: 5\r\n\r\n`, 'HEAD', ['', 1, true]],
    ['of 204 has none', 'HTTP/1.1 204 No Content\r\n\r\n', 'GET', ['', 1, true]],
    ['of 304 has none', 'HTTP/1.1 304 x\r\nContent-Length: 9\r\n\r\n', 'GET', ['', 1, true]],
    ['has a length', `${OK}Content-Length: 3\r\n\r\nabc`, 'GET', ['abc', 1, true]],
    [
      'says that it closes',
      `${OK}Connection: close\r\nContent-Length: 0\r\n\r\n`,
      'GET',
      ['', 1, false],
    ],
    ['is of HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na', 'GET', ['a', 1, false]],
    [
      'has more behind it',
      `${OK}Content-Length: 1\r\n\r\naHTTP/1.1 200 OK\r\n`,
      'GET',
      ['a', 1, false],
    ],
  ] as const) {
    it(what, () => {
      const { body, ends, isReusable } = read([text], method);
      assert.deepEqual([body, ends, isReusable], expected);
    });
  }

  it('goes on until the host closes, where it has no length', () => {
    const { parser, ...seen } = read([`${OK}\r\n`, 'ab', 'c']);
    assert.deepEqual([seen.body, seen.ends], ['abc', 0]);
    assert.equal(parser.closed(), true);
    assert.equal(parser.isReusable, false);
    const cut = read([`${OK}Content-Length: 9\r\n\r\nabc`]);
    assert.equal(cut.parser.closed(), false);
  });

  for (const [what, text] of [
    ['two lengths', `${OK}Content-Length: 1\r\nContent-Length: 2\r\n\r\n`],
    ['a length in a list', `${OK}Content-Length: 1, 1\r\n\r\n`],
    ['a length with a sign', `${OK}Content-Length: +1\r\n\r\n`],
    ['a length and parts', `${OK}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`],
    ['another encoding', `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n`],
    ['parts of HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['a folded line', `${OK}X: 1\r\n 2\r\n\r\n`],
    ['a space before the colon', `${OK}X : 1\r\n\r\n`],
    ['a line feed alone', `${OK}X: 1\nY: 2\r\n\r\n`],
    ['a carriage return alone', `${OK}X: 1\rY: 2\r\n\r\n`],
    ['a zero byte', `${OK}X: \0\r\n\r\n`],
    ['no status', 'HELLO\r\n\r\n'],
    ['a version that is none', 'HTTP/2.0 200 OK\r\n\r\n'],
    ['a part longer than it says', `${OK}Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n`],
    ['a part without a length', `${OK}Transfer-Encoding: chunked\r\n\r\nx\r\n`],
    ['a part of a negative length', `${OK}Transfer-Encoding: chunked\r\n\r\n-1\r\n`],
    ['hints without end', 'HTTP/1.1 103 x\r\n\r\n'.repeat(17)],
    ['a head without end', `${OK}X: ${'y'.repeat(70_000)}`],
    ['too many fields', `${OK}${'X: 1\r\n'.repeat(300)}\r\n`],
  ] as const) {
    it(`is refused with ${what}`, () => {
      assert.throws(() => read([text]), /is no HTTP/);
    });
  }
});
