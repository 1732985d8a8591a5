/**
 * One server and two agents as real processes, with many services: agents and the server are killed,
 * lose their disks and come back, and the catalog is true again each time, without a hand's help.
 *
 * node --import tsx spec/system/agents.system.ts [SERVICES_OF_EACH_AGENT [ROUNDS]]
 */
import { loseAgentsAndServers } from '../support/experiments/agent-losses.ts';

const [services = 1000, rounds = 3] = process.argv.slice(2).map(Number);

const print = (line: string) => void process.stdout.write(`${line}\n`);
let late = 0;
for (let round = 1; round <= rounds; round++) {
  print(`round ${round}: ${services} services with each of two agents`);
  await loseAgentsAndServers(services, ({ what, ms, maxMs }) => {
    if (ms > maxMs) late++;
    print(`  ${ms > maxMs ? 'LATE' : 'ok  '} ${ms} ms of ${maxMs}: ${what}`);
  });
}
print(late === 0 ? 'passed' : `failed: ${late} too late`);
process.exitCode = late === 0 ? 0 : 1;
