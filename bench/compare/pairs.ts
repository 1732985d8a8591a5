/** Two servers that differ in one thing, loaded in turns by wrk: a machine may be busy with other things. */
import { readFileSync } from 'node:fs';
import type { Proconsul } from '../../spec/support/servers/proconsul.ts';
import { requestsPerSecond } from './wrk.ts';

const TICKS_PER_SECOND = 100;
/** Pairs that do not count: V8 has not compiled it all yet. */
const WARM_UP = 4;

interface Measured {
  readonly rate: number;
  /** Microseconds of a processor. */
  readonly cpu: number;
}

export interface Compared {
  readonly plain: number;
  readonly other: number;
  /** Of the other one, to the plain one's. */
  readonly rate: number;
}

export interface Load {
  readonly request: Parameters<typeof requestsPerSecond>[1];
  readonly rounds: number;
  readonly seconds: number;
}

/** Microseconds of a processor for a request, at each of both. */
export async function inPairs(plain: Proconsul, other: Proconsul, load: Load): Promise<Compared> {
  const pairs: { readonly plain: Measured; readonly other: Measured }[] = [];
  for (let round = -WARM_UP; round < load.rounds; round++) {
    // The other one first in every second round: neither always has the warmer machine.
    const isPlainFirst = round % 2 === 0;
    const first = await measure(isPlainFirst ? plain : other, load);
    const second = await measure(isPlainFirst ? other : plain, load);
    if (round < 0) continue;
    pairs.push(isPlainFirst ? { plain: first, other: second } : { plain: second, other: first });
  }
  // Whatever else runs on the machine only adds to it: the lower quartile is what a request costs.
  const cpu = (of: 'plain' | 'other') =>
    quartile(
      pairs.map((pair) => pair[of].cpu),
      1,
    );
  const rates = pairs.map((pair) => pair.other.rate / pair.plain.rate);
  return { plain: cpu('plain'), other: cpu('other'), rate: quartile(rates, 2) };
}

async function measure(server: Proconsul, { request, seconds }: Load): Promise<Measured> {
  const before = cpuOf(server);
  const rate = await requestsPerSecond(server.port, request, seconds * 1000);
  return { rate, cpu: ((cpuOf(server) - before) * 1e6) / (rate * seconds) };
}

/** Seconds of a processor that the process has had so far. */
function cpuOf({ pid }: Proconsul): number {
  const [, rest = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
  const fields = rest.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function quartile(values: readonly number[], of: 1 | 2): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length * of) / 4)] ?? Number.NaN;
}
