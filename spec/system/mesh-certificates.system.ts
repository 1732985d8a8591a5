/**
 * Two programs speak mutual TLS with certificates from their agents, on a new connection each time, while
 * the authority gets another root again and again; each takes the certificate and the roots that its
 * agent gives it. No handshake may fail. Before and after it is measured what a certificate costs.
 *
 *   node --import tsx spec/system/mesh-certificates.system.ts [ROTATIONS]
 */
import { X509Certificate } from 'node:crypto';
import { connect, createServer, type Server, type TLSSocket } from 'node:tls';
import type { CaRoots, Leaf } from '../../lib/connect/model.ts';
import { complaintOfOpenssl } from '../support/openssl.ts';
import { startWholeAgent } from '../support/servers/whole-agent.ts';
import { until } from '../support/until.ts';
import { report } from './report.ts';

const ROTATIONS = Number(process.argv[2] ?? 4);
/** How long agents take to have their certificates made anew, in seconds. */
const SPREAD_S = 2;
/** On a machine that is busy with others. */
const PATIENCE_MS = 60_000;
const LEAVES = 1000;

type Get = <T>(path: string) => Promise<T>;

interface Party {
  leaf: Required<Leaf>;
  roots: readonly string[];
}

function getter(port: number): Get {
  return async <T>(path: string) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`);
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  };
}

/** What a sidecar does: it waits for each next certificate, and for each change of the roots. */
function follow(
  get: Get,
  service: string,
  signal: AbortSignal,
): { readonly party: Promise<Party> } {
  const first = async () => {
    const leaf = await get<Required<Leaf>>(`/v1/agent/connect/ca/leaf/${service}`);
    const { Roots } = await get<CaRoots>('/v1/agent/connect/ca/roots');
    return { leaf, roots: Roots.map(({ RootCert }) => RootCert) };
  };
  const party = first();
  void party.then(async (known) => {
    while (!signal.aborted) {
      const { Roots } = await get<CaRoots>('/v1/agent/connect/ca/roots');
      known.roots = Roots.map(({ RootCert }) => RootCert);
      const path = `/v1/agent/connect/ca/leaf/${service}?index=${known.leaf.ModifyIndex}&wait=1s`;
      known.leaf = await get<Required<Leaf>>(path);
    }
  });
  return { party };
}

function issuerOf({ leaf }: Party): string {
  return new X509Certificate(leaf.CertPEM).issuer;
}

function secrets({ leaf, roots }: Party) {
  return { key: leaf.PrivateKeyPEM, cert: leaf.CertPEM, ca: [...roots] };
}

async function serve(db: Party): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer({ ...secrets(db), requestCert: true, rejectUnauthorized: true });
  server.on('secureConnection', (socket) => socket.end('hello'));
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, port: (server.address() as { port: number }).port };
}

/** The id that the server showed; rejects where either did not trust the other. */
function speak(port: number, web: Party): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket: TLSSocket = connect({
      host: '127.0.0.1',
      port,
      ...secrets(web),
      // Who it is says the URI, and not a name of DNS.
      checkServerIdentity: () => undefined,
    });
    let said = '';
    socket.on('data', (part: Buffer) => {
      said += part.toString();
    });
    socket.once('error', reject);
    socket.once('close', () => {
      if (said !== 'hello') reject(new Error('nothing was said'));
      else resolve(shown);
    });
    let shown = '';
    socket.once('secureConnect', () => {
      shown = socket.getPeerX509Certificate()?.subjectAltName ?? '';
    });
  });
}

async function leavesAtOnce(get: Get, say: (line: string) => void, round: string): Promise<void> {
  const took: number[] = [];
  const from = performance.now();
  await Promise.all(
    Array.from({ length: LEAVES }, async (_, n) => {
      const began = performance.now();
      await get(`/v1/agent/connect/ca/leaf/${round}-${n}`);
      took.push(performance.now() - began);
    }),
  );
  took.sort((a, b) => a - b);
  const all = performance.now() - from;
  const p99 = took[Math.floor(0.99 * took.length)] ?? 0;
  say(
    `${LEAVES} certificates at once: ${Math.round(all)} ms, the slowest hundredth ${Math.round(p99)} ms`,
  );
  const alone: number[] = [];
  for (let n = 0; n < 200; n++) {
    const began = performance.now();
    await get(`/v1/agent/connect/ca/leaf/${round}-alone-${n}`);
    alone.push(performance.now() - began);
  }
  alone.sort((a, b) => a - b);
  say(`one after another: median ${alone[100]?.toFixed(1)} ms, p99 ${alone[198]?.toFixed(1)} ms`);
}

await report(async (say) => {
  const flags = ['-hcl', `connect { test_ca_leaf_root_change_spread = "${SPREAD_S}s" }`];
  const agent = await startWholeAgent([
    ...flags,
    '-hcl',
    'limits { http_max_conns_per_client = 2000 }',
  ]);
  const get = getter(agent.port);
  const over = new AbortController();
  const faults: string[] = [];
  try {
    const [web, db] = await Promise.all([
      follow(get, 'web', over.signal).party,
      follow(get, 'db', over.signal).party,
    ]);
    const { server, port } = await serve(db);
    let handshakes = 0;
    const talking = (async () => {
      while (!over.signal.aborted) {
        server.setSecureContext(secrets(db));
        await speak(port, web).then(
          (id) => {
            if (id !== `URI:${db.leaf.ServiceURI}`) faults.push(`it is ${id}`);
            handshakes++;
          },
          (error: Error) => void faults.push(error.message),
        );
      }
    })();
    const seen = new Set<string>();
    for (let n = 0; n < ROTATIONS; n++) {
      const before = issuerOf(web);
      await rotate(agent.port, n);
      await until(() => issuerOf(web) !== before, undefined, PATIENCE_MS);
      const { Roots } = await get<CaRoots>('/v1/connect/ca/roots');
      for (const { RootCert } of Roots.filter(({ Active }) => Active)) {
        const chain = { roots: [RootCert], chain: web.leaf.CertPEM, at: Date.now() };
        const complaint = await complaintOfOpenssl(chain);
        if (complaint !== '') faults.push(`openssl: ${complaint}`);
      }
      seen.add(issuerOf(web));
    }
    over.abort();
    await talking;
    server.close();
    if (seen.size < ROTATIONS) faults.push(`only ${seen.size} of ${ROTATIONS} roots were taken`);
    say(`${handshakes} handshakes through ${ROTATIONS} rotations, ${faults.length} faults`);
    for (const fault of faults.slice(0, 10)) say(fault);
    await leavesAtOnce(get, say, 'many');
  } finally {
    over.abort();
    await agent.stop();
  }
  return faults.length;
});

async function rotate(port: number, n: number): Promise<void> {
  const kind =
    n % 2 === 0 ? { PrivateKeyType: 'rsa', PrivateKeyBits: 2048 } : { PrivateKeyType: 'ec' };
  const answer = await fetch(`http://127.0.0.1:${port}/v1/connect/ca/configuration`, {
    method: 'PUT',
    body: JSON.stringify({ Provider: 'consul', Config: kind }),
  });
  if (!answer.ok) throw new Error(await answer.text());
}
