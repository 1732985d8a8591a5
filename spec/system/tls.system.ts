/**
 * Certificates are replaced again and again, by SIGHUP and over HTTP, under a server and an agent that
 * clients are busy with by TLS: on connections that are kept and on new ones, reading, writing and
 * waiting, at the agent and at the server. Nothing may be dropped, every new connection must get the
 * new certificate, and a torn pair of files must change nothing.
 *
 *   node --import tsx spec/system/tls.system.ts [ROUNDS [PROGRAM]]
 */
import { X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { connect } from 'node:tls';
import { type Files, removeTlsFolders, TestAuthority } from '../support/certificates.ts';
import { type AgentProcess, AgentProcesses } from '../support/servers/agent-processes.ts';
import { freePorts } from '../support/servers/free-ports.ts';
import { sleep } from '../support/sleep.ts';
import { until } from '../support/until.ts';
import { report } from './report.ts';

const ROUNDS = Number(process.argv[2] ?? 20);
const BETWEEN_MS = 700;
const KEPT = 8;
const NEW = 2;
const WAITING = 40;

/** One of the two processes, with what clients need to reach it. */
interface Place {
  readonly process: AgentProcess;
  readonly port: number;
  readonly files: Files;
  readonly names: readonly string[];
}

interface Load {
  readonly authority: TestAuthority;
  readonly client: { readonly cert: string; readonly key: string };
  readonly faults: string[];
  readonly count: { kept: number; fresh: number; woken: number };
  isOver: boolean;
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly index: string;
}

function ask(load: Load, port: number, path: string, more: https.RequestOptions = {}, body = '') {
  const trust = { ca: load.authority.pair.cert, ...load.client, servername: 'localhost' };
  const options = { host: '127.0.0.1', port, path, ...trust, ...more };
  return new Promise<Answer>((resolve, reject) => {
    const request = https.request(options, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.once('error', reject);
      response.once('end', () =>
        resolve({
          text: Buffer.concat(parts).toString().slice(0, 200),
          status: response.statusCode ?? 0,
          index: String(response.headers['x-consul-index'] ?? ''),
        }),
      );
    });
    request.once('error', reject).end(body);
  });
}

/** Asks again and again; whatever is no 200 is a fault. */
async function repeat(load: Load, name: string, once: (n: number) => Promise<Answer>) {
  for (let n = 0; !load.isOver; n++) {
    const answer = await once(n).catch((error: NodeJS.ErrnoException) => ({
      status: 0,
      text: error.code ?? error.message,
    }));
    if (answer.status !== 200) load.faults.push(`${name}: ${answer.status} ${answer.text}`);
    // A server that refuses everything must not fill the memory with it.
    if (load.faults.length > 1000) return;
  }
}

function loadOn(load: Load, { process, port }: Place): Promise<void>[] {
  const { count } = load;
  const keeping = () => new https.Agent({ keepAlive: true, maxSockets: 1 });
  const kept = Array.from({ length: KEPT }, (_, i) => {
    const agent = keeping();
    return repeat(load, `kept ${process.node}`, (n) => {
      count.kept++;
      const method = n % 4 === 0 ? 'PUT' : 'GET';
      return ask(load, port, `/v1/kv/k${i}`, { method, agent }, method === 'PUT' ? `${n}` : '');
    });
  });
  const fresh = Array.from({ length: NEW }, () =>
    repeat(load, `new ${process.node}`, () => {
      count.fresh++;
      return ask(load, port, '/v1/status/leader', { agent: false });
    }),
  );
  const waiting = Array.from({ length: WAITING }, () => {
    const agent = keeping();
    let index = '0';
    return repeat(load, `waiting ${process.node}`, async () => {
      const answer = await ask(load, port, `/v1/kv/tick?index=${index}&wait=60s`, { agent });
      count.woken++;
      index = answer.index;
      return answer;
    });
  });
  return [...kept, ...fresh, ...waiting];
}

/** The serial number of the certificate that a new connection is shown. */
function shown(load: Load, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const trust = { ca: load.authority.pair.cert, ...load.client, servername: 'localhost' };
    const socket = connect({ host: '127.0.0.1', port, ...trust }, () => {
      resolve(socket.getPeerCertificate().serialNumber);
      socket.destroy();
    });
    socket.once('error', reject);
  });
}

