/**
 * Kills a whole server under load, again and again, and looks whether anything that was acknowledged
 * is missing; then how long it takes to end in order, with open blocking queries answered.
 *
 *   node --import tsx spec/system/kill.system.ts [rounds]
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { KillRounds } from '../support/experiments/kill-rounds.ts';
import { startProconsul } from '../support/servers/proconsul.ts';
import { send } from '../support/servers/start-server.ts';

const MAX_MS = 15 * 60_000;
const BLOCKED = 150;
const SETTLE_MS = 500;

const count = Number(process.argv[2] ?? 200);
const say = (line: string) => void process.stdout.write(`${line}\n`);
const ms = (value: number | undefined) => `${Math.round(value ?? 0)} ms`;

const folder = await mkdtemp(join(tmpdir(), 'kill-'));
try {
  await killAgainAndAgain();
  await endInOrder();
} finally {
  await rm(folder, { recursive: true });
}

async function killAgainAndAgain(): Promise<void> {
  const rounds = await KillRounds.on(folder);
  const deadline = performance.now() + MAX_MS;
  let done = 0;
  while (done < count && performance.now() < deadline) {
    await rounds.killOne();
    done++;
  }
  await rounds.finish();
  // The first may have built.
  const starts = rounds.startsMs.slice(1).sort((a, b) => a - b);
  say(`${done} of ${count} kills, ${rounds.writes} acknowledged writes, none lost, no index back`);
  say(`start to first answer: median ${ms(starts[starts.length >> 1])}, most ${ms(starts.at(-1))}`);
}

async function endInOrder(): Promise<void> {
  const server = await startProconsul(['-server', '-bootstrap', `-data-dir=${folder}`]);
  const agent = new Agent({ keepAlive: true });
  await send(server.port, 'PUT', '/v1/kv/k', { body: 'x' });
  const { index } = await send(server.port, 'GET', '/v1/kv/k', {});
  const paths = [`/v1/kv/k?index=${index}`, '/v1/event/list?index=1'];
  const waiting = Array.from({ length: BLOCKED }, (_, i) =>
    send(server.port, 'GET', paths[i % paths.length] ?? '', { agent }),
  );
  await sleep(SETTLE_MS);
  const began = performance.now();
  server.signal('SIGTERM');
  const answers = await Promise.all(waiting);
  assert(answers.every(({ status }) => status === 200));
  assert.equal(await server.ended, 0, server.output);
  say(
    `SIGTERM: ${BLOCKED} open queries answered, ended in order after ${ms(performance.now() - began)}`,
  );
}
