/** How many lookups a second the ring does: node --import tsx bench/ring.ts */
import { Ring } from '../lib/ring.ts';

const KEYS = Array.from({ length: 100_000 }, (_, i) => `service-${i}`);
const ROUNDS = 5;

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
  const shares = [...ring.shares().values()].map((share) => share * count);
  const deviation = Math.max(...shares.map((share) => Math.abs(share - 1)));
  process.stdout.write(
    `${count} servers: ${Math.round(perSecond)} lookups/s, built in ${builtMs.toFixed(1)} ms, ` +
      `largest deviation of a share from the mean ${(100 * deviation).toFixed(1)} %\n`,
  );
}
