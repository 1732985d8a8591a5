import assert from 'node:assert/strict';
import { ProconsulError } from '../../../lib/errors.ts';
import { type AppOptions, createApp, type Served } from '../../../lib/http/app.ts';
import { Listener } from '../../../lib/http/listener.ts';
import type { Reply } from '../../../lib/http/reply.ts';
import { anyone } from '../../../lib/http/right.ts';
import type { HttpRequest, Route } from '../../../lib/http/route.ts';
import { RecordingLogger } from '../../support/servers/file-log-on.ts';
import { send } from '../../support/servers/start-server.ts';

describe('an app', () => {
  let stop = async () => undefined as unknown;
  afterEach(() => stop());

  /** One row that answers with `reply`, or throws it. */
  async function start(reply: Reply | Error, options: Partial<Served & AppOptions> = {}) {
    const handle = () => {
      if (reply instanceof Error) throw reply;
      return reply;
    };
    const row: Route = { method: 'GET', path: '/row/', right: anyone, does: '', handle };
    const logger = new RecordingLogger();
    const listener = new Listener({
      listener: createApp({ routes: [row], ...options }, { logger, ...options }),
      at: { host: '127.0.0.1', port: 0 },
      limits: { connectionsPerAddress: () => 0 },
    });
    await listener.start();
    stop = () => listener.stop();
    const get = (path: string, headers = {}) => send(listener.port, 'GET', path, { headers });
    return { get, logger };
  }

  it('sends what users named in headers as UTF-8, on one line', async () => {
    const { get } = await start({ headers: { 'X-Reason': 'ä😀\r\nX-Evil: 1\0' }, json: true });
    const { status, headers } = await get('/row/x');
    assert.equal(status, 200);
    const bytes = Buffer.from(String(headers['x-reason']), 'latin1');
    assert.equal(bytes.toString(), 'ä😀  X-Evil: 1 '.trimEnd());
    assert.equal(headers['x-evil'], undefined);
  });

  it('hides what is a bug, and logs it without the query string', async () => {
    const { get, logger } = await start(new TypeError('secret of x'));
    const { status, text } = await get('/row/x?token=hidden');
    assert.deepEqual([status, text], [500, 'Internal error']);
    assert.deepEqual(logger.lines, ['http: GET /row/x: secret of x']);
  });

  it('answers 404 without a word where no row is', async () => {
    const { get } = await start({ json: true });
    const { status, text } = await get('/none');
    assert.deepEqual([status, text], [404, '']);
  });

  it('refuses what it would hand on as a row refuses it, and leaves an answer from there as it is', async () => {
    const refuses = () => {
      throw new ProconsulError('busy', 'x');
    };
    const refused = await (await start({}, { fallback: refuses })).get('/v1/x');
    assert.deepEqual([refused.status, refused.headers['vary']], [429, 'Accept-Encoding']);
    await stop();
    const passed = await (await start({}, { fallback: () => ({ status: 404 }) })).get('/v1/x');
    assert.deepEqual([passed.status, passed.headers['vary']], [404, undefined]);
  });

  it('serves unprintable paths only when it is told to', async () => {
    const { get } = await start(
      { json: true },
      {
        settings: { responseHeaders: {}, disableUnprintableCharFilter: true },
      },
    );
    assert.equal((await get('/row/%00')).status, 200);
  });

  it('sets the headers of the configuration on answers of rows, errors too, and on no others', async () => {
    const { get } = await start(new ProconsulError('invalid', 'no'), {
      settings: { responseHeaders: { 'X-Site': 'a' }, disableUnprintableCharFilter: false },
    });
    assert.equal((await get('/row/x')).headers['x-site'], 'a');
    for (const path of ['/', '/none', '//row/x']) {
      assert.equal((await get(path)).headers['x-site'], undefined, path);
    }
  });

  it('shows no query string and no token in its log, whoever put them into an error', async () => {
    const query = 'cas=0&acquire=a%20b&token=T-secret';
    const error = new ProconsulError(
      'invalid',
      'Conflicting flags: acquire=a+b&cas=0&token=T-secret',
      { cause: new Error(`no ${query} for H-secret, nor ${decodeURIComponent(query)}`) },
    );
    const { get, logger } = await start(error);
    const headers = { 'X-Consul-Token': 'H-secret', Authorization: 'Bearer B-secret' };
    const { text } = await get(`/row/x?${query}`, headers);
    assert.equal(text, error.message);
    const [line = ''] = logger.lines;
    assert.match(
      line,
      /^http: GET \/row\/x: Conflicting flags: <hidden>: no <hidden> for <hidden>/,
    );
    assert.doesNotMatch(line, /secret|acquire/);
  });

  it('asks its guards before any row, by the path that rows are found by', async () => {
    const asked: string[] = [];
    const { get } = await start(
      { json: true },
      { guards: [({ path, method }: HttpRequest) => void asked.push(`${method} ${path}`)] },
    );
    await get('/row/%73ecret?x');
    assert.deepEqual(asked, ['GET /row/secret']);
  });
});
