/**
 * Where nodes stand, as they measure it: three servers in three cities on one real Redis, and agents in each, all real
 * processes, whose ways to servers of other cities take as long as the map says. Shown is how soon coordinates have
 * the time between any two agents right, which never met; that `?near=` is in that order, wherever it is asked; what `rtt`
 * says; whom a sidecar with `-near` calls, also while those that are near are in maintenance; and how soon all of it
 * follows a machine that moves to another city.
 *
 *   node --import tsx spec/system/near.system.ts [AGENTS IN EACH CITY, 2] [MINUTES FOR EACH, AT MOST, 15]
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Cities, type Distances, type Townsman } from '../support/experiments/cities.ts';
import { freePorts } from '../support/servers/free-ports.ts';
import { whoAnswers } from '../support/servers/sidecars.ts';
import { send } from '../support/servers/start-server.ts';
import { sleep } from '../support/sleep.ts';
import { until } from '../support/until.ts';
import { report } from './report.ts';

const [inEach = 2, minutes = 15] = process.argv.slice(2).map(Number);
/** There and back; each byte is a timer's while under way, and none is shorter than a millisecond. */
const MAP: Distances = [
  [2, 30, 90],
  [30, 2, 90],
  [90, 90, 2],
];
/** A guess may be off by a fifth of what is so, and by so much: what a busy machine adds. */
const OFF_MS = 8;
const LOOK_MS = 2000;
const SAID_EACH_MS = 20_000;
/** In a row: what was right once by chance is not known. */
const TIMES = 5;
const CALLS = 60;
const COMMAND = fileURLToPath(new URL('../../bin/proconsul', import.meta.url));
const run = promisify(execFile);

interface Instance {
  readonly Node: { readonly Node: string };
}

class Looks {
  readonly #cities: Cities;
  readonly #say: (line: string) => void;
  bad = 0;

  constructor(cities: Cities, say: (line: string) => void) {
    this.#cities = cities;
    this.#say = say;
  }

  judge(isGood: boolean, line: string): void {
    if (!isGood) this.bad++;
    this.#say(`${line}${isGood ? '' : '  FAILED'}`);
  }

