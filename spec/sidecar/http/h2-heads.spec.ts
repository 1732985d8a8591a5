/** Heads of HTTP/2 that a host of HTTP/1.1 would take for another request than the sidecar does. */
import assert from 'node:assert/strict';
import { FLAG, FRAME } from '../../../sidecar/http/h2/frames.ts';
import { blockOf } from '../../../sidecar/http/h2/hpack.ts';
import { serveHttp } from '../../support/servers/http-servers.ts';
import { startHttp } from '../../support/servers/http-sidecars.ts';
import { ASK, framed, rawCaller, requestHead } from '../../support/servers/raw-h2.ts';
import { until } from '../../support/until.ts';

const rest = [':scheme', 'http', ':authority', 'x'];
const [HEAD, RESET] = [FRAME.head, FRAME.reset] as const;

describe('a request by HTTP/2 to a host of HTTP/1.1', () => {
  for (const [what, head, body, type] of [
    ['asks for a tunnel', [':method', 'CONNECT', ':authority', 'x'], undefined, HEAD],
    [
      'asks for a tunnel, and names a path',
      [':method', 'CONNECT', ':path', '/', ...rest],
      undefined,
      RESET,
    ],
    [
      'has another host in its path',
      [':method', 'GET', ':path', 'http://y/admin', ...rest],
      undefined,
      HEAD,
    ],
    ['is for nobody', [':method', 'GET', ':path', '/', ':scheme', 'http'], undefined, HEAD],
    [
      'has a body, and says that it has none',
      [':method', 'POST', ':path', '/', ...rest, 'content-length', '0'],
      'GET /other HTTP/1.1\r\n\r\n',
      RESET,
    ],
  ] as const) {
    it(`is refused where it ${what}`, async () => {
      const seen: string[] = [];
      const { port } = await serveHttp((request, response) => {
        seen.push(`${request.method} ${request.headers.host} ${request.url}`);
        if (request.url === '/last') response.end();
      });
      const sidecar = await startHttp([{ id: 'a', port }]);
      const caller = rawCaller(sidecar.port);
      const flags = body === undefined ? ASK : FLAG.endOfHead;
      caller.say(framed(FRAME.head, flags, 1, blockOf(head)));
      if (body !== undefined) caller.say(framed(FRAME.data, FLAG.end, 1, body));
      const of = (stream: number) => caller.heard.frames.find((each) => each.stream === stream);
      await until(() => of(1) !== undefined);
      caller.say(framed(FRAME.head, ASK, 3, requestHead('GET', '/last')));
      await until(() => of(3) !== undefined);
      caller.destroy();
      assert.equal(of(1)?.type, type);
      const others = seen.filter((each) => each !== 'GET x /last' && each !== 'POST x /');
      assert.deepEqual(others, []);
    });
  }
});
