import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { Ajv } from 'ajv';
import fc from 'fast-check';
import { allRoutes } from '../../docs/compat-table.ts';
import { isRaw } from '../../lib/http/takes.ts';
import { checkOf, faultOf, type Schema } from '../../lib/schema.ts';
import { SEED } from '../support/seed.ts';

/** Each schema of a body, under the row's name, the same one once. */
function schemas(): Map<Schema, string> {
  const found = new Map<Schema, string>();
  for (const { method, path, body } of allRoutes()) {
    if (body !== undefined && !isRaw(body)) found.set(body.schema, `${method} ${path}`);
  }
  return found;
}

/** As it judged bodies for long: what it said is known to clients. */
function withOurWords(): Ajv {
  const ajv = new Ajv({
    useDefaults: true,
    strictTypes: false,
    keywords: ['free', 'aliases', 'unheeded', 'open'],
  });
  ajv.addKeyword({
    keyword: 'duration',
    validate: (_: boolean, v: unknown) => Number.isInteger(v) && Math.abs(Number(v)) < 2 ** 63,
    error: { message: 'must be a duration such as "10s"' },
  });
  ajv.addKeyword({
    keyword: 'uint64',
    validate: (_: boolean, v: unknown) =>
      (typeof v === 'bigint' && v >= 0n && v < 2n ** 64n) ||
      (Number.isSafeInteger(v) && Number(v) >= 0 && !Object.is(v, -0)),
    error: { message: 'must be an unsigned integer of 64 bits' },
  });
  return ajv;
}

const WHOLE = { depth: Number.POSITIVE_INFINITY };
const SCALARS = fc.constantFrom<unknown>(
  ...['', 'a', 'https://a', 'passing', 'x'.repeat(9000), '\u{1f600}', null, true, false],
  ...[0, -0, 1, 2, 80, 1.5, -1, 120_001, 2 ** 53, 1e21, 10n],
);

/** Mostly what the schema asks for, and now and then something else at any depth. */
function saying(schema: Schema, depth = 0): fc.Arbitrary<unknown> {
  const { type, items, properties = {}, additionalProperties, enum: allowed } = schema;
  const other = fc.oneof(SCALARS, fc.constant([]), fc.constant({}), fc.constant({ a: [1] }));
  const lists = fc.array(items && depth < 6 ? saying(items, depth + 1) : SCALARS, {
    maxLength: 3,
  });
  const fields = Object.entries(properties).map(([name, sub]): [string, fc.Arbitrary<unknown>] => [
    name,
    saying(sub, depth + 1),
  ]);
  const named = fc.record(Object.fromEntries(fields), { requiredKeys: [] });
  const values = additionalProperties ? saying(additionalProperties, depth + 1) : SCALARS;
  const maps = fc.dictionary(fc.constantFrom('a', 'b', '', '1', '__proto__'), values, {
    maxKeys: 3,
  });
  const asked = new Map<unknown, fc.Arbitrary<unknown>>([
    ['array', lists],
    ['object', fields.length > 0 ? named : maps],
    ['string', fc.constantFrom('', 'a', 'https://a', 'x'.repeat(9000))],
    ['boolean', fc.boolean()],
    ['integer', fc.constantFrom(0, 1, 80, -1, 120_001)],
    ['number', fc.constantFrom(0, 0.5, -1)],
  ]);
  const one = (allowed && fc.constantFrom(...allowed)) ?? asked.get([type].flat()[0]) ?? SCALARS;
  return fc.oneof({ weight: 30, arbitrary: one }, { weight: 1, arbitrary: other });
}

describe('what a schema says of a value', () => {
  it('is what Ajv says by the same schema, faults and defaults, for the body of each row', () => {
    const ajv = withOurWords();
    for (const [schema, row] of schemas()) {
      const validate = ajv.compile(schema);
      const check = checkOf(schema);
      const property = fc.property(saying(schema), (value) => {
        const [theirs, ours] = [structuredClone(value), structuredClone(value)];
        validate(theirs);
        const [error] = validate.errors ?? [];
        const fault = faultOf(ours, check);
        const where = error?.instancePath.replaceAll('/', '.');
        assert.deepEqual(fault && [fault.at, fault.message], error && [where, error.message], row);
        if (fault === undefined) assert.equal(inspect(ours, WHOLE), inspect(theirs, WHOLE), row);
      });
      fc.assert(property, { seed: SEED, numRuns: 100 });
    }
  });

  it('refuses a word that it does not know, wherever it stands', () => {
    const misspelt = { properties: { ID: { minimumLength: 1 } } } as Schema;
    assert.throws(() => checkOf(misspelt), /no schema says "minimumLength"/);
  });

  it('fills in a default of its own for each value', () => {
    const check = checkOf({
      type: 'object',
      properties: { Meta: { type: 'object', default: {} } },
    });
    const [one, other]: { Meta?: object }[] = [{}, {}];
    for (const value of [one, other]) assert.equal(faultOf(value, check), undefined);
    assert.deepEqual(one, { Meta: {} });
    assert.notEqual(one?.Meta, other?.Meta);
  });
});
