/**
 * The server that takes the writes is killed (kill -9): how long until its clients' writes go on
 * through another, and is everything there that was acknowledged?
 *
 *   node --import tsx spec/system/server-loss.system.ts [RUNS]
 */
import { Cluster } from '../support/servers/cluster.ts';

const WRITES_BEFORE = 200;
const MAX_GAP_MS = 1000;
const [runs = 5] = process.argv.slice(2).map(Number);
const gaps: number[] = [];
let lost = 0;
for (let run = 0; run < runs; run++) {
  const cluster = await Cluster.start({ servers: 3 });
  const [first, second] = cluster.servers;
  if (first === undefined || second === undefined) throw new Error('no servers');
  const acknowledged: string[] = [];
  for (let i = 0; i < WRITES_BEFORE; i++) {
    const { text } = await first.ask('PUT', `/v1/kv/w/${i}`, { body: 'x' });
    if (text === 'true') acknowledged.push(`w/${i}`);
  }
  const killed = performance.now();
  const dead = first.kill();
  for (;;) {
    const signal = AbortSignal.timeout(500);
    const sent = { body: 'y', signal };
    const answer = await second.ask('PUT', '/v1/kv/w/after', sent).catch(() => undefined);
    if (answer?.text === 'true') break;
  }
  gaps.push(performance.now() - killed);
  await dead;
  const keys = new Set((await second.ask('GET', '/v1/kv/w/?keys')).json as string[]);
  lost += acknowledged.filter((key) => !keys.has(key)).length;
  await cluster.stop();
}
const worst = Math.max(...gaps);
process.stdout.write(
  `${runs} runs: writes went on after ${gaps.map((ms) => `${ms.toFixed(0)} ms`).join(', ')}; ` +
    `${lost} acknowledged writes lost\n`,
);
process.exit(lost === 0 && worst <= MAX_GAP_MS ? 0 : 1);
