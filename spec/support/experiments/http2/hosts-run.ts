/** The same bytes of a host to our side and to Node's: what each makes of the answers, and how it ends. */
import { createHash } from 'node:crypto';
import type { Random } from '../../../../lib/random.ts';
import { FRAME } from '../../../../sidecar/http/h2/frames.ts';
import { SETTING } from '../../../../sidecar/http/h2/settings.ts';
import { FakeClock } from '../../fakes/fake-clock.ts';
import { seededRandom } from '../../fakes/seeded-random.ts';
import { number, setting } from '../../servers/raw-h2.ts';
import { digestOf } from './answering.ts';
import { type Asked, type Asking, type Came, nodeTo, oursTo } from './asking.ts';
import {
  bytesIn,
  conversation,
  drawnFields,
  type Frame,
  type Message,
  message,
} from './caller-frames.ts';
import { among, bytesOf, chance, within } from './chance.ts';
import { compared, leftOf } from './compared.ts';
import { HOSTS_DIFFERENCES } from './differences.ts';
import { FAULTS } from './faults.ts';
import { HeadWriter } from './heads.ts';
import { RawEnd, type Said } from './raw-end.ts';
import { Wires } from './wires.ts';

export interface HostScript {
  readonly fault: string;
  readonly asked: readonly Asked[];
  readonly greeting: Buffer;
  readonly frames: readonly Frame[];
}

export function hostsScript(seed: number): HostScript {
  const random = seededRandom(seed);
  const heads = new HeadWriter(random);
  const asked = Array.from({ length: within(random, 1, 6) }, (_, i) => drawnAsked(random, i));
  const answers = asked.map((each, i) => [1 + 2 * i, answer(random, each)] as const);
  const frames = conversation(random, answers, heads);
  const ids = answers.map(([id]) => id);
  const fault = chance(random, 0.75) ? among(random, [...FAULTS.keys()]) : '';
  const what = FAULTS.get(fault)?.({ random, frames, ids, heads });
  const settings = [
    ...(chance(random, 0.4) ? [setting(SETTING.window, among(random, [0, 1, 500, 1 << 20]))] : []),
    ...(chance(random, 0.3) ? [setting(SETTING.table, among(random, [0, 100, 65_536]))] : []),
    ...(chance(random, 0.2) ? [setting(SETTING.streams, 100)] : []),
  ];
  return {
    fault: what === undefined ? fault : `${fault}: ${what}`,
    asked,
    greeting: Buffer.concat(settings),
    frames,
  };
}

function drawnAsked(random: Random, place: number): Asked {
  const method = among(random, ['GET', 'POST', 'HEAD', 'PUT']);
  const hasBody = method === 'POST' || method === 'PUT';
  const parts = hasBody
    ? Array.from({ length: within(random, 1, 4) }, () => bytesOf(random, within(random, 1, 9000)))
    : [];
  const trailers = hasBody && chance(random, 0.3) ? ['x-behind', 'a'] : [];
  return { method, path: `/${place}`, parts, trailers };
}

function answer(random: Random, { method }: Asked): Message {
  const status = among(random, ['200', '200', '200', '404', '204', '304', '503', '206']);
  const hasBody = method !== 'HEAD' && status !== '204' && status !== '304';
  const fields = [':status', status, ...drawnFields(random, 'x-answer')];
  return message(random, fields, hasBody);
}

const LARGE = 1 << 20;
const RELEASE: readonly Frame[] = [
  { type: FRAME.settings, flags: 0, id: 0, payload: setting(SETTING.window, LARGE) },
  { type: FRAME.window, flags: 0, id: 0, payload: number(LARGE) },
  { type: FRAME.ping, flags: 0, id: 0, payload: Buffer.from('the last') },
];

interface Outcome {
  readonly connection: string;
  /** What came of each request, and what the host heard of it, by its stream. */
  readonly told: ReadonlyMap<number, string>;
  readonly faults: readonly string[];
}

/** What is wrong with our side, by what Node's does with the same; and nothing may be left of it. */
export async function hostsVerdicts(seed: number): Promise<readonly string[]> {
  const script = hostsScript(seed);
  const ours = await madeOf(seed, script, 'ours');
  const nodes = await madeOf(seed, script, 'node');
  const verdicts = [...ours.left, ...ours.outcome.faults];
  for (const [what, our, node] of compared(ours.outcome, nodes.outcome)) {
    const isKnown = HOSTS_DIFFERENCES.some(({ is }) => is({ what, our, node, ...script }));
    if (!isKnown) verdicts.push(`${what}: here ${our}, by Node ${node}`);
  }
  return verdicts.map((verdict) => `${script.fault || 'nothing wrong'}: ${verdict}`);
}

async function madeOf(seed: number, script: HostScript, whose: 'ours' | 'node') {
  const random = seededRandom(seed ^ 0x5eed);
  const clock = new FakeClock();
  const wires = new Wires(random);
  const [near, far] = wires.pair();
  const asking: Asking = whose === 'ours' ? oursTo(near, clock) : nodeTo(near);
  const raw = new RawEnd(far, true);
  const say = (frames: readonly Frame[]) => {
    const bytes = bytesIn(frames);
    raw.allowed(bytes);
    raw.say(bytes);
  };
  say([{ type: FRAME.settings, flags: 0, id: 0, payload: script.greeting }]);
  await wires.quiet();
  const came = script.asked.map((each) => asking.ask(each));
  await wires.quiet();
  const { frames } = script;
  const rests = chance(random, 0.5) ? 0 : within(random, 1, 4);
  const part = Math.ceil(frames.length / (rests + 1)) || 1;
  for (let at = 0; at < frames.length; at += part) {
    say(frames.slice(at, at + part));
    await wires.quiet();
  }
  say(RELEASE);
  await wires.quiet();
  const outcome = outcomeOf(raw, came);
  // Whatever is not over by now hangs only on the host, which goes.
  far.end();
  await wires.quiet();
  asking.stop();
  await wires.quiet();
  await clock.advance(120_000);
  far.destroy();
  await wires.quiet();
  const unended = came.filter(
    ({ end, why }) => end === '' || why.some((each) => each.startsWith('told')),
  );
  const left = leftOf(wires.open, clock.armed);
  return {
    outcome,
    left: unended.length === 0 ? left : [...left, `${unended.length} requests without an end`],
  };
}

function outcomeOf(raw: RawEnd, came: readonly Came[]): Outcome {
  const { goaway, isOver, faults } = raw;
  const isEnded = isOver || (goaway ?? 0) > 0;
  const told = came.map(
    (each, i) => [1 + 2 * i, `${toldOf(each)}, heard ${heardOf(raw.of(1 + 2 * i))}`] as const,
  );
  return {
    connection: isEnded ? `ended ${goaway ?? '-'}` : `open, ${raw.pings} pings`,
    // What came before it ended depends on who was how fast.
    told: new Map(isEnded ? [] : told),
    faults,
  };
}

function heardOf({ bytes, digest, heads, hasEnded, code }: Said): string {
  const trailers = heads.length > 1 ? ` ${digestOf(heads[1] as string[])}` : '';
  const body = `${bytes} ${digest.copy().digest('hex').slice(0, 8)}${trailers}`;
  return `${body}${hasEnded ? ' end' : ''}${code === undefined ? '' : ` reset ${code}`}`;
}

function toldOf({ status, head, parts, trailers, end }: Came): string {
  if (end !== 'whole') return 'broken';
  const body = Buffer.concat(parts);
  const digest = createHash('sha1').update(body).digest('hex').slice(0, 8);
  return `whole: ${status} ${head} ${body.length} ${digest} ${trailers}`;
}
