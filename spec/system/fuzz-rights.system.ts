/**
 * Requests under all kinds of tokens, with hostile rules, selectors, logins and certificates, by HTTP and
 * HTTPS, to a server and a client agent under access control: nothing may crash, hang, answer 5xx but
 * on purpose, hold up the event loop, or tell what is planted to whoever may not see it.
 *
 *   node --import tsx spec/system/fuzz-rights.system.ts [requests] [seed]
 */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { removeTlsFolders, TestAuthority } from '../support/certificates.ts';
import { FuzzClient, NO_ANSWER_IN_TIME } from '../support/experiments/fuzz-client.ts';
import { Bearers } from '../support/experiments/rights/bearers.ts';
import { hostileJwts } from '../support/experiments/rights/hostile-acl.ts';
import {
  MARKER,
  plant,
  readCanaries,
  tidyUp,
  verifyCanaries,
} from '../support/experiments/rights/planted-world.ts';
import { RightsFuzzer } from '../support/experiments/rights/rights-fuzzer.ts';
import {
  type Place,
  RightsTarget,
  type Seen,
} from '../support/experiments/rights/rights-target.ts';
import { Starvation } from '../support/experiments/starvation.ts';
import { freePorts } from '../support/servers/free-ports.ts';
import { killProconsuls, type Proconsul, startProconsul } from '../support/servers/proconsul.ts';
import { send } from '../support/servers/start-server.ts';
import { sleep } from '../support/sleep.ts';
import { until } from '../support/until.ts';
import { report } from './report.ts';

const requests = Number(process.argv[2] ?? 200_000);
const seed = Number(process.argv[3] ?? 1);
const MAX_MS = 60 * 60_000;
const SAY_MS = 30_000;
/** What is late is excused where somebody has waited for a processor so much of the time before. */
const LATE_MS = 20_000;
const STARVED_MS = 4000;
const TRIES = 5;
/** How long the agent believes a token, and how long it may take to hear of it. */
const BELIEVED_MS = 2000;
/** How often tokens end, certificates are tried, and what fuzzing made is taken away. */
const BESIDE_MS = 2000;
const START_MS = 60_000;
const MAX_P99_MS = 100;
const BOSS = '11111111-1111-4111-8111-111111111111';
const LOOP_DELAY = fileURLToPath(
  new URL('../support/experiments/loop-delay-on-signal.mjs', import.meta.url),
);

interface Cluster {
  readonly folder: string;
  readonly server: Proconsul;
  readonly agent: Proconsul;
  readonly https: { readonly server: number; readonly agent: number };
  readonly authority: TestAuthority;
}

async function start(): Promise<Cluster> {
  const folder = await mkdtemp(join(tmpdir(), 'fuzz-rights-'));
  const authority = await TestAuthority.create();
  const { certFile: cert_file, keyFile: key_file } = await authority.files();
  const [server = 0, agent = 0, lan = 0] = await freePorts(3);
  const common = (https: number, more: object) => [
    `-https-port=${https}`,
    // As most run it: at debug, as under -dev, other ways are taken.
    '-log-level=info',
    '-hcl',
    JSON.stringify({
      // Handshakes of a busy machine are no stranger's.
      limits: { https_handshake_timeout: '60s' },
      tls: { https: { ca_file: authority.caFile, cert_file, key_file, verify_incoming: true } },
      acl: { enabled: true, default_policy: 'deny', token_ttl: `${BELIEVED_MS}ms`, ...more },
    }),
  ];
  const options = { nodeOptions: `--import=${LOOP_DELAY}` };
  const initial = { tokens: { initial_management: BOSS, agent: BOSS } };
  const first = await startProconsul(
    [
      '-server',
      '-bootstrap',
      `-data-dir=${folder}/server`,
      `-serf-lan-port=${lan}`,
      ...common(server, initial),
    ],
    undefined,
    options,
  );
  const second = await startProconsul(
    [
      '-node=a1',
      `-data-dir=${folder}/agent`,
      `-retry-join=127.0.0.1:${lan}`,
      ...common(agent, { tokens: { agent: BOSS } }),
    ],
    undefined,
    { ...options, alone: true },
  );
  const joined = async () => (await asBoss(second.port)('GET', '/v1/catalog/node/a1')).text;
  await until(async () => /"Node":"a1"/.test(await joined()), joined, START_MS);
  return { folder, server: first, agent: second, https: { server, agent }, authority };
}