async function renew(load: Load, { process, port, files, names }: Place, round: number) {
  await load.authority.files({ names }, files);
  const wanted = new X509Certificate(readFileSync(files.certFile)).serialNumber;
  if (round % 2 === 0) process.signal('SIGHUP');
  else await ask(load, port, '/v1/agent/reload', { method: 'PUT', agent: false });
  for (let tries = 0; tries < 100; tries++) {
    if ((await shown(load, port)) === wanted) return;
    await sleep(20);
  }
  load.faults.push(`${process.node} still shows the old certificate in round ${round}`);
}

/** A key that belongs to another certificate: the reload must say so, and change nothing. */
async function tear(load: Load, { process, port, files }: Place) {
  const [before, key] = [await shown(load, port), readFileSync(files.keyFile)];
  writeFileSync(files.keyFile, (await load.authority.issue()).key);
  const { status } = await ask(load, port, '/v1/agent/reload', { method: 'PUT', agent: false });
  if (status !== 500) load.faults.push(`${process.node}: a torn pair was taken: ${status}`);
  if ((await shown(load, port)) !== before) load.faults.push(`${process.node}: torn, and changed`);
  writeFileSync(files.keyFile, key);
}

async function start(processes: AgentProcesses, authority: TestAuthority): Promise<Place[]> {
  const [serverPort = 0, agentPort = 0] = await freePorts(2);
  const secured = async (port: number, names: readonly string[]) => {
    const files = await authority.files({ names });
    const config = {
      ca_file: authority.caFile,
      cert_file: files.certFile,
      key_file: files.keyFile,
      verify_incoming: true,
      verify_outgoing: true,
      verify_server_hostname: true,
      ports: { https: port },
      limits: { http_max_conns_per_client: 1000 },
    };
    return { port, names, files, config };
  };
  const one = await secured(serverPort, ['server.dc1.consul', 'localhost']);
  const two = await secured(agentPort, ['client.dc1.consul', 'localhost']);
  const server = await processes.server(one.config);
  const agent = await processes.agent('a1', server, two.config);
  await server.start();
  await agent.start();
  const known = async () => {
    const node = await agent.get<{ Services: object } | null>('/v1/catalog/node/a1');
    return node !== undefined && node !== null;
  };
  await until(known, () => 'the agent is not in the catalog', 30_000);
  return [
    { ...one, process: server },
    { ...two, process: agent },
  ];
}

await report(async (say) => {
  const authority = await TestAuthority.create();
  const processes = await AgentProcesses.create(process.argv[3]);
  try {
    const client = await authority.issue({ names: ['cli.dc1.consul'] });
    const places = await start(processes, authority);
    const count = { kept: 0, fresh: 0, woken: 0 };
    const load: Load = { authority, client, faults: [], count, isOver: false };
    const [server] = places;
    // Before anybody asks, so that each answer is 200.
    for (const key of ['tick', ...Array.from({ length: KEPT }, (_, i) => `k${i}`)]) {
      await ask(load, server?.port ?? 0, `/v1/kv/${key}`, { method: 'PUT' }, '0');
    }
    const loads = places.flatMap((place) => loadOn(load, place));
    for (let round = 1; round <= ROUNDS; round++) {
      for (const place of places) {
        await renew(load, place, round);
        if (round % 5 === 0) await tear(load, place);
      }
      await ask(
        load,
        server?.port ?? 0,
        '/v1/kv/tick',
        { method: 'PUT', agent: false },
        `${round}`,
      );
      await sleep(BETWEEN_MS);
    }
    load.isOver = true;
    await ask(load, server?.port ?? 0, '/v1/kv/tick', { method: 'PUT', agent: false }, 'end');
    await Promise.all(loads);
    const critical = await server?.process.get<object[]>('/v1/health/state/critical');
    if (critical?.length !== 0) load.faults.push(`critical: ${JSON.stringify(critical)}`);
    say(`${ROUNDS} certificates replaced at each of two processes, under ${JSON.stringify(count)}`);
    for (const fault of load.faults.slice(0, 20)) say(fault);
    say(`dropped or wrong: ${load.faults.length}`);
    return load.faults.length;
  } finally {
    await processes.end();
    removeTlsFolders();
  }
});
