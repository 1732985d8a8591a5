import assert from 'node:assert/strict';
import { decoder, type Schema, valueDecoder } from '../../lib/decode.ts';
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
    Open: { type: 'object', open: true, properties: { ID: { type: 'string' } } },
  },
  unheeded: ['NewerThing'],
});
const decodePart = valueDecoder({ type: 'object', properties: { ID: { type: 'string' } } });

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

  it('takes no list of objects that is longer than anybody needs, wherever it stands', () => {
    const list = (length: number) => `[${Array(length).fill('{}').join()}]`;
    assert.deepEqual((decode(`{"List":${list(4096)}}`)['List'] as object[]).length, 4096);
    const deep = decoder({
      type: 'object',
      properties: { Map: { type: 'object', additionalProperties: decode.schema } },
    });
    for (const [read, body, where] of [
      [decode, `{"List":${list(4097)}}`, 'List'],
      [deep, `{"Map":{"a":{"List":${list(4097)}}}}`, 'Map.a.List'],
    ] as const) {
      const why = `Request decode failed: ${where} must NOT have more than 4096 items`;
      assert.throws(() => read(body), new ProconsulError('invalid', why));
    }
  });

  it('takes no map with more names than anybody needs, but in a part of a file', () => {
    const names = (length: number) =>
      Object.fromEntries(Array.from({ length }, (_, i) => [`k${i}`, 'v']));
    const body = (length: number) => JSON.stringify({ Meta: names(length) });
    assert.equal(Object.keys(decode(body(4096))['Meta'] as object).length, 4096);
    const why = 'Request decode failed: an object has more than 4096 names';
    assert.throws(() => decode(body(4097)), new ProconsulError('invalid', why));
    const part = valueDecoder<Record<string, object>>(decode.schema);
    assert.equal(Object.keys(part({ Meta: names(5000) })['Meta'] ?? {}).length, 5000);
  });

  it('takes null as if it were not there, also in place of the whole', () => {
    const body = '{"Port":null,"Meta":{"a":null},"List":[{"id":"a"}]}';
    assert.deepEqual(decode(body), { Meta: {}, List: [{ ID: 'a' }], ServiceName: '' });
    assert.deepEqual(decode('null'), { ServiceName: '' });
  });

  it('refuses by its name what no client knows, and passes over what one may send', () => {
    const complaint = /^Request decode failed: json: unknown field "some_thing"$/;
    assert.throws(() => decode('{"some_thing":null}'), { message: complaint });
    assert.throws(() => decode('{"List":[{"some_thing":1}]}'), { message: complaint });
    assert.deepEqual(decode('{"newer_thing":{"x":1}}'), { ServiceName: '' });
    assert.deepEqual(decode('{"Open":{"some_thing":1,"id":"a"}}')['Open'], { ID: 'a' });
    assert.deepEqual(decodePart({ some_thing: 1, ID: 'a' }), { ID: 'a' });
  });

  it('refuses what is meant for another namespace or partition, at any depth and everywhere', () => {
    const complaint = /unknown field "(namespace|Namespace)" - Namespaces are a Consul Enterprise/;
    assert.throws(() => decode('{"Namespace":"x"}'), { message: complaint });
    assert.throws(() => decode('{"List":[{"namespace":"x"}]}'), { message: complaint });
    assert.throws(() => decode('{"Open":{"Namespace":"default"}}'), { message: complaint });
    assert.throws(() => decodePart({ Namespace: 'x' }), { message: complaint });
    assert.throws(() => decode('{"Partition":"x"}'), { message: /Partitions are a Consul/ });
    const none = '{"Namespace":"","Partition":"default","Free":{"Namespace":"x"}}';
    assert.deepEqual(decode(none), { Free: { Namespace: 'x' }, ServiceName: '' });
  });

  it('refuses what is meant for another cluster, under all names that say so', () => {
    for (const name of ['PeerName', 'Peer', 'DestinationPeer', 'source_peer']) {
      const complaint = new RegExp(`unknown field "${name}" - clusters are not peered here`);
      assert.throws(() => decode(`{"List":[{"${name}":"x"}]}`), { message: complaint });
      assert.deepEqual(decode(`{"${name}":""}`), { ServiceName: '' });
    }
    assert.throws(() => decode('{"SamenessGroup":"x"}'), {
      message: /Sameness groups are a Consul/,
    });
    assert.throws(() => decode('{"DestinationPartition":"x"}'), { message: /Partitions are a/ });
    assert.deepEqual(decode('{"DestinationPartition":"default"}'), { ServiceName: '' });
  });

  it('puts the names of maps in the order of their bytes', () => {
    const body = '{"Meta":{"b":"1","\uffff":"2","\ud83d\ude00":"3","a":"4"}}';
    assert.deepEqual(Object.keys(decode(body)['Meta'] as object), [
      'a',
      'b',
      '\uffff',
      '\u{1f600}',
    ]);
  });

  it('says of a duration what Go says', () => {
    const complain = (sent: string) => () => decode(`{"Interval":"${sent}"}`);
    assert.throws(complain('10'), { message: /time: missing unit in duration "10"$/ });
    assert.throws(complain('1s5x'), { message: /time: unknown unit "x" in duration "1s5x"$/ });
    assert.throws(complain('s'), { message: /time: invalid duration "s"$/ });
  });

  it('never quotes a body that is no JSON', () => {
    const complain = () => decode('{"Token":"secret","x":secret}');
    const message = "Request decode failed: invalid character 's' looking for beginning of value";
    assert.throws(complain, { message });
  });

  it('reads durations as text or nanoseconds', () => {
    const read = (sent: string) => decode(`{"Interval":${sent}}`)['Interval'];
    assert.deepEqual([read('"1m30s"'), read('10000'), read('""')], [90e9, 10_000, 0]);
  });

  it('keeps the digits of 64 bits', () => {
    assert.equal(decode('{"Flags":18446744073709551615}')['Flags'], 2n ** 64n - 1n);
  });

  it('reads what is large and mostly not there as it reads all else', () => {
    const text = { type: 'string', default: '' };
    const names = Array.from({ length: 10 }, (_, i) => `Name${i}`);
    const part = (more: Schema) => ({
      type: 'object',
      properties: { ...Object.fromEntries(names.map((name) => [name, text])), ...more },
    });
    const read = decoder<Record<string, unknown>>({
      type: 'object',
      properties: {
        One: part({ Within: part({ Port: { type: 'integer' } }) }),
        Set: { ...part({}), default: { Name1: 'set' } },
        Many: { type: 'array', items: part({}), default: [] },
      },
    });
    const empty = Object.fromEntries(names.map((name) => [name, '']));
    const set = { ...empty, Name1: 'set' };
    assert.deepEqual(read('{}'), { Set: set, Many: [] });
    const sent = '{"one":{"within":{"name_2":"b","Port":1}},"Many":[{},{"Name1":"set"}]}';
    const within = { ...empty, Name2: 'b', Port: 1 };
    const read1 = { One: { ...empty, Within: within }, Set: set, Many: [empty, set] };
    assert.deepEqual([read(sent), read(sent)], [read1, read1]);
    for (const [body, fault] of [
      ['{"One":1}', 'One must be object'],
      ['{"One":{"Within":{"Port":"1"}}}', 'One.Within.Port must be integer'],
      ['{"Many":[{},{"Name3":3}]}', 'Many.1.Name3 must be string'],
      ['{"Many":{}}', 'Many must be array'],
    ] as const) {
      assert.throws(() => read(body), { message: `Request decode failed: ${fault}` });
    }
    // What was wrong before is not held against the next.
    assert.deepEqual(read(sent), read1);
  });

  const REFUSED: readonly (readonly [string, RegExp])[] = [
    ['', /^Request decode failed: EOF$/],
    ['  ', /^Request decode failed: EOF$/],
    ['{', /^Request decode failed: ./],
    ['[]', /^Request decode failed: body must be object$/],
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
