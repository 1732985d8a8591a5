/** Says how many simulated worlds are left in this process once one has run: by itself, for others leave what they like. */
import { queryObjects } from 'node:v8';
import { run } from '../../sim/run.ts';
import { World } from '../../sim/world/world.ts';

await run({ seed: 3, log: 'file', seconds: 20, workloads: ['agents', 'containers', 'defaults'] });
await new Promise((resolve) => setImmediate(resolve));
process.stdout.write(`${queryObjects(World, { format: 'count' })}\n`);
process.exit(0);