  /** Of the pairs of these. */
  async known(of: readonly Townsman[], what: string): Promise<void> {
    const began = performance.now();
    const seconds = () => Math.round((performance.now() - began) / 1000);
    let [right, saidAt] = [0, began];
    while (right < TIMES && performance.now() - began < minutes * 60_000) {
      await sleep(LOOK_MS);
      const { worst, guesses } = await this.#worst(of);
      right = worst < OFF_MS ? right + 1 : 0;
      if (right < TIMES && performance.now() - saidAt < SAID_EACH_MS) continue;
      saidAt = performance.now();
      this.#say(
        `after ${seconds()} s the farthest off of ${guesses} guesses is ${worst.toFixed(1)} ms too far off`,
      );
    }
    this.judge(right === TIMES, `${what}: after ${seconds()} s`);
  }

  /** Beyond what a guess may be off. */
  async #worst(of: readonly Townsman[]) {
    const { agents } = this.#cities;
    const guess = await this.#cities.guessedMs();
    const off = of.flatMap((a) =>
      agents.flatMap((b) => {
        const is = this.#cities.apartMs(a, b);
        return a === b ? [] : [Math.abs((guess(a, b) ?? 1000) - is) - is / 5];
      }),
    );
    return { worst: Math.max(...off), guesses: off.length };
  }

  /** Whether these nodes come as the map has them from there, itself before all. */
  async inOrder(from: Townsman, what: string, found: () => Promise<readonly string[]>) {
    const { agents } = this.#cities;
    const names = await found();
    const listed = names.flatMap((name) => agents.filter(({ node }) => node === name));
    const ms = listed.map((each) => (each === from ? 0 : this.#cities.apartMs(from, each)));
    const isSorted = ms.every((each, i) => each >= (ms[i - 1] ?? 0));
    this.judge(isSorted && listed.length === agents.length, `${what}: ${names.join(' ')}`);
  }

  async rtt(a: Townsman, b: Townsman): Promise<void> {
    const { stdout } = await run(COMMAND, ['rtt', ...at(a), a.node, b.node]);
    const said = Number(/rtt: ([\d.]+) ms/.exec(stdout)?.[1]);
    const is = this.#cities.apartMs(a, b);
    this.judge(Math.abs(said - is) < is / 5 + OFF_MS, `${stdout.trim()}, and is ${is}`);
  }

  async called(port: number, wanted: readonly Townsman[], what: string): Promise<void> {
    const names = wanted
      .map(({ node }) => node)
      .sort()
      .join(' ');
    let last = '';
    const began = performance.now();
    const is = async () => {
      last = await whoAre(port);
      return last === names;
    };
    await until(is, () => last, minutes * 60_000).catch(() => undefined);
    const ms = Math.round(performance.now() - began);
    this.judge(last === names, `${what}: ${last} (within ${ms} ms)`);
  }
}

const at = ({ agent }: Townsman) => [`-http-addr=127.0.0.1:${agent.port}`];

/** Of so many calls. */
async function whoAre(port: number): Promise<string> {
  const names = new Set<string>();
  for (let i = 0; i < CALLS; i++) names.add(await whoAnswers(port));
  return [...names].sort().join(' ');
}

async function nodesAt(port: number, path: string): Promise<readonly string[]> {
  const { json } = await send(port, 'GET', path, {});
  const rows = (Array.isArray(json) ? json : (json as { Nodes: Instance[] }).Nodes) as Instance[];
  return rows.map(({ Node }) => (typeof Node === 'string' ? Node : Node.Node));
}

async function order(looks: Looks, cities: Cities): Promise<void> {
  const [first] = cities.agents as [Townsman];
  const query = { Name: 'web', Service: { Service: 'web', Near: '_agent' } };
  await send(first.agent.port, 'POST', '/v1/query', { body: query });
  for (const one of cities.agents) {
    const { port } = one.agent;
    for (const path of ['/v1/health/service/web?near=_agent', '/v1/query/web/execute'])
      await looks.inOrder(one, `${path} at ${one.node}`, () => nodesAt(port, path));
    const path = `/v1/health/service/web?near=${one.node}`;
    await looks.inOrder(one, `${path} at a server`, () => nodesAt(cities.server.port, path));
  }
  for (const other of cities.agents) if (other !== first) await looks.rtt(first, other);
}

async function sidecar(looks: Looks, cities: Cities, proxies: ChildProcess[]): Promise<void> {
  const inCity = (city: number) => cities.agents.filter((each) => each.city === city);
  const [first, second] = inCity(0) as [Townsman, Townsman];
  const [near = 0, wide = 0, plain = 0] = await freePorts(3);
  for (const [port, flags] of [
    [near, ['-near=15ms']],
    [wide, ['-near=50ms']],
    [plain, []],
  ] as const) {
    const words = ['connect', 'proxy', ...at(first), `-upstream=web:${port}`, ...flags];
    proxies.push(spawn(COMMAND, words, { stdio: ['ignore', 'inherit', 'inherit'] }));
  }
  await looks.called(plain, cities.agents, 'a proxy in a, without -near, calls');
  await looks.called(near, inCity(0), '… -near=15ms');
  await looks.called(wide, [...inCity(0), ...inCity(1)], '… -near=50ms');
  const keep = async (isKept: boolean) => {
    for (const { agent } of inCity(0)) {
      const path = `/v1/agent/service/maintenance/web?enable=${isKept}`;
      await send(agent.port, 'PUT', path, {});
    }
  };
  await keep(true);
  await looks.called(near, inCity(1), '… -near=15ms, where those of a are in maintenance');
  await keep(false);
  await looks.called(near, inCity(0), '… and are back');
  cities.move(second, 2);
  await looks.known([second], `${second.node} moves to c: that is known`);
  await looks.called(near, inCity(0), '… and -near=15ms calls');
}

await report(
  async (say) => {
    const cities = await Cities.start(MAP, Math.max(2, inEach));
    const looks = new Looks(cities, say);
    const proxies: ChildProcess[] = [];
    try {
      await looks.known(cities.agents, 'all know where all are');
      await order(looks, cities);
      await sidecar(looks, cities, proxies);
    } finally {
      for (const proxy of proxies) proxy.kill('SIGKILL');
      await cities.stop();
    }
    return looks.bad;
  },
  3 * minutes * 60_000,
);
