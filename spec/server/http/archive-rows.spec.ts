import assert from 'node:assert/strict';
import fc from 'fast-check';
import { packArchive } from '../../../lib/archive/pack.ts';
import {
  RECORD,
  type RecordKind,
  RecordWriter,
  readRecords,
} from '../../../lib/archive/records.ts';
import { RowReader } from '../../../server/http/archive/read-rows.ts';
import { recordsOf } from '../../../server/http/archive/write-rows.ts';
import { countRows, foundIn } from '../../../server/state/tables.ts';
import { restored, stateHash } from '../../support/experiments/state-hash.ts';
import { bytesAfterScavenge, liveBytes } from '../../support/heap.ts';
import { SEED } from '../../support/seed.ts';
import { startServer } from '../../support/servers/start-server.ts';

const MB = 1024 * 1024;
const text = fc.constantFrom('', 'a', 'b', 'A', 'a\0b', '__proto__', 'ü', 'x'.repeat(300));
const number = fc.constantFrom(0, 1, -1, 7, 5000, 1.5, 2 ** 53 - 1);
const anything = fc.oneof(
  text,
  number,
  fc.boolean(),
  fc.constant(null),
  fc.constant([]),
  fc.constant({}),
  fc.constant(['a', null]),
  fc.constant({ a: 'b', __proto__: 'c' }),
);

const FIELDS = [
  ...['Node', 'Address', 'ID', 'NodeMeta', 'TaggedAddresses', 'Service', 'Check', 'Key', 'Value'],
  ...['Flags', 'Session', 'Name', 'TTL', 'LockDelay', 'NodeChecks', 'ServiceChecks', 'Template'],
  ...['CreateIndex', 'ModifyIndex', 'SecretID', 'AccessorID', 'Policies', 'Roles', 'Rules', 'Hash'],
  ...['Coord', 'Segment', 'Checks', 'Behavior', 'ExpirationTime', 'CreateTime', 'LockIndex'],
  ...['MaxTrailingLogs', 'ServerStabilizationTime', 'LastContactThreshold', 'MinQuorum'],
  ...['Config', 'MaxTokenTTL', 'TokenLocality', 'Type', 'AuthMethod', 'Selector', 'BindVars'],
];

/** A struct as Go writes it, of which any field may be something else. */
const struct = fc.dictionary(fc.constantFrom(...FIELDS), anything, { maxKeys: 8 });
const nested = fc.record(
  {
    Node: text,
    Address: text,
    Service: fc.oneof(struct, anything),
    Check: fc.oneof(struct, anything),
    CreateIndex: number,
    ModifyIndex: number,
  },
  { requiredKeys: ['Node'] },
);
const record = fc.tuple(
  fc.constantFrom(...(Object.keys(RECORD) as RecordKind[])),
  fc.oneof(struct, nested, fc.array(struct, { maxLength: 2 })),
);

