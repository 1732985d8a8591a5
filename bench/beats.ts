/**
 * What the beat of an agent takes, in microseconds of a processor, of the server that is asked and of Redis, beside
 * another build of Proconsul: so many agents, each with a connection of its own, beat at so many a second, each at its
 * time. Loaded in turns, since a machine may be busy with other things.
 *
 *   node --import tsx bench/beats.ts [--beside path/to/other/bin/proconsul] [--agents 2000] [--a-second 1000]
 *     [--rounds 6] [--seconds 4]
 */
import process from 'node:process';
import { parseArgs } from 'node:util';
import { processorSeconds } from '../spec/support/processor.ts';
import { Cluster } from '../spec/support/servers/cluster.ts';
import { startRedis, stopAllRedis } from '../spec/support/servers/redis.ts';
import { must } from './compare/http.ts';
import { median } from './compare/measure.ts';
import { Connection } from './day/connection.ts';

const { values: options } = parseArgs({
  options: {
    beside: { type: 'string', default: '' },
    agents: { type: 'string', default: '2000' },
    'a-second': { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '6' },
    seconds: { type: 'string', default: '4' },
  },
});
const agents = Number(options.agents);
const aSecond = Number(options['a-second']);
const STEP_MS = 5;
const IDLE_S = 5;
const say = (text: string) => void process.stdout.write(`${text}\n`);

/** Of a processor, for each beat. */
interface Cost {
  readonly server: number;
  readonly redis: number;
}

interface Member {
  readonly Tags: Readonly<Record<string, string>>;
}

class Contender {
  readonly #pids: readonly number[];
  readonly #connections: readonly Connection[];
  readonly #beats: readonly string[];
  /** Of each agent, its last beat: the next one waits for it, as an agent's does. */
  readonly #last: Promise<void>[] = [];
  #next = 0;
  /** What they take in a second anyway. */
  #idle: readonly number[] = [];
  /** On a machine that has no time left Redis passes for gone. */
  refused = 0;

  private constructor(pids: readonly number[], port: number) {
    this.#pids = pids;
    this.#connections = Array.from({ length: agents }, () => new Connection(port));
    this.#beats = Array.from({ length: agents }, (_, i) => beatOf(`agent-${i}`, port));
  }

  static async start(program: string | undefined): Promise<Contender> {
    const redis = await startRedis({ args: ['--appendonly', 'yes', '--appendfsync', 'everysec'] });
    const cluster = await Cluster.start({
      servers: 1,
      redisUrl: redis.url,
      flags: ['-hcl=limits { http_max_conns_per_client = 20000 }'],
      ...(program !== undefined && { program }),
    });
    const [{ pid = 0, port = 0 } = {}] = cluster.servers;
    const members = JSON.parse(await must(port, 'GET', '/v1/internal/members')) as Member[];
    const redisPid = Number(/process_id:(\d+)/.exec(await redis.admin.info('server'))?.[1]);
    const ours = new Contender([pid, redisPid], Number(members[0]?.Tags['port']));
    await Promise.all(Array.from({ length: agents }, (_, i) => ours.#beat(i)));
    return ours;
  }

  async rest(): Promise<void> {
    const before = this.#pids.map(processorSeconds);
    await new Promise((resolve) => setTimeout(resolve, IDLE_S * 1000));
    this.#idle = this.#pids.map((pid, i) => (processorSeconds(pid) - (before[i] ?? 0)) / IDLE_S);
  }

  async run(ms: number): Promise<Cost> {
    const before = this.#pids.map(processorSeconds);
    const from = performance.now();
    const asked: Promise<void>[] = [];
    for (let passed = 0; passed < ms; passed = performance.now() - from) {
      while (asked.length < (passed * aSecond) / 1000)
        asked.push(this.#beat(this.#next++ % agents));
      await new Promise((resolve) => setTimeout(resolve, STEP_MS * Math.random()));
    }
    await Promise.all(asked);
    const seconds = (performance.now() - from) / 1000;
    const [server = 0, redis = 0] = this.#pids.map((pid, i) => {
      const taken = processorSeconds(pid) - (before[i] ?? 0) - (this.#idle[i] ?? 0) * seconds;
      return (taken * 1e6) / asked.length;
    });
    return { server, redis };
  }

  #beat(i: number): Promise<void> {
    const beat = (this.#last[i] ?? Promise.resolve()).then(() => this.#ask(i));
    this.#last[i] = beat;
    return beat;
  }

  async #ask(i: number): Promise<void> {
    const head = await (this.#connections[i] as Connection).ask(this.#beats[i] as string);
    if (!head.startsWith('HTTP/1.1 200')) this.refused++;
  }
}

function beatOf(Node: string, port: number): string {
  const body = JSON.stringify({
    ID: `id-of-${Node}`,
    Node,
    Address: '10.0.0.1',
    Datacenter: 'dc1',
    LanPort: 8301,
    Tags: {},
  });
  const lines = [
    `X-Proconsul-Node: ${Node}`,
    `Content-Length: ${body.length}`,
    `Host: 127.0.0.1:${port}`,
    'Connection: keep-alive',
  ];
  return `PUT /v1/internal/agent/beat HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`;
}

const programs = options.beside === '' ? [undefined] : [undefined, options.beside];
const contenders: Contender[] = [];
for (const program of programs) contenders.push(await Contender.start(program));
const costs: Cost[][] = contenders.map(() => []);
const ms = Number(options.seconds) * 1000;
await Promise.all(contenders.map((each) => each.rest()));
for (let round = -1; round < Number(options.rounds); round++) {
  for (let i = 0; i < contenders.length; i++) {
    const at = (i + Math.abs(round)) % contenders.length;
    const cost = await (contenders[at] as Contender).run(ms);
    if (round >= 0) costs[at]?.push(cost);
  }
}
say(`a beat, of ${agents} agents, ${aSecond} a second, in µs of a processor:`);
for (const of of ['server', 'redis'] as const) {
  const [own = [], other] = costs.map((some) => some.map((cost) => cost[of]));
  const ratio = other && median(own.map((cost, round) => cost / (other[round] ?? Number.NaN)));
  const beside = other ? `, beside ${median(other).toFixed(1)} (× ${ratio?.toFixed(3)})` : '';
  say(`  ${of}: ${median(own).toFixed(1)}${beside}`);
}
const refused = contenders.map((each) => each.refused);
if (refused.some((count) => count > 0)) say(`  not taken: ${refused.join(', ')}`);
await stopAllRedis();
process.exit(0);
