/** How many lookups a second the ring does, and how fair it is: node --import tsx bench/ring.ts */
import { Ring } from '../lib/ring.ts';

const KEYS = Array.from({ length: 100_000 }, (_, i) => `service-${i}`);
const ROUNDS = 5;
const SETS = 200;

function unfairness(ring: Ring): number {
  const shares = [...ring.shares().values()];
  return Math.max(...shares.map((share) => Math.abs(share * ring.size - 1)));
}

for (const count of [3, 5, 9, 50]) {
  const ring = new Ring(Array.from({ length: count }, (_, i) => `server-${i}`));
  const buildStart = performance.now();
  ring.successors('');
  const builtMs = performance.now() - buildStart;
  const start = performance.now();
  for (let round = 0; round < ROUNDS; round++) {
    for (const key of KEYS) ring.successors(key);
  }
  const perSecond = (ROUNDS * KEYS.length * 1000) / (performance.now() - start);
  process.stdout.write(
    `${count} servers: ${Math.round(perSecond)} lookups/s, built in ${builtMs.toFixed(1)} ms\n`,
  );
}

for (const count of [3, 5, 9]) {
  const worst = Array.from({ length: SETS }, (_, set) => {
    const ids = Array.from({ length: count }, (_each, i) => `10.${set}.${i}.7:8500`);
    return unfairness(new Ring(ids));
  }).sort((a, b) => a - b);
  const percent = (part: number) =>
    `${(100 * (worst[Math.floor(part * (SETS - 1))] ?? 0)).toFixed(1)} %`;
  process.stdout.write(
    `${count} servers, ${SETS} sets of them: the share farthest from the mean is off by ` +
      `${percent(0.5)} in the median, ${percent(1)} at worst\n`,
  );
}
