/**
 * What things take: each with the command that measures it, in processor time of the process that pays, so that
 * they can be measured on a machine that is busy. These were, on two cores with a load of 17 from other work: on a
 * quiet one they are less. Bytes are rounded up.
 */

export interface Constant {
  readonly value: number;
  readonly unit: 'µs' | 'bytes';
  readonly of: string;
  readonly by: string;
}

const MEASURE = 'bench/scale/measure.ts';
const MILLION = 'spec/system/million.system.ts';
const AGENTS = 'spec/system/agents-50000.system.ts';
const CLUSTER = 'bench/cluster.ts';
const RECKONED = 'reckoned by what is in it';

function us(value: number, of: string, by = MEASURE): Constant {
  return { value, unit: 'µs', of, by };
}

function bytes(value: number, of: string, by: string): Constant {
  return { value, unit: 'bytes', of, by };
}

export const CONSTANTS = {
  beat: us(95, 'a beat, of the server that takes it'),
  beatRedis: us(18, 'a beat, of Redis, where as many as there are clients share a script'),
  compare: us(275, "an agent's comparison in full, of a server: two reads made anew"),
  read: us(22, 'a read that was asked before'),
  readRedis: us(
    5.4,
    'the same, of Redis: reads that come together share a question for the newest index',
  ),
  change: us(170, 'a change of a check, of the server that takes it'),
  follow: us(70, 'a change that another server took, of each that applies it'),
  changeRedis: us(
    44,
    'a change, of Redis: the script that appends it, and the reads by two servers',
  ),
  wake: us(36, 'a watcher that is woken, of its server'),
  instance: bytes(3500, 'an instance with its check and what is remembered of it', MILLION),
  watcher: bytes(12_000, 'a client that waits, its connection and its part of an answer', MILLION),
  connection: bytes(10_000, "an agent's connection", AGENTS),
  process: bytes(120_000_000, 'a server with nothing in it', AGENTS),
  entry: bytes(800, 'an entry in Redis and on its way to a server', CLUSTER),
  answer: bytes(6000, 'an answer with ten instances', RECKONED),
  beatBytes: bytes(1200, 'a beat and its answer, with what carries them', RECKONED),
} satisfies Readonly<Record<string, Constant>>;
