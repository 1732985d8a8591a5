import assert from 'node:assert/strict';
import { startServer } from '../../support/servers/start-server.ts';

const AUTOPILOT = '/v1/operator/autopilot/configuration';
const CONFIG = 'Bad request: Error parsing autopilot config: ';

describe(`PUT ${AUTOPILOT}`, () => {
  const REFUSED: readonly (readonly [string, string, RegExp])[] = [
    ['', '{"MaxTrailingLogs":-1}', /^Bad request: Error parsing autopilot config: MaxTrailingLogs/],
    ['', '{"MinQuorum":1.5}', /^Bad request: Error parsing autopilot config: MinQuorum/],
    ['', '{"Unknown":1}', new RegExp(`^${CONFIG}json: unknown field "Unknown"$`)],
    ['', '', new RegExp(`^${CONFIG}EOF$`)],
    ['', '{"LastContactThreshold":"soon"}', new RegExp(`^${CONFIG}time: invalid duration "soon"$`)],
    ['?cas=x', '{}', /^Bad request: Error parsing cas value: strconv.ParseUint: parsing "x": inv/],
    ['?cas=18446744073709551616', '{}', /cas value: strconv.ParseUint: .*: value out of range$/],
  ];
  for (const [query, body, complaint] of REFUSED) {
    it(`refuses ${query} ${body}, and keeps what was there`, async () => {
      const { put, get } = await startServer();
      const before = (await get(AUTOPILOT)).text;
      const { status, text } = await put(AUTOPILOT + query, body);
      assert.equal(status, 400);
      assert.match(text, complaint);
      assert.equal((await get(AUTOPILOT)).text, before);
    });
  }

  it('takes back what it has shown, and numbers of 64 bits', async () => {
    const { put, get } = await startServer();
    const shown = (await get(AUTOPILOT)).json as { ModifyIndex: number };
    const body = JSON.stringify({ ...shown, MaxTrailingLogs: 0 }).replace(
      '"MaxTrailingLogs":0',
      '"MaxTrailingLogs":18446744073709551615',
    );
    assert.equal((await put(`${AUTOPILOT}?cas=${shown.ModifyIndex}`, body)).text, 'true');
    assert.match((await get(AUTOPILOT)).text, /"MaxTrailingLogs":18446744073709551615/);
    assert.equal((await put(`${AUTOPILOT}?cas=18446744073709551615`, body)).text, 'false');
  });
});

describe('DELETE /v1/operator/raft/peer', () => {
  for (const [query, status, complaint] of [
    ['', 400, "Bad request: Must specify either ?id with the server's ID or ?address with IP:port"],
    ['?id=a&address=b', 400, 'Bad request: Must specify only one of ?id or ?address'],
    ['?id=a', 500, 'id "a" was not found in the Raft configuration'],
    ['?address=a', 500, 'address "a" was not found in the Raft configuration'],
  ] as const) {
    it(`refuses ${query}`, async () => {
      const answer = await (await startServer()).del(`/v1/operator/raft/peer${query}`);
      assert.equal(answer.status, status);
      assert(answer.text.startsWith(complaint), answer.text);
    });
  }
});

describe('/v1/operator/keyring', () => {
  it('is empty, in one pool or both, and takes no key', async () => {
    const { get, put } = await startServer();
    const both = await get('/v1/operator/keyring?local-only=false');
    assert.match(both.text, /^4 errors occurred:\n\t\* WAN error: 1\/1 nodes reported failure\n/);
    const local = await get('/v1/operator/keyring?local-only=1');
    assert.match(local.text, /^2 errors occurred:\n\t\* dc1 \(LAN\) error/);
    assert.equal((await get('/v1/operator/keyring?local-only=x')).status, 400);
    assert.equal((await get('/v1/operator/keyring?relay-factor=6')).status, 400);
    assert.equal((await put('/v1/operator/keyring', { Key: 'x' })).status, 500);
    assert.equal((await put('/v1/operator/keyring', { Foo: 'x' })).status, 400);
  });
});
