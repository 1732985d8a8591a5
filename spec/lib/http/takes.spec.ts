import assert from 'node:assert/strict';
import { allRoutes } from '../../../docs/compat-table.ts';
import { decoder, optional, refined } from '../../../lib/decode.ts';
import { createApp } from '../../../lib/http/app.ts';
import { anyone } from '../../../lib/http/right.ts';
import type { Handler, Route } from '../../../lib/http/route.ts';
import { param, type Takes } from '../../../lib/http/takes.ts';
import { silentLogger } from '../../../lib/logger.ts';
import { serveHttp } from '../../support/servers/http-servers.ts';
import { send } from '../../support/servers/start-server.ts';

interface Named {
  readonly Name: string;
}
const name = { type: 'string', default: '' } as const;
const named = decoder<Named>({ type: 'object', properties: { Name: name } });

async function answerTo(takes: Takes, handle: Handler, query = '', body = '') {
  const row: Route = { ...takes, method: 'PUT', path: '/v1/x', right: anyone, does: '', handle };
  const { port } = await serveHttp(createApp({ routes: [row] }, { logger: silentLogger }));
  const { status, text } = await send(port, 'PUT', `/v1/x${query}`, { body });
  return [status, text];
}
const BROKEN = [500, 'Internal error'];

describe('a row of the route table', () => {
  it('is handed the parameters that it says it takes', async () => {
    const handle: Handler = ({ params }) => ({ text: params.get('near') });
    const params = { near: param.text('nearest first') };
    assert.deepEqual(await answerTo({ params }, handle, '?near=n1'), [200, 'n1']);
  });

  it('is broken where it asks for others, sent or not: it could be described by nobody', async () => {
    const handle: Handler = ({ params }) => ({ text: String(params.has('near')) });
    assert.deepEqual(await answerTo({}, handle), BROKEN);
    assert.deepEqual(await answerTo({}, handle, '?near=n1'), BROKEN);
  });

  it('is handed the body that it says it takes, decoded', async () => {
    const handle: Handler = async (request) => ({ text: (await request.json(named)).Name });
    const sent = '{"name": "web"}';
    assert.deepEqual(await answerTo({ body: named }, handle, '', sent), [200, 'web']);
    assert.deepEqual(await answerTo({ body: optional(named) }, handle, '', sent), BROKEN);
    assert.deepEqual(await answerTo({ body: { what: 'a name' } }, handle, '', sent), BROKEN);
    assert.deepEqual(await answerTo({}, handle, '', sent), BROKEN);
  });

  it('is handed bytes where it says so', async () => {
    const handle: Handler = async (request) => ({ text: String(await request.body(10)) });
    assert.deepEqual(await answerTo({ body: { what: 'a name' } }, handle, '', 'web'), [200, 'web']);
    assert.deepEqual(await answerTo({ body: named }, handle, '', 'web'), BROKEN);
  });

  it('names what stands at the end of its path', () => {
    const unnamed = allRoutes().filter(
      ({ path, rest }) => path.endsWith('/') !== (rest !== undefined),
    );
    assert.deepEqual(
      unnamed.map(({ method, path }) => `${method} ${path}`),
      [],
    );
  });
});

describe('a decoder', () => {
  it('that is optional takes nothing for an empty object', () => {
    assert.deepEqual(optional(named)(''), { Name: '' });
    assert.throws(() => named(''), /EOF/);
  });

  it('that is refined has the same schema', () => {
    const upper = refined(named, ({ Name }) => Name.toUpperCase());
    assert.equal(upper('{"Name": "web"}'), 'WEB');
    assert.equal(upper.schema, named.schema);
    assert.equal(refined(optional(named), () => 1).optional, true);
  });
});
