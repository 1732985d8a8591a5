/**
 * Sends a real server mutated DNS packets over UDP and TCP and says what became of its memory.
 *
 *   node --import tsx spec/system/dns-hostile.system.ts [PACKETS [SEED]]
 */
import { createSocket } from 'node:dgram';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { mutations } from '../support/experiments/dns-mutations.ts';
import { seededRandom } from '../support/fakes/seeded-random.ts';
import { type AgentProcess, AgentProcesses } from '../support/servers/agent-processes.ts';
import { askUdp } from '../support/servers/dns-client.ts';
import { report } from './report.ts';

const [packets = 100_000, seed = 1] = process.argv.slice(2).map(Number);
/** Sent at once; then a sound question must be answered, so that none is lost on the way. */
const BURST = 200;
const TCP_EVERY = 50;
const INSTANCES = 100;
/** What the collector leaves lying about varies by as much. */
const MAX_GROWTH_MB = 48;

async function residentMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

async function attack(server: AgentProcess, count: number, next: () => Buffer): Promise<number> {
  const { dns } = server.ports;
  const socket = createSocket('udp4');
  let answered = 0;
  let longestMs = 0;
  socket.on('message', () => answered++);
  for (let sent = 0; sent < count; sent += BURST) {
    for (let i = 0; i < BURST; i++) socket.send(next(), dns, '127.0.0.1');
    if ((sent / BURST) % TCP_EVERY === 0) {
      const connection = connect(dns, '127.0.0.1').on('error', () => undefined);
      connection.end(Buffer.concat(Array.from({ length: 50 }, next)));
    }
    const began = performance.now();
    await askUdp(dns, { name: 'web.service.consul', type: 'A' });
    longestMs = Math.max(longestMs, performance.now() - began);
  }
  socket.close();
  say(
    `  ${count} packets, ${answered} answers, a sound question waited ${Math.round(longestMs)} ms at most`,
  );
  return answered;
}

const say = (line: string) => void process.stdout.write(`${line}\n`);

await report(async () => {
  const processes = await AgentProcesses.create();
  try {
    const server = await processes.server();
    await server.start();
    for (let i = 0; i < INSTANCES; i++) {
      const Service = { ID: `w-${i}`, Service: 'web', Tags: ['v1'], Port: 80 };
      await server.put('/v1/catalog/register', { Node: `n-${i}`, Address: `10.0.0.${i}`, Service });
    }
    const next = mutations(seededRandom(seed));
    await attack(server, packets / 2, next);
    const before = await residentMb(server.pid);
    await attack(server, packets, next);
    const after = await residentMb(server.pid);
    say(`seed ${seed}: resident memory ${before.toFixed(0)} MB, then ${after.toFixed(0)} MB`);
    const { rcode } = await askUdp(server.ports.dns, { name: 'web.service.consul', type: 'A' });
    return rcode === 0 && after - before <= MAX_GROWTH_MB ? 0 : 1;
  } finally {
    await processes.end();
  }
});
