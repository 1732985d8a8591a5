/**
 * Sixteen clients send bodies of up to a megabyte again and again, of each kind that takes longest to read: to
 * a server that lets anyone write, and as strangers to one that does not. Told is how long the event loop was
 * held up, by the server's own processor time: whatever else the machine does is left out of it.
 *
 *   node --import tsx spec/system/large-bodies.system.ts [seconds of each, 4]
 */
import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { fileURLToPath } from 'node:url';
import { killProconsuls, type Proconsul, startProconsul } from '../support/servers/proconsul.ts';
import { send } from '../support/servers/start-server.ts';
import { sleep } from '../support/sleep.ts';
import { until } from '../support/until.ts';
import { report } from './report.ts';

const MS = Number(process.argv[2] ?? 4) * 1000;
const CLIENTS = 16;
/** Of one step of the loop: of whoever may, to read a body, judge it and write it down. */
const MAX_P99_MS = { anyone: 500, strangers: 100 };
const LOOP_DELAY = fileURLToPath(
  new URL('../support/experiments/loop-delay-on-signal.mjs', import.meta.url),
);
const UNDER_TOKENS = ['-hcl', 'acl { enabled = true default_policy = "deny" }'];

const many = <T>(count: number, make: (i: number) => T) =>
  Array.from({ length: count }, (_, i) => make(i));
const named = (count: number, value: unknown) =>
  Object.fromEntries(many(count, (i) => [`k${i}`, value]));
const on = (more: string) => `{"Node":"x","Address":"10.0.0.1",${more}}`;
const config = (of: unknown) =>
  on(`"Service":{"Service":"x","Proxy":${JSON.stringify({ Config: of })}}`);

/** By what is in it: the row, and the body. */
const BODIES: Readonly<Record<string, readonly [string, string]>> = {
  'many checks': [
    'catalog/register',
    on(
      `"Checks":${JSON.stringify(many(3600, (i) => ({ CheckID: `c${i}`, Name: 'x'.repeat(200) })))}`,
    ),
  ],
  'many checks of an agent': [
    'agent/service/register',
    JSON.stringify({
      Name: 'x',
      Checks: many(4000, () => ({ TTL: '1h', Notes: 'x'.repeat(200) })),
    }),
  ],
  'long metadata': [
    'catalog/register',
    on(`"NodeMeta":${JSON.stringify(named(4000, 'y'.repeat(230)))}`),
  ],
  'many names in a map': ['catalog/register', config(named(4000, 'y'.repeat(220)))],
  'long integers': [
    'catalog/register',
    config({ a: many(50_000, () => 1) }).replaceAll('1,', '1234567890123456789,'),
  ],
  'too many objects': ['catalog/register', on(`"Checks":[${many(300_000, () => '{}').join()}]`)],
  'too many names': ['catalog/register', JSON.stringify(named(70_000, {}))],
  'nothing but backslashes': ['catalog/register', on(`"x":"${'\\\\'.repeat(250_000)}`)],
  'no JSON': ['catalog/register', `${on('"Checks":[')}${many(300_000, () => 1).join()}`],
  'a transaction': [
    'txn',
    JSON.stringify(
      many(60, (i) => ({ KV: { Verb: 'set', Key: `k${i}`, Value: 'QUJD'.repeat(2000) } })),
    ),
  ],
};

async function heldUp(server: Proconsul): Promise<string> {
  server.output = '';
  server.signal('SIGUSR2');
  const line = () => /loop held up: (.*)/.exec(server.output)?.[1];
  await until(() => line() !== undefined);
  return line() ?? '';
}

async function attack(server: Proconsul, [path, body]: readonly [string, string]) {
  const statuses = new Map<number, number>();
  const end = performance.now() + MS;
  const client = async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (performance.now() < end) {
      const { status } = await send(server.port, 'PUT', `/v1/${path}`, { body, agent });
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
    agent.destroy();
  };
  await heldUp(server);
  await Promise.all(many(CLIENTS, client));
  return { held: await heldUp(server), statuses };
}

await report(async (say) => {
  let failed = 0;
  try {
    for (const [whose, flags] of [
      ['anyone', []],
      ['strangers', UNDER_TOKENS],
    ] as const) {
      const options = { nodeOptions: `--import=${LOOP_DELAY}` };
      const server = await startProconsul(
        ['-dev', '-log-level=warn', ...flags],
        undefined,
        options,
      );
      for (const [what, request] of Object.entries(BODIES)) {
        const { held, statuses } = await attack(server, request);
        const [, p99] = /processor p50 \d+ p99 (\d+)/.exec(held) ?? [];
        const isGood = Number(p99) < MAX_P99_MS[whose];
        if (!isGood) failed++;
        if (whose === 'strangers') assert.equal(statuses.get(200), undefined);
        const counts = [...statuses].map(([status, count]) => `${status}: ${count}`).join(', ');
        say(
          `${whose}, ${what} (${request[1].length}): ${held}; ${counts}${isGood ? '' : '  FAILED'}`,
        );
      }
      await sleep(100);
      await killProconsuls();
    }
  } finally {
    await killProconsuls();
  }
  return failed;
});
