/** Every row of a server's table under every kind of token, asked for the first time and again. */
import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import type { Route } from '../../../lib/http/route.ts';
import {
  ASKED,
  absentRequestOf,
  isForAll,
  isManagers,
  isRead,
  type Kind,
  keyOf,
  type MatrixRequest,
  requestOf,
  STRANGERS,
  said,
  startMatrix,
  UNKNOWN,
} from '../../support/rights-matrix.ts';
import type { Answer } from '../../support/servers/start-server.ts';

async function start() {
  const matrix = await startMatrix();
  const { server, tokens, ids } = matrix;
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  after(() => agent.destroy());
  const ask = (kind: Kind, { method, target, body }: MatrixRequest): Promise<Answer> => {
    const token = tokens[kind];
    const headers = token === '' ? {} : { 'X-Consul-Token': token };
    return server.ask(method, target, { body, agent, headers });
  };
  const asked = (kind: Kind, row: Route) => ask(kind, requestOf(row, ids));
  const state = server.server;
  return { ...matrix, ask, asked, state };
}

/** What whoever asks is told of himself alone. */
const OF_ONESELF =
  /^(?:GET \/v1\/acl\/(?:token\/self|info\/)|POST \/v1\/(?:internal\/acl\/authorize|acl\/logout))/;
/** Those whose answers hold nothing by the names of what is planted. */
const NAMELESS_ANSWERS = /^GET \/v1\/(?:operator\/|peering|health\/ingress\/)/;
/** As Consul's: whoever knows the id is told by these that there is such a thing. */
const TELL_OF_IDS = /^(?:GET|PUT|DELETE) \/v1\/(?:query|session)\//;

describe('the matrix of rows and tokens', () => {
  it('leaves no row out', async () => {
    const { rows } = await start();
    assert.deepEqual(rows.map(keyOf).sort(), Object.keys(ASKED).sort());
  });

  for (const kind of STRANGERS) {
    it(`gives nothing away and lets nothing be changed: ${kind}`, async () => {
      const { state, rows, asked } = await start();
      const known = rows.filter((row) => !isForAll(row));
      // The second time from the fast path, where there is one.
      for (const row of known.flatMap((each) => (isRead(each) ? [each, each] : [each]))) {
        const { index } = state.state;
        const answer = await asked(kind, row);
        const what = said(row, kind, answer);
        // What was asked for may be said again.
        const text = answer.text.replace(/"Segment":"planted\/key"|node:write on planted$/, '');
        assert.doesNotMatch(text + JSON.stringify(answer.headers), /planted|10\.9\.9/, what);
        if (row.right.by === 'row') assert.match(answer.text, /denied/, what);
        if (row.right.by === 'writer') assert.equal(answer.status, 403, what);
        assert.equal(state.state.index, index, what);
      }
    });

    it(`tells nothing of what is there by how it refuses: ${kind}`, async () => {
      const { rows, asked, ask } = await start();
      for (const row of rows.filter((each) => !isForAll(each) && !TELL_OF_IDS.test(keyOf(each)))) {
        const [there, missing] = [await asked(kind, row), await ask(kind, absentRequestOf(row))];
        const seen = ({ status, headers, text }: Answer) => [
          ...[status, headers['x-consul-index'], headers['content-type']],
          text.replaceAll('planted', 'missing'),
        ];
        assert.deepEqual(seen(there), seen(missing), keyOf(row));
      }
    });
  }

  it('refuses a token that nobody knows, that was revoked, or has expired', async () => {
    const { state, rows, asked, end } = await start();
    const known = rows.filter((row) => !isForAll(row));
    // So that the fast path knows them.
    for (const row of known.filter(isRead)) {
      for (const kind of ['revoked', 'expired'] as const) {
        assert.notEqual((await asked(kind, row)).text, 'ACL not found');
        await asked(kind, row);
      }
    }
    await end();
    const { index } = state.state;
    for (const row of known) {
      for (const kind of UNKNOWN) {
        for (const _ of ['once', 'again']) {
          const answer = await asked(kind, row);
          const what = said(row, kind, answer);
          assert.deepEqual([answer.status, answer.text], [403, 'ACL not found'], what);
        }
      }
    }
    assert.equal(state.state.index, index);
  });

  it('answers whatever token comes alike where anyone may', async () => {
    const { rows, asked, end } = await start();
    await end();
    // Who the token stands for is what it is asked.
    const free = rows.filter((row) => isForAll(row) && !/acl\/(?:resolve|token)/.test(row.path));
    for (const row of free) {
      const none = await asked('none', row);
      for (const kind of UNKNOWN) {
        const { status, text } = await asked(kind, row);
        assert.deepEqual([status, text], [none.status, none.text], keyOf(row));
      }
    }
  });

  it('shows to who may read, who may change nothing', async () => {
    const { state, rows, asked } = await start();
    for (const row of rows.filter((each) => !isForAll(each) && !OF_ONESELF.test(keyOf(each)))) {
      const { index } = state.state;
      const answer = await asked('read', row);
      const what = said(row, 'read', answer);
      if (!isRead(row) || isManagers(row)) {
        assert.match(answer.text, /denied/, what);
        assert.equal(state.state.index, index, what);
      } else if (!NAMELESS_ANSWERS.test(keyOf(row))) assert.match(answer.text, /planted/, what);
      else assert.doesNotMatch(answer.text, /denied/, what);
    }
  });

  it('lets who may write do so', async () => {
    const { rows, asked } = await start();
    const inOrder = Object.keys(ASKED);
    for (const row of [...rows].sort(
      (a, b) => inOrder.indexOf(keyOf(a)) - inOrder.indexOf(keyOf(b)),
    )) {
      const answer = await asked('write', row);
      const what = said(row, 'write', answer);
      if (isManagers(row)) assert.equal(answer.text, 'Permission denied', what);
      else if (!isForAll(row) && !OF_ONESELF.test(keyOf(row)))
        assert.doesNotMatch(answer.text, /denied/, what);
      if (row.right.by === 'writer') assert.equal(answer.status, 200, what);
    }
  });
});
