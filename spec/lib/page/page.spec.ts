import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { createApp } from '../../../lib/http/app.ts';
import { Listener } from '../../../lib/http/listener.ts';
import { silentLogger } from '../../../lib/logger.ts';
import { createPage, type PageOptions } from '../../../lib/page/page.ts';
import { pageFiles } from '../../../lib/page/page-files.ts';
import { atEnd, send } from '../../support/servers/start-server.ts';

const INDEX =
  '<html data-base="" data-datacenter=""><script src="./assets/a-1.js"></script></html>';
const SCRIPT = 'export const one = 1;';

describe('the page at ui_content_path', () => {
  const files = async () =>
    pageFiles(
      new Map([
        ['index.html', Buffer.from(INDEX)],
        ['assets/a-1.js', Buffer.from(SCRIPT)],
        ['assets/a-1.js.gz', gzipSync(SCRIPT)],
        ['assets/b-2.css', Buffer.from('b{}')],
      ]),
    );

  async function start(options: Partial<PageOptions> = {}) {
    const page = createPage({
      contentPath: '/ui/',
      datacenter: 'dc7',
      dir: '',
      files,
      headers: {},
      logger: silentLogger,
      ...options,
    });
    // As on an agent, which hands on what it has no row for.
    const fallback = () => ({ text: 'handed on' });
    const app = createApp({ routes: [], fallback, page }, { logger: silentLogger });
    const listener = new Listener({
      listener: app,
      at: { host: '127.0.0.1', port: 0 },
      limits: { connectionsPerAddress: () => 0 },
    });
    await listener.start();
    atEnd(() => listener.stop());
    return (path: string, headers: Record<string, string> = {}, method = 'GET') =>
      send(listener.port, method, path, { headers });
  }

  it('is where the root leads', async () => {
    const get = await start();
    for (const path of ['/', '/ui']) {
      const { status, headers, text } = await get(path);
      assert.deepEqual([status, headers.location], [301, '/ui/']);
      assert.equal(text, '<a href="/ui/">Moved Permanently</a>.\n\n');
    }
  });

  it('answers every address with the index, which says where it is and is asked for each time', async () => {
    const get = await start();
    for (const path of ['/ui/', '/ui/dc7/services/web', '/ui/dc7/kv/a//b', '/ui/index.html']) {
      const { status, headers, text } = await get(path);
      assert.equal(status, 200, path);
      assert.equal(headers['cache-control'], 'no-cache');
      assert.match(text, /data-base="\/ui\/" data-datacenter="dc7"/);
      assert.match(text, /src="\/ui\/assets\/a-1\.js"/);
    }
  });

  it('answers files for good, compressed for whoever takes that', async () => {
    const get = await start();
    const plain = await get('/ui/assets/a-1.js');
    assert.equal(plain.text, SCRIPT);
    assert.equal(plain.headers['content-encoding'], undefined);
    assert.equal(plain.headers['cache-control'], 'public, max-age=31536000, immutable');
    assert.equal(plain.headers['content-type'], 'text/javascript; charset=utf-8');
    assert.equal(plain.headers.vary, 'Accept-Encoding');
    const packed = await get('/ui/assets/a-1.js', { 'Accept-Encoding': 'br, gzip' });
    assert.equal(packed.headers['content-encoding'], 'gzip');
    assert.equal(packed.headers['content-length'], String(gzipSync(SCRIPT).length));
    assert.equal(gunzipSync(gzipSync(SCRIPT)).toString(), SCRIPT);
  });

  it('answers no file of another version with the index', async () => {
    const get = await start();
    const { status, headers, text } = await get('/ui/assets/a-0.js');
    assert.deepEqual([status, headers['cache-control'], text], [404, 'no-store', '']);
  });

  it('loads nothing from elsewhere, runs nothing written into it, and stands in no frame', async () => {
    const get = await start();
    const { headers } = await get('/ui/dc7/nodes');
    const policy = String(headers['content-security-policy']);
    assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self';/);
    assert.match(policy, /frame-ancestors 'none'/);
    assert.doesNotMatch(policy, /unsafe|\*|https?:/);
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['referrer-policy'], 'no-referrer');
    assert.equal(headers['x-frame-options'], 'DENY');
  });

  it('has the headers of the configuration, but none in place of its own', async () => {
    const get = await start({ headers: { 'X-Ours': '1', 'content-security-policy': 'img-src *' } });
    const { headers } = await get('/ui/');
    assert.equal(headers['x-ours'], '1');
    assert.match(String(headers['content-security-policy']), /^default-src 'none'/);
  });

  it('takes reads alone, and leaves all else to others', async () => {
    const get = await start();
    const { status, headers } = await get('/ui/', {}, 'PUT');
    assert.deepEqual([status, headers.allow], [405, 'GET, HEAD']);
    assert.equal((await get('/ui/', {}, 'HEAD')).text, '');
    for (const path of ['/v1/agent/self', '/uix', '/u']) {
      assert.equal((await get(path)).text, 'handed on', path);
    }
  });

  it('leads nowhere else', async () => {
    const get = await start();
    const { status, headers } = await get('/ui/../v1/agent/self');
    assert.deepEqual([status, headers.location], [301, '/v1/agent/self']);
  });

  it('is not there where its files are not, until they are', async () => {
    let are = false;
    const get = await start({
      files: () => (are ? files() : Promise.reject(new Error('no folder'))),
    });
    assert.equal((await get('/ui/')).status, 500);
    are = true;
    assert.equal((await get('/ui/')).status, 200);
  });

  it("is somebody's own folder where ui_dir says so, without a policy of ours", async () => {
    const dir = mkdtempSync(join(tmpdir(), 'page-'));
    atEnd(async () => rmSync(dir, { recursive: true }));
    writeFileSync(join(dir, 'index.html'), 'mine');
    writeFileSync(join(dir, 'x.js'), 'x');
    const get = await start({ dir });
    for (const path of ['/ui/', '/ui/dc7/services']) {
      const { text, headers } = await get(path);
      assert.equal(text, 'mine', path);
      assert.equal(headers['content-security-policy'], undefined);
    }
    assert.equal((await get('/ui/x.js')).text, 'x');
    assert.equal((await get('/ui/..%2f..%2fetc/passwd')).status, 301);
  });

  it("sends somebody's own files with the headers of the configuration in place of ours", async () => {
    const dir = mkdtempSync(join(tmpdir(), 'page-'));
    atEnd(async () => rmSync(dir, { recursive: true }));
    writeFileSync(join(dir, 'index.html'), 'mine');
    const plain = await (await start({ dir }))('/ui/');
    assert.deepEqual(
      [plain.headers['x-frame-options'], plain.headers['cache-control']],
      ['DENY', 'no-cache'],
    );
    const framed = await start({ dir, headers: { 'x-frame-options': 'SAMEORIGIN' } });
    assert.equal((await framed('/ui/x/y')).headers['x-frame-options'], 'SAMEORIGIN');
  });
});
