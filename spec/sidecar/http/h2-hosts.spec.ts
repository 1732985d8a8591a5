/** What a host of HTTP/2 may say, or leave, and what becomes of its callers. */
import assert from 'node:assert/strict';
import { CODE, FLAG, FRAME } from '../../../sidecar/http/h2/frames.ts';
import { blockOf } from '../../../sidecar/http/h2/hpack.ts';
import { ask, startHttp } from '../../support/servers/http-sidecars.ts';
import { framed, number, type RawConnection, startRawHost } from '../../support/servers/raw-h2.ts';

/** To each request this, by frames of its stream. */
async function sidecarOf(answer: (id: number, connection: RawConnection) => void) {
  const host = await startRawHost(({ type, stream }, connection) => {
    if (type === FRAME.head) answer(stream, connection);
  });
  const sidecar = await startHttp([{ id: 'a', port: host.port }], [], { protocol: 'http2' });
  return { host, port: sidecar.port };
}

const head = (...fields: string[]) => blockOf([':status', '200', ...fields]);

describe('a sidecar and a host of HTTP/2', () => {
  for (const [what, answer] of [
    ['a body without a head', (id: number) => [framed(FRAME.data, 0, id, 'hello')]],
    [
      'a body without a head, and breaks it off',
      (id: number) => [
        framed(FRAME.data, 0, id, 'hello'),
        framed(FRAME.reset, 0, id, number(CODE.internal)),
      ],
    ],
    ['an end without a head', (id: number) => [framed(FRAME.data, FLAG.end, id)]],
    [
      'two lengths',
      (id: number) => [
        framed(FRAME.head, FLAG.endOfHead, id, head('content-length', '3', 'content-length', '4')),
        framed(FRAME.data, FLAG.end, id, 'abc'),
      ],
    ],
  ] as const) {
    it(`answers in its place, and goes on, where it says ${what}`, async () => {
      const { port } = await sidecarOf((id, { say }) => say(...answer(id)));
      for (let i = 0; i < 2; i++) assert.equal((await ask(port, '/', POST)).status, 503);
    });
  }

  it('passes no body on where there is none', async () => {
    const { port } = await sidecarOf((id, { say }) =>
      say(
        framed(FRAME.head, FLAG.endOfHead, id, head('content-length', '5')),
        framed(FRAME.data, 0, id, 'hello'),
        framed(FRAME.data, FLAG.end, id, 'more'),
      ),
    );
    for (let i = 0; i < 2; i++) {
      const answer = await ask(port, '/', { method: 'HEAD' }).catch((error) => error);
      assert.equal(answer.text ?? answer.code, 'ECONNRESET');
    }
  });
});

const POST = { method: 'POST' };
