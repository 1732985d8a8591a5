/**
 * R11: one server's view of Redis is frozen for five seconds. A default or consistent read through
 * it never answers what was overwritten before it was asked; a stale one may, and says how old it is.
 *
 *   node --import tsx spec/system/stale-reads.system.ts [ROUNDS]
 */
import { Cluster } from '../support/servers/cluster.ts';
import { sleep } from '../support/sleep.ts';

const FREEZE_MS = 5000;
const [rounds = 3] = process.argv.slice(2).map(Number);
const cluster = await Cluster.start({ servers: 3 });
const [writer, frozen] = cluster.servers;
let violations = 0;
let reads = 0;
let refused = 0;
let staleReads = 0;
let liars = 0;
let value = 0;
if (writer === undefined || frozen?.proxy === undefined) throw new Error('no servers');
await writer.ask('PUT', '/v1/kv/x', { body: '0' });
await frozen.ask('GET', '/v1/kv/x');
for (let round = 0; round < rounds; round++) {
  const frozenAt = performance.now();
  frozen.proxy.frozen = true;
  while (performance.now() - frozenAt < FREEZE_MS) {
    const written = await writer.ask('PUT', '/v1/kv/x', { body: `${++value}` });
    if (written.text !== 'true') continue;
    for (const mode of ['', '?consistent', '?stale']) {
      const signal = AbortSignal.timeout(1000);
      const answer = await frozen.ask('GET', `/v1/kv/x${mode}`, { signal }).catch(() => undefined);
      if (answer?.status !== 200) {
        refused++;
        continue;
      }
      const [row] = answer.json as { Value: string }[];
      const seen = Number(Buffer.from(row?.Value ?? '', 'base64').toString());
      if (mode === '?stale') {
        staleReads++;
        const contactMs = Number(answer.headers['x-consul-lastcontact']);
        // It may be as old as the freeze; it must say so, to half a second.
        const lagMs = performance.now() - frozenAt;
        if (seen < value && contactMs < lagMs - 500) liars++;
      } else {
        reads++;
        if (seen < value) violations++;
      }
    }
    await sleep(50);
  }
  frozen.proxy.frozen = false;
  frozen.proxy.cutAll();
  await frozen.untilReady();
}
await cluster.stop();
process.stdout.write(
  `${reads} default and consistent reads answered, ${violations} of an older state; ` +
    `${refused} refused; ${staleReads} stale reads, ${liars} that hid their age\n`,
);
process.exit(violations === 0 && liars === 0 ? 0 : 1);
