/**
 * Fifty containers, ten rounds of disorder: after each, the catalog has what `docker ps` shows,
 * nothing more and nothing less, within 5 s. Then five absences of the agent, each of which it makes
 * up for within 2 s. Needs root, and Debian's docker.io and busybox-static.
 *
 * node --import tsx spec/system/containers.system.ts [CONTAINERS [ROUNDS [SEED]]]
 */
import { absence, round } from '../support/experiments/container-rounds.ts';
import { seededRandom } from '../support/fakes/seeded-random.ts';
import { PrivateDocker, whyNoDocker } from '../support/servers/docker.ts';
import { ProconsulProcess } from '../support/servers/proconsul-process.ts';

const MAX_TRUE_AFTER_MS = 5000;
const ABSENCES = 5;
const MAX_MADE_UP_MS = 2000;

const [containers = 50, rounds = 10, seed = 1] = process.argv.slice(2).map(Number);

const why = whyNoDocker();
if (why !== undefined) throw new Error(why);
const docker = await PrivateDocker.start();
const agent = new ProconsulProcess(docker);
const random = seededRandom(seed);
const print = (line: string) => void process.stdout.write(`${line}\n`);
const slow: string[] = [];
const idOf = (name: string) => `host:${name}:80`;
const disorder = { docker, agent, random, containers, idOf };
print(`${containers} containers, ${rounds} rounds, seed ${seed}`);
try {
  await agent.start();
  await agent.untilReady();
  for (let n = 1; n <= rounds; n++) {
    const { order, running, trueAfterMs } = await round(disorder);
    if (trueAfterMs > MAX_TRUE_AFTER_MS) slow.push(`round ${n}`);
    const ms = Math.round(trueAfterMs);
    print(`round ${n}: ${running} run, true after ${ms} ms: ${order.join(', ')}`);
  }
  for (let n = 1; n <= ABSENCES; n++) {
    const { answersAfterMs, trueAfterMs } = await absence(disorder);
    if (trueAfterMs > MAX_MADE_UP_MS) slow.push(`absence ${n}`);
    const [answers, made] = [answersAfterMs, trueAfterMs].map(Math.round);
    print(`absence ${n}: made up for ${made} ms after its first answer, which took ${answers} ms`);
  }
} finally {
  await agent.kill();
  await docker.stop();
}
print(slow.length === 0 ? 'passed' : `failed: too slow in ${slow.join(', ')}`);
process.exitCode = slow.length === 0 ? 0 : 1;
