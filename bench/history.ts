/**
 * What the history takes: memory of many checks with many changes each, time of a change with it and
 * without, and how long a snapshot holds others up.
 * node --expose-gc --import tsx bench/history.ts [checks, 100000] [changes of each, 20]
 */
import { spawnSync } from 'node:child_process';
import process, { memoryUsage } from 'node:process';
import { fileURLToPath } from 'node:url';
import { EVERYTHING } from '../lib/acl/rights.ts';
import { DEFAULT_HISTORY } from '../lib/history.ts';
import type { Command, Entry } from '../server/commands.ts';
import { Reader } from '../server/query/reader.ts';
import { availabilityOf } from '../server/query/service-availability.ts';
import { apply } from '../server/state/apply.ts';
import { dump } from '../server/state/snapshot.ts';
import { State } from '../server/state/state.ts';

const [checks = 100_000, changes = 20] = process.argv.slice(2, 4).map(Number);
/** Of this process alone: with how many changes a check it is to fill a state, and measure that. */
const alone = process.argv[4];
const PER_SERVICE = 100;
const PER_NODE = 20;
const SLICE = 20_000;
const say = (line: string) => void process.stdout.write(`${line}\n`);
const MB = 1024 * 1024;

class Run {
  #state = new State();
  #index = 0;
  applyMs = 0;

  constructor(perCheck: number) {
    this.apply([{ type: 'set-history', limits: { ...DEFAULT_HISTORY, perCheck } }]);
  }

  get state(): State {
    return this.#state;
  }

  /** The commands as a log reads them back: every string its own. */
  apply(commands: readonly Command[]): void {
    const entries = commands.map((command): Entry => {
      const index = ++this.#index;
      const read = JSON.parse(JSON.stringify(command)) as Command;
      const t = 1_700_000_000_000 + index * 10;
      return { index, epoch: 1, t, id: `b/${index}`, hash: '', size: 0, command: read };
    });
    const from = process.cpuUsage();
    for (const entry of entries) this.#state = apply(this.#state, entry).state;
    this.applyMs += process.cpuUsage(from).user / 1000;
  }
}

function commandsOf(round: number, from: number): Command[] {
  const count = Math.min(SLICE, checks - from);
  return Array.from({ length: count }, (_, i) => commandOf(from + i, round));
}

function commandOf(i: number, round: number): Command {
  const id = `web-${i}`;
  const Status = round % 2 === 0 ? 'passing' : 'critical';
  const url = `http://10.0.${i >> 8}.${i & 255}/health`;
  const Output = round % 2 === 0 ? `HTTP GET ${url}: 200 OK` : `Get "${url}": connection refused`;
  const check = { CheckID: `service:${id}`, Name: 'up', Notes: '', Type: 'http', Definition: {} };
  return {
    type: 'register',
    skipNodeUpdate: round > 0,
    node: {
      ...{ ID: '', Node: `node-${Math.floor(i / PER_NODE)}`, Address: '10.0.0.1' },
      ...{ Datacenter: 'dc1', TaggedAddresses: null, Meta: null },
    },
    ...(round === 0 && {
      service: {
        ...{ Kind: '', ID: id, Service: `web-${Math.floor(i / PER_SERVICE)}`, Tags: ['v1'] },
        ...{ Address: '10.0.0.1', TaggedAddresses: null, Meta: null, Port: 80 },
        ...{
          Weights: { Passing: 1, Warning: 1 },
          EnableTagOverride: false,
          Proxy: {},
          Connect: {},
        },
      },
    }),
    checks: [{ ...check, Status, Output, ServiceID: id }],
  };
}

function memory(): Memory {
  for (let i = 0; i < 4; i++) globalThis.gc?.();
  const { heapUsed, arrayBuffers } = memoryUsage();
  return { heap: heapUsed / MB, buffers: arrayBuffers / MB };
}

interface Memory {
  readonly heap: number;
  readonly buffers: number;
}

if (alone !== undefined) {
  const before = memory();
  const run = new Run(Number(alone));
  fill([run]);
  const after = memory();
  const figures = { heap: after.heap - before.heap, buffers: after.buffers - before.buffers };
  say(JSON.stringify(figures));
  // Alive until it is measured.
  process.exit(run.state.index > 0 ? 0 : 1);
}

/** Of a state in a process of its own: beside another one it would share what both have alike. */
function memoryOf(perCheck: number): Memory {
  const words = [fileURLToPath(import.meta.url), checks, changes, perCheck].map(String);
  const { stdout } = spawnSync(process.execPath, [...process.execArgv, ...words]);
  return JSON.parse(stdout.toString()) as Memory;
}

/** Each slice for one after the other, so that all meet the same machine. Answers what each took. */
function fill(all: readonly Run[]): readonly (readonly [registering: number, changing: number])[] {
  const took = all.map((): [number, number] => [0, 0]);
  for (let round = 0; round < changes; round++) {
    for (let from = 0; from < checks; from += SLICE) {
      const turns = [...all.entries()];
      for (const [i, run] of from % (2 * SLICE) ? turns.reverse() : turns) {
        const began = run.applyMs;
        run.apply(commandsOf(round, from));
        const times = took[i] as [number, number];
        times[round === 0 ? 0 : 1] += run.applyMs - began;
      }
    }
  }
  return took;
}

const memories = { without: memoryOf(0), with: memoryOf(DEFAULT_HISTORY.perCheck) };
const runs = { without: new Run(0), with: new Run(DEFAULT_HISTORY.perCheck) };
const [without = [0, 0], kept = [0, 0]] = fill([runs.without, runs.with]);
const { size } = runs.with.state.history;
const looked = look(runs.with.state);

/** Keeps nothing of the state alive. */
function look(state: State) {
  const from = performance.now();
  const lines = dump(state);
  const held = performance.now() - from;
  let characters = 0;
  for (const line of lines) if (line.startsWith('{"past"')) characters += line.length;
  const ask = () => {
    const asked = { service: 'web-0', now: state.t, instances: 100, steps: 0 };
    return availabilityOf(new Reader(state, EVERYTHING), asked);
  };
  for (let i = 0; i < 20; i++) ask();
  const before = process.cpuUsage();
  for (let i = 0; i < 20; i++) ask();
  return { held, characters, answered: process.cpuUsage(before).user / 1000 / 20 };
}

const heap = memories.with.heap - memories.without.heap;
const buffers = memories.with.buffers - memories.without.buffers;
say(`${size.changes} changes, ${size.characters} characters of output`);
say(
  `history: heap ${heap.toFixed(0)} MB, buffers ${buffers.toFixed(0)} MB; the rest ${memories.without.heap.toFixed(0)} MB`,
);
for (const [i, what] of ['a registration', 'a change'].entries()) {
  const n = checks * (i === 0 ? 1 : changes - 1);
  const us = (times: readonly number[]) => (((times[i] ?? 0) * 1000) / n).toFixed(2);
  say(`${what}: ${us(without)} µs without, ${us(kept)} with`);
}
say(
  `a snapshot begins in ${looked.held.toFixed(0)} ms; its history has ${(looked.characters / MB).toFixed(0)} MB`,
);
say(`availability of ${PER_SERVICE} instances: ${looked.answered.toFixed(1)} ms`);