function asBoss(port: number) {
  const headers = { 'X-Consul-Token': BOSS };
  return (method: string, path: string, body: object | string = '') =>
    send(port, method, path, { headers, body });
}

/** Each place twice over plain HTTP, and once under TLS. */
async function placesOf({ server, agent, https, authority }: Cluster): Promise<Place[]> {
  const pair = await authority.issue();
  const tls = (port: number) => () =>
    connect({ port, host: '127.0.0.1', ca: authority.pair.cert, ...pair });
  const at = { server: 0, agent: BELIEVED_MS * 2 };
  const plain = { server: server.port, agent: agent.port };
  return (['server', 'agent'] as const).flatMap((name) => [
    { name: `${name}, HTTP`, open: plain[name], believedMs: at[name] },
    { name: `${name}, HTTP`, open: plain[name], believedMs: at[name] },
    { name: `${name}, HTTPS`, open: tls(https[name]), believedMs: at[name] },
  ]);
}

/** Whoever has none of these certificates is not even heard, whatever token he brings. */
async function strangersOf({ https, authority }: Cluster) {
  const foreign = await TestAuthority.create();
  const forServers = await authority.issue({ usages: ['server'] });
  const [ended, other] = [await authority.issue({ days: -1 }), await foreign.issue()];
  const bad = { none: {}, ended, other, forServers, self: foreign.pair };
  const good = { unnamed: await authority.issue({ names: [''] }) };
  const ask = async (port: number, pair: object) => {
    const trust = { ca: authority.pair.cert, servername: 'localhost', ...pair };
    const client = new FuzzClient(() => connect({ port, host: '127.0.0.1', ...trust }));
    const request = `GET /v1/kv/planted/key HTTP/1.1\r\nHost: x\r\nX-Consul-Token: ${BOSS}\r\n\r\n`;
    const { status } = await client.ask(request);
    client.close();
    return status;
  };
  return async () => {
    for (const port of [https.server, https.agent]) {
      for (const [name, pair] of Object.entries(bad)) assert.equal(await ask(port, pair), 0, name);
      for (const [name, pair] of Object.entries(good))
        assert.equal(await ask(port, pair), 200, name);
    }
  };
}

class Run {
  done = 0;
  isOver = false;
  /** What was late on a machine that was busy with others. */
  excused = 0;
  readonly #starvation: Starvation;

  constructor({ server, agent }: Cluster) {
    this.#starvation = new Starvation([server.pid, agent.pid]);
  }

  /** Whether a processor was missing, just now. */
  isStarved(): boolean {
    return this.#starvation.within(LATE_MS) >= STARVED_MS;
  }

  /** What fails again and again is no matter of time. */
  async patiently(step: () => Promise<void>): Promise<void> {
    for (let left = TRIES; ; left--) {
      try {
        await step();
        return;
      } catch (error) {
        if (left === 0 || !this.isStarved()) throw error;
        this.excused++;
        await sleep(BESIDE_MS);
      }
    }
  }

  stop(): void {
    this.#starvation.stop();
  }
}

/** How long a small read takes from outside, all along. */
async function probe(run: Run, of: Proconsul): Promise<number[]> {
  const times: number[] = [];
  while (!run.isOver) {
    const began = performance.now();
    const { status, text } = await asBoss(of.port)('GET', '/v1/kv/planted/key');
    // The agent gives up a server that it has not heard for some seconds.
    const isLate = status === 500 && run.isStarved();
    assert(status === 200 || isLate, `an innocent read: ${status} ${text}`);
    if (isLate) run.excused++;
    times.push(performance.now() - began);
    await sleep(50);
  }
  return times.sort((a, b) => a - b);
}

/** How long each of them stood still since it was asked last. */
async function heldUp({ server, agent }: Cluster): Promise<string[]> {
  const said: string[] = [];
  for (const process of [server, agent]) {
    process.output = '';
    process.signal('SIGUSR2');
    const line = () => /loop held up: (.*)/.exec(process.output)?.[1];
    await until(() => line() !== undefined);
    said.push(line() ?? '');
  }
  return said;
}

await report(async (say) => {
  try {
    return await fuzz(say);
  } finally {
    await killProconsuls();
  }
});

