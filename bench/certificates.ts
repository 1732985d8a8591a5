/**
 * What a certificate of the mesh costs in processor, step by step, in one process that is warm: the agent's key
 * and its request, the server's reading of that, and the leaf.
 *
 *   node --import tsx bench/certificates.ts [certificates, 500]
 */
import { issuerOf, makeRoot } from '../lib/connect/certificates.ts';
import { generateKey, generatePair, type KeyPair, keyPem } from '../lib/connect/keys.ts';
import { makeLeaf } from '../lib/connect/leaf.ts';
import { makeRequest, readRequest } from '../lib/connect/request.ts';

const certificates = Number(process.argv[2] ?? 500);
const WARM_UP = 100;
const trustDomain = '11111111-2222-3333-4444-555555555555.consul';
const uri = `spiffe://${trustDomain}/ns/default/dc/dc1/svc/web`;
const validity = { from: Date.UTC(2026, 0, 1), to: Date.UTC(2026, 0, 4) };

/** Processor milliseconds of one, all threads together. */
async function cost<T>(all: readonly T[], act: (each: T) => unknown): Promise<number> {
  const before = process.cpuUsage();
  for (const each of all) await act(each);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000 / all.length;
}

async function measure(count: number) {
  const privateKey = await generateKey({ type: 'ec', bits: 256 });
  const root = await makeRoot({ privateKey, commonName: 'root', trustDomain, serial: 1, validity });
  const by = await issuerOf(root, privateKey);
  const names = Array.from({ length: count }, (_, n) => n);
  const keys: KeyPair[] = [];
  const requests: string[] = [];
  const read: Awaited<ReturnType<typeof readRequest>>[] = [];
  return {
    key: await cost(names, async () => keys.push(await generatePair({ type: 'ec', bits: 256 }))),
    request: await cost(keys, async (key) => requests.push(await makeRequest(key, uri))),
    pem: await cost(keys, ({ privateKey: own }) => keyPem(own)),
    reading: await cost(requests, async (request) => read.push(await readRequest(request))),
    leaf: await cost(read, ({ publicKey }) =>
      makeLeaf({ by, publicKey, commonName: 'web.svc', uri, serial: 300, validity }),
    ),
  };
}

const cold = await measure(1);
await measure(WARM_UP);
const warm = await measure(certificates);
for (const [when, figures] of [
  ['the first', cold],
  [`of ${certificates}`, warm],
] as const) {
  const cells = Object.entries(figures).map(([what, ms]) => `${what} ${ms.toFixed(3)} ms`);
  process.stdout.write(`${when}: ${cells.join(', ')}\n`);
}
