import { BODIES, Fuzzer, FuzzTarget, withWrongValues } from '../support/experiments/fuzz.ts';
import { SEED } from '../support/seed.ts';

const REQUESTS = 3000;
const TIMEOUT_MS = 120_000;

describe(`a server under fuzz (seed ${SEED})`, () => {
  it(`answers ${REQUESTS} malformed requests on purpose, and keeps what others wrote`, async () => {
    const target = await FuzzTarget.start();
    const paths = target.server.server.routes().map(({ path }) => path);
    const fuzzer = new Fuzzer(SEED, paths);
    for (let i = 0; i < REQUESTS; i++) await target.takeNext(fuzzer);
    await target.verify();
  }).timeout(TIMEOUT_MS);

  for (const [path, body] of Object.entries(BODIES)) {
    it(`survives every wrong value in every field of ${path}`, async () => {
      const target = await FuzzTarget.start();
      const method = path === '/v1/query' ? 'POST' : 'PUT';
      for (const text of withWrongValues(body)) {
        const length = Buffer.byteLength(text);
        const head = `${method} ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n`;
        await target.take(Buffer.from(head + text));
      }
      await target.verify();
    }).timeout(TIMEOUT_MS);
  }
});
