import assert from 'node:assert/strict';
import { KEYS, sealedPayloads } from '../../support/sealed.ts';
import { startServerWith } from '../../support/servers/start-server.ts';

const PATH = '/v1/operator/keyring';

/** Each kind of complaint, in both of Consul's pools. */
const NOT_IN_KEYRING = `4 errors occurred:
\t* WAN error: 1/1 nodes reported failure
\t* n1.dc1: Requested key is not in the keyring
\t* dc1 (LAN) error: 1/1 nodes reported failure
\t* n1: Requested key is not in the keyring

`;
const NO_BASE64 = `2 errors occurred:
\t* WAN error: illegal base64 data at input byte 4
\t* dc1 (LAN) error: illegal base64 data at input byte 4

`;

describe(PATH, () => {
  const start = async () => {
    const server = await startServerWith({ payloads: sealedPayloads() });
    const change = (method: string, Key: string, query = '') => {
      const body = JSON.stringify({ Key });
      const headers = { 'content-length': String(body.length) };
      return server.ask(method, `${PATH}${query}`, { body, headers });
    };
    const list = async (query = '') => (await server.get(`${PATH}${query}`)).json;
    return { ...server, change, list };
  };
  const pool = { Datacenter: 'dc1', Segment: '', NumNodes: 1 };

  it('lists the keys, twice as Consul does, or once', async () => {
    const { list } = await start();
    const keys = { Keys: { [KEYS.first]: 1 }, PrimaryKeys: { [KEYS.first]: 1 } };
    const lan = { WAN: false, ...pool, ...keys };
    assert.deepEqual(await list(), [{ WAN: true, ...pool, ...keys }, lan]);
    assert.deepEqual(await list('?local-only=true'), [lan]);
  });

  it('installs, uses and removes a key, with the log under it from then on', async () => {
    const { change, list, put } = await start();
    for (const [method, key] of [
      ['POST', KEYS.second],
      ['POST', KEYS.second],
      ['PUT', KEYS.second],
      ['DELETE', KEYS.first],
      ['DELETE', KEYS.first],
    ] as const) {
      const { status, text } = await change(method, key);
      assert.deepEqual([status, text], [200, ''], `${method}`);
    }
    assert.equal((await put('/v1/kv/a', 'x')).status, 200);
    const keys = { Keys: { [KEYS.second]: 1 }, PrimaryKeys: { [KEYS.second]: 1 } };
    assert.deepEqual(await list('?local-only=1'), [{ WAN: false, ...pool, ...keys }]);
  });

  it("refuses in Consul's words, and shows no key", async () => {
    const { change } = await start();
    const refusals: readonly (readonly [string, string, number, string])[] = [
      ['PUT', KEYS.second, 500, NOT_IN_KEYRING],
      ['POST', 'short', 500, NO_BASE64],
    ];
    for (const [method, key, status, text] of refusals) {
      const answer = await change(method, key);
      assert.deepEqual([answer.status, answer.text], [status, text]);
    }
    assert.match(
      (await change('DELETE', KEYS.first)).text,
      /Removing the primary key is not allow/,
    );
    assert.match((await change('POST', 'c2hvcnQ=')).text, /key size must be 16, 24 or 32 bytes/);
    const local = await change('POST', KEYS.second, '?local-only=true');
    assert.equal(
      local.text,
      'Bad request: Invalid use of local-only: local-only can only be set for list requests',
    );
  });
});
