/**
 * A large cluster is saved and restored while others read: how long that takes, what it needs, and
 * how long the others wait. Saved again, it is the same.
 *
 *   node --import tsx spec/system/snapshot.system.ts [INSTANCES]
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { AgentProcesses } from '../support/servers/agent-processes.ts';

const PER_NODE = 17;
const CLIENTS = 32;

const [instances = 172_000] = process.argv.slice(2).map(Number);
const print = (line: string) => void process.stdout.write(`${line}\n`);
const processes = await AgentProcesses.create();
const agent = new Agent({ keepAlive: true, maxSockets: 100 });
const server = await processes.server();

function ask(method: string, path: string, body?: string | Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const options = { port: server.ports.http, host: '127.0.0.1', method, path, agent };
    const sent = request(options, (answer) => {
      const parts: Buffer[] = [];
      answer.on('data', (part: Buffer) => parts.push(part));
      answer.once('error', reject);
      answer.once('end', () => {
        const bytes = Buffer.concat(parts);
        if (answer.statusCode === 200) resolve(bytes);
        else reject(new Error(`${method} ${path}: ${answer.statusCode} ${bytes}`));
      });
    });
    sent.once('error', reject);
    sent.end(body);
  });
}

async function fill(): Promise<void> {
  let next = 0;
  const client = async () => {
    for (let i = next++; i < instances; i = next++) {
      const node = Math.floor(i / PER_NODE);
      const Service = { ID: `s${i}`, Service: `service-${i % 2000}`, Port: 1000, Tags: ['v1'] };
      const Check = { CheckID: `c${i}`, Name: 'up', Status: 'passing', ServiceID: `s${i}` };
      const Address = `10.${node >> 16}.${(node >> 8) & 255}.${node & 255}`;
      const body = { Node: `node-${node}`, Address, Service, Check };
      await ask('PUT', '/v1/catalog/register', JSON.stringify(body));
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
}

const rss = (field: 'VmRSS' | 'VmHWM') => {
  const [, kib] = new RegExp(`${field}:\\s+(\\d+)`).exec(
    readFileSync(`/proc/${server.pid}/status`, 'utf8'),
  ) as RegExpExecArray;
  return Number(kib) / 1024;
};

/** What a reader waits for meanwhile, who asks every few milliseconds for another service. */
async function meanwhile<T>(what: string, work: Promise<T>): Promise<T> {
  const waits: number[] = [];
  let done = false;
  const before = rss('VmRSS');
  const began = performance.now();
  const reader = (async () => {
    for (let i = 0; !done; i++) {
      const from = performance.now();
      await ask('GET', `/v1/health/service/service-${i % 2000}`);
      waits.push(performance.now() - from);
    }
  })();
  const result = await work.finally(() => {
    done = true;
  });
  const took = performance.now() - began;
  await reader;
  waits.sort((a, b) => a - b);
  const at = (share: number) => (waits[Math.floor(waits.length * share)] ?? 0).toFixed(1);
  const peak = rss('VmHWM');
  print(
    `${what}: ${(took / 1000).toFixed(1)} s; ${waits.length} reads, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, ` +
      `longest ${at(1 - 1e-9)} ms; RSS ${before.toFixed(0)} MiB before, peak ${peak.toFixed(0)} (× ${(peak / before).toFixed(2)})`,
  );
  return result;
}

try {
  await server.start();
  await fill();
  const names = await ask('GET', '/v1/catalog/services');
  const archive = await meanwhile('save', ask('GET', '/v1/snapshot'));
  print(`${instances} instances: an archive of ${(archive.length / 2 ** 20).toFixed(1)} MiB`);
  await ask('PUT', '/v1/catalog/deregister', JSON.stringify({ Node: 'node-0' }));
  await ask('PUT', '/v1/kv/later', 'x');
  await meanwhile('restore', ask('PUT', '/v1/snapshot', archive));
  assert((await ask('GET', '/v1/catalog/services')).equals(names));
  assert.notEqual(JSON.parse((await ask('GET', '/v1/catalog/node/node-0')).toString()), null);
} finally {
  agent.destroy();
  await processes.end();
}
