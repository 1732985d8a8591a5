/**
 * Two masters that both take writes (`commit = redis`), one server on each, and clients that wait on
 * both. When the old one is given up, whoever waits sees what counts, and hears of the next change;
 * what is lost is named in the server's log, once.
 * Run: node --import tsx spec/system/redis-fork.system.ts [rounds, 3]
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  cutOff,
  lead,
  promoteReplica,
  put,
  read,
  type Seen,
} from '../support/experiments/redis-masters.ts';
import { Cluster, type ServerProcess } from '../support/servers/cluster.ts';
import { sleep } from '../support/sleep.ts';
import { until } from '../support/until.ts';
import { report } from './report.ts';

const [rounds = 3] = process.argv.slice(2).map(Number);
const WAIT_MS = 20_000;
const WAITERS = 20;
const WAITING_MS = 500;

await report(async (say) => {
  let failed = 0;
  for (let round = 1; round <= rounds; round++) {
    const { seen, next, named, reads } = await fork();
    const good = seen === WAITERS && next === WAITERS && named === 1 && reads === 2;
    if (!good) failed++;
    say(
      `round ${round}: ${seen} of ${WAITERS} waiting clients got what counts, ${next} of ${WAITERS} ` +
        `heard of the next change; the lost write is named ${named} time(s); ` +
        `${reads} of 2 servers agree${good ? '' : '  FAILED'}`,
    );
  }
  return failed;
});

async function fork() {
  const cluster = await Cluster.start({ servers: 2 });
  try {
    const [a, b] = cluster.servers;
    if (a === undefined || b === undefined) throw new Error('no servers');
    await put(a, 'x', 'common');
    const next = await promoteReplica(cluster);
    // B is on the new master by itself; A has not heard, and goes on with the old one.
    cutOff(a);
    lead(b, next);
    await until(async () => await put(b, 'x', 'kept'), undefined, WAIT_MS);
    if (a.proxy !== undefined) a.proxy.frozen = false;
    a.proxy?.cutAll();
    await until(async () => await put(a, 'x', 'lost'), undefined, WAIT_MS);
    const { value, index } = await read(a, 'x');
    if (value !== 'lost') throw new Error(`A read ${value} before the fork was found`);
    const waiting = Promise.allSettled(Array.from({ length: WAITERS }, () => read(a, 'x', index)));
    // All are there, and wait.
    await sleep(WAITING_MS);
    lead(a, next);
    const first = (await waiting).filter((each) => each.status === 'fulfilled');
    const kept = first.map((each) => each.value).filter((each) => each.value === 'kept');
    const again = Promise.allSettled(kept.map((each) => goOn(a, each.index)));
    await sleep(WAITING_MS);
    await until(async () => await put(b, 'x', 'next'), undefined, WAIT_MS);
    const heard = (await again).filter(
      (each) => each.status === 'fulfilled' && each.value.value === 'next',
    );
    const values = [await read(a, 'x'), await read(b, 'x')];
    const log = await readFile(join(cluster.dir, `${a.name}.log`), 'utf8');
    return {
      seen: kept.length,
      next: heard.length,
      named: log.split('\n').filter((line) => /lost in a fork: .* kv "x"/.test(line)).length,
      reads: values.filter((each) => each.value === 'next').length,
    };
  } finally {
    await cluster.stop();
  }
}

/** As every client does: what is refused is asked again, with the index that one has. */
async function goOn(server: ServerProcess, index: number): Promise<Seen> {
  for (;;) {
    try {
      return await read(server, 'x', index);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.includes('No cluster leader')) throw error;
      await sleep(50);
    }
  }
}