async function archiveOf(records: readonly (readonly [RecordKind, object])[]): Promise<Buffer> {
  const writer = new RecordWriter();
  const archive = await packArchive({
    ID: 'x',
    Index: 9,
    Term: 1,
    *state() {
      yield writer.head(9);
      for (const [kind, value] of records) yield writer.record(kind, value);
    },
  });
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

describe(`an archive of any records (seed ${SEED})`, () => {
  it('is refused with the name of a policy whose rules are longer than one may write here', async () => {
    const { put, server } = await startServer();
    const row = { ID: '11111111-1111-4111-8111-111111111111', Name: 'long', Description: '' };
    const Rules = `${'#'.repeat(300_000)}\n`;
    const archive = await archiveOf([
      ['policy', { ...row, Rules, CreateIndex: 1, ModifyIndex: 1 }],
    ]);
    const { index } = server.state;
    const { status, text } = await put('/v1/snapshot', archive);
    assert.equal(status, 500);
    assert.match(text, /the rules of long are longer than 262144 bytes/);
    assert.equal(server.state.index, index);
  });

  it('is refused before anything changes, or comes to a state that answers', async () => {
    const { put, get, server } = await startServer();
    await put('/v1/kv/kept', '1');
    let taken = 0;
    const property = fc.asyncProperty(fc.array(record, { maxLength: 4 }), async (records) => {
      const before = stateHash(server.state);
      const { status, text: why } = await put('/v1/snapshot', await archiveOf(records));
      if (status !== 200) {
        assert.equal(status, 500);
        assert.match(why, /^failed to read the snapshot: /);
        assert.equal(stateHash(server.state), before);
        return;
      }
      taken++;
      assert.equal(stateHash(restored(server.state)), stateHash(server.state));
      for (const path of [
        '/v1/catalog/nodes',
        '/v1/catalog/services',
        '/v1/catalog/service/a',
        '/v1/health/service/a',
        '/v1/health/state/any',
        '/v1/catalog/node/a',
        '/v1/kv/?recurse',
        '/v1/session/list',
        '/v1/query',
        '/v1/coordinate/nodes',
        '/v1/internal/ui/nodes',
        '/v1/internal/ui/services',
        '/v1/catalog/nodes?near=a',
        '/v1/operator/autopilot/configuration',
        '/v1/snapshot',
      ]) {
        const answer = await get(path);
        assert([200, 404].includes(answer.status), `${path}: ${answer.status} ${answer.text}`);
      }
      await put('/v1/kv/after', 'x');
      const rows = (await get('/v1/kv/?recurse')).json as { Key: string; ModifyIndex: number }[];
      const last = rows.find(({ Key }) => Key === 'after')?.ModifyIndex ?? 0;
      for (const { Key, ModifyIndex } of rows) assert(Key === 'after' || ModifyIndex < last, Key);
    });
    await fc.assert(property, { seed: SEED, numRuns: 150 });
    assert(taken > 10, `${taken} were taken`);
  }).timeout(120_000);
});

describe('rows on their way out of an archive and back', () => {
  it('say the same as they did, so that a restore need not keep them twice', async () => {
    const { put, server } = await startServer();
    const plain = { Service: 'web', Port: 80, Tags: ['a'], Meta: { k: 'v' } };
    const native = { Service: 'native', Connect: { Native: true }, Weights: { Passing: 3 } };
    const proxy = {
      Kind: 'connect-proxy',
      Service: 'web-proxy',
      Port: 81,
      Proxy: { DestinationServiceName: 'web', Upstreams: [{ DestinationName: 'db' }] },
    };
    const Check = { CheckID: 'c', Name: 'c', Status: 'passing', Definition: { HTTP: 'http://x' } };
    for (const [i, Service] of [plain, native, proxy].entries()) {
      await put('/v1/catalog/register', { Node: `n${i}`, Address: '10.0.0.1', Service, Check });
    }
    await put('/v1/kv/a?flags=7', 'x');
    await put('/v1/config', { Kind: 'service-resolver', Name: 'a', ConnectTimeout: '3s' });
    await put('/v1/config', { Kind: 'proxy-defaults', Config: { a: { b: [1, 'x'] } } });
    for (const source of ['web', '*']) {
      const exact = `/v1/connect/intentions/exact?source=${source}&destination=db`;
      await put(exact, { Action: 'deny', Meta: { k: 'v' } });
    }
    await put('/v1/session/create', { Node: 'n0', Checks: [], TTL: '30s' });
    const reader = new RowReader('dc1');
    const state = (async function* () {
      yield* recordsOf(server.state)();
    })();
    let same = 0;
    for await (const row of reader.rows(readRecords(state))) {
      for (const found of foundIn(server.state, row)) {
        assert.notEqual(found.same, undefined, JSON.stringify(row));
        same++;
      }
    }
    assert.equal(same, countRows(server.state));
  });
});

describe('rows on their way into an archive', () => {
  it('leave nothing behind that waits for a full collection of all memory', async () => {
    const { put, server } = await startServer();
    const Checks = Array.from({ length: 2000 }, (_, i) => ({ CheckID: `c${i}`, Name: `n${i}` }));
    await put('/v1/catalog/register', { Node: 'n', Address: '10.0.0.1', Checks });
    const records = recordsOf(server.state);
    await liveBytes();
    const before = bytesAfterScavenge();
    for (let round = 0; round < 20; round++) {
      for (const each of records()) assert(each.length > 0);
    }
    const left = bytesAfterScavenge() - before;
    assert(left < 8 * MB, `${(left / MB).toFixed(1)} MB of 40,000 records are left`);
  });
});
