import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { Outbound } from '../../../server/acl/methods/outbound.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { serveHttp } from '../../support/servers/http-servers.ts';
import { until } from '../../support/until.ts';

describe('requests to those who know people', () => {
  it('are so many to one place that another is still asked, and places are given back', async () => {
    const held: ServerResponse[] = [];
    const slow = await serveHttp((_, response) => void held.push(response));
    const quick = await serveHttp((_, response) => void response.end('{}'));
    const outbound = new Outbound(new FakeClock());
    const gone = Array.from({ length: 32 }, () => new AbortController());
    const ask = (host: string, signal = new AbortController().signal) =>
      outbound.send({ method: 'GET', url: `http://${host}/`, ca: '' }, signal);
    const waiting = gone.map(({ signal }) => ask(slow.host, signal).catch(String));
    await until(() => held.length === 32);
    await assert.rejects(ask(slow.host), { code: 'busy' });
    assert.equal((await ask(quick.host)).status, 200);
    for (const each of gone) each.abort();
    for (const each of waiting) assert.match(String(await each), /127\.0\.0\.1/);
    const again = ask(slow.host);
    await until(() => held.length === 33);
    held[32]?.end('{}');
    assert.equal((await again).status, 200);
  });
});
