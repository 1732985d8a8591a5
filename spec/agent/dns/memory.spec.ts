/** What a DNS server keeps alive, measured on the heap and not by its own count. */
import assert from 'node:assert/strict';
import { HttpLookups } from '../../../agent/dns/http-lookups.ts';
import { MAX_CACHED_BYTES } from '../../../agent/dns/limits.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { liveBytes } from '../../support/heap.ts';
import { encodeQuestion } from '../../support/servers/dns-client.ts';
import { serveDns } from '../../support/servers/start-dns.ts';

const NAMES = 1500;
const INSTANCES = 60;
const MB = 1024 * 1024;

function instancesOf(name: string): Buffer {
  const entries = Array.from({ length: INSTANCES }, (_, i) => ({
    Node: { Node: `node-${i}`, Address: `10.1.0.${i}`, Meta: { rack: `r${i}` } },
    Service: {
      ID: `${name}-${i}`,
      Service: name,
      Tags: ['v1', 'primary'],
      Address: '',
      Port: 8000 + i,
      Weights: { Passing: 1, Warning: 1 },
    },
    Checks: [{ CheckID: 'serfHealth', Status: 'passing', Output: 'x'.repeat(200) }],
  }));
  return Buffer.from(JSON.stringify(entries));
}

describe('1,500 names of 60 instances, asked for in large packets', () => {
  it('are kept within the bounds of the two caches', async () => {
    const clock = new FakeClock();
    const lookups = new HttpLookups({
      clock,
      maxStaleMs: 60_000,
      token: () => '',
      get: async (target) => {
        const [, name = ''] = /service\/([^?]+)/.exec(target) ?? [];
        return { status: 200, headers: {}, body: instancesOf(name) };
      },
    });
    const { responder } = await serveDns(lookups, clock);
    const before = await liveBytes();
    for (let i = 0; i < NAMES; i++) {
      for (let id = 0; id < 8; id++) {
        const name = `s${i}.service.consul`;
        const question = encodeQuestion({ name, type: 'SRV', edns: 8192, id });
        const answer = await responder.respond(question, 'udp');
        assert.ok((answer?.length ?? 0) > 512);
      }
    }
    const after = await liveBytes();
    const grown = after.heap + after.buffers - before.heap - before.buffers;
    // Two caches, and what cannot be counted to the byte.
    const bound = 2 * MAX_CACHED_BYTES * 1.25;
    assert.ok(grown < bound, `${Math.round(grown / MB)} MB live, bound ${bound / MB}`);
    assert.ok(responder.size.cachedBytes <= MAX_CACHED_BYTES);
  }).timeout(60_000);
});
