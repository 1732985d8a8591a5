import assert from 'node:assert/strict';
import { decoder } from '../../lib/decode.ts';
import { ProconsulError } from '../../lib/errors.ts';

const decode = decoder<Record<string, unknown>>({
  type: 'object',
  properties: {
    ServiceName: { type: 'string', default: '', aliases: ['name'] },
    Port: { type: 'integer' },
    Flags: { uint64: true },
    Interval: { duration: true },
    Meta: { type: 'object', additionalProperties: { type: 'string' } },
    List: { type: 'array', items: { type: 'object', properties: { ID: { type: 'string' } } } },
    Free: { type: 'object' },
  },
});

describe('a decoder', () => {
  for (const name of ['ServiceName', 'servicename', 'SERVICENAME', 'service_name', 'Name']) {
    it(`takes a field named ${name}`, () => {
      assert.deepEqual(decode(`{"${name}":"web"}`), { ServiceName: 'web' });
    });
  }

  it('leaves the names in maps and in free objects as they are', () => {
    const body = '{"Meta":{"Some_Key":"v"},"Free":{"snake_case":{"__proto__":1}}}';
    const expected =
      '{"Meta":{"Some_Key":"v"},"Free":{"snake_case":{"__proto__":1}},"ServiceName":""}';
    assert.equal(JSON.stringify(decode(body)), expected);
  });

  it('takes null as if it were not there, and passes over what it does not know', () => {
    const body = '{"Port":null,"Meta":{"a":null},"Nonsense":{"x":1},"List":[{"id":"a","New":1}]}';
    assert.deepEqual(decode(body), { Meta: {}, List: [{ ID: 'a' }], ServiceName: '' });
  });

  it('reads durations as text or nanoseconds', () => {
    const read = (sent: string) => decode(`{"Interval":${sent}}`)['Interval'];
    assert.deepEqual([read('"1m30s"'), read('10000'), read('""')], [90e9, 10_000, 0]);
  });

  it('keeps the digits of 64 bits', () => {
    assert.equal(decode('{"Flags":18446744073709551615}')['Flags'], 2n ** 64n - 1n);
  });

  const REFUSED: readonly (readonly [string, RegExp])[] = [
    ['', /^Request decode failed: EOF$/],
    ['  ', /^Request decode failed: EOF$/],
    ['{', /^Request decode failed: ./],
    ['[]', /^Request decode failed: body must be object$/],
    ['null', /^Request decode failed: body must be object$/],
    ['{"Port":"80"}', /^Request decode failed: Port must be integer$/],
    ['{"Port":80.5}', /^Request decode failed: Port must be integer$/],
    ['{"Port":1e300}', /^Request decode failed: number 1e\+300 is out of range$/],
    ['{"List":[{"ID":1}]}', /^Request decode failed: List\.0\.ID must be string$/],
    ['{"Meta":{"a":1}}', /^Request decode failed: Meta\.a must be string$/],
    ['{"Interval":"soon"}', /^Request decode failed: time: invalid duration "soon"$/],
    ['{"Interval":1e300}', /must be a duration/],
    ['{"Flags":-1}', /must be an unsigned integer of 64 bits/],
    ['{"Flags":18446744073709551616}', /must be an unsigned integer of 64 bits/],
  ];
  for (const [body, text] of REFUSED) {
    it(`says what is wrong with ${JSON.stringify(body)}`, () => {
      assert.throws(
        () => decode(body),
        (error) =>
          error instanceof ProconsulError && error.code === 'invalid' && text.test(error.message),
      );
    });
  }
});
