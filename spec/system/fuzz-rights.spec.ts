import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { Bearers } from '../support/experiments/rights/bearers.ts';
import { hostileJwts } from '../support/experiments/rights/hostile-acl.ts';
import {
  plant,
  readCanaries,
  tidyUp,
  verifyCanaries,
} from '../support/experiments/rights/planted-world.ts';
import { RightsFuzzer } from '../support/experiments/rights/rights-fuzzer.ts';
import { RightsTarget } from '../support/experiments/rights/rights-target.ts';
import { SEED } from '../support/seed.ts';
import { MASTER, startAclServer } from '../support/servers/acl-server.ts';

const REQUESTS = 3000;
const TIMEOUT_MS = 180_000;

describe(`a server under access control under fuzz (seed ${SEED})`, () => {
  it(`gives nothing away in ${REQUESTS} requests under all kinds of tokens`, async () => {
    const errors: string[] = [];
    const logger = {
      error: (line: string) => void errors.push(line),
      warn() {},
      info() {},
      debug() {},
    };
    const server = await startAclServer({}, logger);
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const boss = (method: string, path: string, body?: object | string) =>
      server.as(MASTER, method, path, body);
    const names = await plant(boss, pem);
    const bearers = new Bearers(boss, MASTER, () => server.clock.now());
    await bearers.make();
    const canaries = await readCanaries(boss);
    const jwts = hostileJwts(privateKey, Math.floor(server.clock.now() / 1000));
    const fuzzer = new RightsFuzzer({ seed: SEED, bearers, names, jwts, pem });
    const place = {
      name: 'server',
      open: server.port,
      believedMs: 0,
      advance: () => server.clock.advance(2),
    };
    const seen = { statuses: new Map<number, number>(), said: new Map<string, number>() };
    const target = new RightsTarget(place, bearers, seen);
    for (let i = 0; i < REQUESTS; i++) {
      await target.take(fuzzer.next());
      if (i % 50 === 0) await bearers.revoke();
      if (i % 100 === 0) await bearers.pass();
      // Those that live for a minute have ended.
      if (i === REQUESTS / 2) await server.clock.advance(61_000);
    }
    await tidyUp(boss);
    await verifyCanaries(boss, canaries);
    assert.deepEqual(errors, []);
  }).timeout(TIMEOUT_MS);
});
