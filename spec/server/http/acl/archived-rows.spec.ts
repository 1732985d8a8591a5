/** Rows of access control that nobody could have written here come in by no archive either. */
import assert from 'node:assert/strict';
import { packArchive } from '../../../../lib/archive/pack.ts';
import { type RecordKind, RecordWriter } from '../../../../lib/archive/records.ts';
import { MASTER, startAclServer } from '../../../support/servers/acl-server.ts';
import { until } from '../../../support/until.ts';

async function archiveOf(kind: RecordKind, row: object): Promise<Buffer> {
  const writer = new RecordWriter();
  const archive = await packArchive({
    ID: 'x',
    Index: 9,
    Term: 1,
    *state() {
      yield writer.head(9);
      yield writer.record(kind, row);
    },
  });
  return Buffer.concat((await archive.toArray()) as Buffer[]);
}

const TOKEN = { AccessorID: '33333333-3333-4333-8333-333333333333', SecretID: 's' };
const POLICY = { ID: '22222222-2222-4222-8222-222222222222', Name: 'p', Rules: '' };
/** A time of Go's in the year 292,277,026,596. */
const BEYOND = Buffer.from([1, ...Array<number>(7).fill(0x7f), ...Array<number>(7).fill(0)]);

const STRANGE: readonly (readonly [RecordKind, object])[] = [
  ['token', { AccessorID: TOKEN.AccessorID }],
  ['token', { ...TOKEN, SecretID: '' }],
  ['token', { ...TOKEN, SecretID: { a: 1 } }],
  ['token', { ...TOKEN, Policies: [null] }],
  ['token', { ...TOKEN, Roles: [{ Name: 'r' }] }],
  ['token', { ...TOKEN, ServiceIdentities: [null] }],
  ['token', { ...TOKEN, ServiceIdentities: [{ ServiceName: 'a', Datacenters: 'dc1' }] }],
  ['token', { ...TOKEN, NodeIdentities: [7] }],
  ['token', { ...TOKEN, TemplatedPolicies: [{ TemplateVariables: 'x' }] }],
  ['token', { ...TOKEN, ExpirationTime: BEYOND }],
  ['token', { ...TOKEN, CreateTime: BEYOND }],
  ['policy', { Name: 'p' }],
  ['policy', { ...POLICY, Datacenters: [null] }],
  ['policy', { ...POLICY, Rules: ['x'] }],
  ['role', { ...POLICY, ServiceIdentities: [null] }],
  ['authMethod', { Name: [{}], Type: 'jwt' }],
  ['authMethod', { Name: 'm', Type: 'jwt', Config: 'x' }],
  ['bindingRule', { ID: 7 }],
];

describe('an archive with rows of access control that are not as they are written', () => {
  it('is refused before anything changes', async () => {
    const { as, server } = await startAclServer();
    const { index } = server.state;
    for (const [kind, row] of STRANGE) {
      const { status, text } = await as(MASTER, 'PUT', '/v1/snapshot', await archiveOf(kind, row));
      const what = `${kind} ${JSON.stringify(row)}: ${text}`;
      assert.equal(status, 500, what);
      assert.match(text, /^failed to read the snapshot: (?!Cannot)/, what);
    }
    assert.equal(server.state.index, index);
  });

  it('is taken where they only leave out what says nothing', async () => {
    const { as, clock, server } = await startAclServer();
    const bare = await archiveOf('token', { ...TOKEN, Policies: null, ExpirationTime: null });
    assert.equal((await as(MASTER, 'PUT', '/v1/snapshot', bare)).status, 200);
    await clock.advance(500);
    await until(() => server.state.acl.tokens.get(MASTER) !== undefined);
    const { status, text } = await as(MASTER, 'GET', '/v1/acl/tokens');
    assert.equal(status, 200, text);
    assert.match(text, new RegExp(TOKEN.AccessorID));
  });
});
