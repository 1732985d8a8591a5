import assert from 'node:assert/strict';
import { Agent, request as httpRequest } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { startEureka } from '../../support/servers/start-eureka.ts';
import { startServer } from '../../support/servers/start-server.ts';
import { essence, type Recorded, recordedSteps, type Step } from './recording.ts';

/** Hundreds of requests take long on a machine that is busy. */
const TIMEOUT_MS = 60_000;

describe('Eureka, beside the recording of a real one', function () {
  this.timeout(TIMEOUT_MS);

  it('answers each of its 323 requests alike, one after another', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const { port } = await startEureka(await startServer());
    const differences: string[] = [];
    for (const step of recordedSteps()) {
      const [got, wanted] = [essence(await sent({ port, agent }, step)), essence(step.response)];
      if (isSame(got, wanted)) continue;
      const { n, name, request } = step;
      const told = [wanted, got].map((each) => JSON.stringify(each)).join('\n  got    ');
      differences.push(`${n} ${name}: ${request.method} ${request.path}\n  wanted ${told}`);
    }
    agent.destroy();
    assert.equal(differences.length, 0, `${differences.length} differ:\n${differences.join('\n')}`);
  });
});

function isSame(a: object, b: object): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** With nothing but what was recorded: Accept is missing where it was. */
function sent(
  to: { readonly port: number; readonly agent: Agent },
  { request: { method, path, headers, body } }: Step,
): Promise<Recorded> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', method, path, headers, ...to };
    const request = httpRequest(options, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => {
        const bytes = Buffer.concat(parts);
        const isZipped = response.headers['content-encoding'] === 'gzip';
        const text = (isZipped ? gunzipSync(bytes) : bytes).toString('utf8');
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text });
      });
    });
    request.on('error', reject);
    request.end(body ?? undefined);
  });
}