async function fuzz(say: (line: string) => void): Promise<number> {
  const cluster = await start();
  const { server, agent } = cluster;
  const boss = asBoss(server.port);
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const names = await plant(boss, pem);
  for (const Name of ['planted', MARKER]) {
    const Service = { Name, Meta: { is: MARKER }, Check: { TTL: '1h', Notes: MARKER } };
    for (const { port } of [server, agent]) {
      const { status, text } = await asBoss(port)('PUT', '/v1/agent/service/register', Service);
      assert.equal(status, 200, text);
    }
  }
  const bearers = new Bearers(boss, BOSS, Date.now);
  await bearers.make();
  const canaries = await readCanaries(boss);
  const jwts = hostileJwts(privateKey, Math.floor(Date.now() / 1000));
  const seen: Seen = { statuses: new Map(), said: new Map() };
  const run = new Run(cluster);
  const began = performance.now();

  const lane = async (place: Place, at: number) => {
    const target = new RightsTarget(place, bearers, seen);
    const fuzzer = new RightsFuzzer({ seed: seed * 1000 + at, bearers, names, jwts, pem });
    while (run.done < requests && performance.now() - began < MAX_MS) {
      const drawn = fuzzer.next();
      await target.take(drawn).catch((error: Error) => {
        // Whatever else is wrong with an answer is wrong however late it comes.
        if (!error.message.startsWith(NO_ANSWER_IN_TIME) || !run.isStarved()) throw error;
        run.excused++;
        target.close();
      });
      run.done++;
    }
    target.close();
  };
  const goesOn = async () => {
    for (let said = began; !run.isOver; await sleep(BESIDE_MS)) {
      if (performance.now() - said < SAY_MS) continue;
      said = performance.now();
      const seconds = (said - began) / 1000;
      const pace = `${seconds.toFixed(0)} s, ${(run.done / seconds).toFixed(0)} a second`;
      say(`${run.done} requests, ${pace}, ${run.excused} excused`);
    }
  };
  const strangers = await strangersOf(cluster);
  // What starting took is not meant.
  await heldUp(cluster);
  const beside = async () => {
    while (!run.isOver) {
      await run.patiently(() => bearers.revoke());
      await run.patiently(() => bearers.pass());
      await run.patiently(strangers);
      await run.patiently(() => tidyUp(boss));
      await run.patiently(() => verifyCanaries(boss, canaries));
      await sleep(BESIDE_MS);
    }
  };
  const lanes = (await placesOf(cluster)).map(lane);
  const saying = goesOn();
  const others = [beside(), probe(run, server), probe(run, agent)] as const;
  // Whatever fails first is what is to be told.
  const crashed = (one: Proconsul) =>
    one.ended.then((code) => run.isOver || assert.fail(`ended by itself, ${code}: ${one.output}`));
  await Promise.race([
    Promise.all(lanes),
    ...[Promise.all(others), crashed(server), crashed(agent)],
  ]);
  run.isOver = true;
  const [, ...probes] = await Promise.all(others);
  await saying;
  run.stop();
  assert(run.done >= requests, `${run.done} of ${requests} requests in ${MAX_MS / 60_000} min`);
  for (const { output } of [server, agent]) assert.doesNotMatch(output, /\[ERROR\]|Internal error/);
  for (const [i, said] of (await heldUp(cluster)).entries()) {
    say(`event loop of the ${i === 0 ? 'server' : 'agent'} held up: ${said}`);
    const [, p99] = /processor p50 \d+ p99 (\d+)/.exec(said) ?? [];
    assert(Number(p99) < MAX_P99_MS, said);
  }
  for (const times of probes) {
    const at = (share: number) => (times[Math.floor(times.length * share)] ?? 0).toFixed(0);
    say(
      `a read of a key, ${times.length} times: p50 ${at(0.5)} p99 ${at(0.99)} most ${at(0.9999)} ms`,
    );
  }
  say(`${run.excused} times something was late where a processor was missing, and was excused`);
  await tidyUp(boss);
  await verifyCanaries(boss, canaries);
  const shown = (counts: Map<unknown, number>) => [...counts].map(([what, n]) => `${what}: ${n}`);
  say(`${run.done} requests by seed ${seed}: ${shown(seen.statuses).sort().join(', ')}`);
  say(`errors of the server's that are meant:\n  ${shown(seen.said).sort().join('\n  ')}`);
  removeTlsFolders();
  await rm(cluster.folder, { recursive: true });
  return 0;
}
