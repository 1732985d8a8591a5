import assert from 'node:assert/strict';
import { createApp } from '../../../lib/http/app.ts';
import { Listener } from '../../../lib/http/listener.ts';
import type { Reply } from '../../../lib/http/reply.ts';
import type { Route } from '../../../lib/http/route.ts';
import { RecordingLogger } from '../../support/servers/file-log-on.ts';
import { send } from '../../support/servers/start-server.ts';

describe('an app', () => {
  let stop = async () => undefined as unknown;
  afterEach(() => stop());

  /** One row that answers with `reply`, or throws it. */
  async function start(reply: Reply | Error, options: object = {}) {
    const handle = () => {
      if (reply instanceof Error) throw reply;
      return reply;
    };
    const row: Route = { method: 'GET', path: '/row/', right: 'none', does: '', handle };
    const logger = new RecordingLogger();
    const listener = new Listener({
      listener: createApp({ routes: [row], logger, ...options }),
      at: { host: '127.0.0.1', port: 0 },
      maxConnectionsPerAddress: 0,
    });
    await listener.start();
    stop = () => listener.stop();
    const get = (path: string) => send(listener.port, 'GET', path, {});
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

  it('serves unprintable paths only when it is told to', async () => {
    const { get } = await start({ json: true }, { anyPath: true });
    assert.equal((await get('/row/%00')).status, 200);
  });

  it('sets the headers of the configuration on every answer, errors too', async () => {
    const { get } = await start({ json: true }, { responseHeaders: { 'X-Site': 'a' } });
    for (const path of ['/row/x', '/none', '/row/%zz', '//row/x']) {
      assert.equal((await get(path)).headers['x-site'], 'a', path);
    }
  });
});
