/** The same bytes of a caller to our side and to Node's: what each answers, and how it ends. */

import { CODE, FRAME } from '../../../../sidecar/http/h2/frames.ts';
import { PREFACE, SETTING } from '../../../../sidecar/http/h2/settings.ts';
import { FakeClock } from '../../fakes/fake-clock.ts';
import { seededRandom } from '../../fakes/seeded-random.ts';
import { number, setting } from '../../servers/raw-h2.ts';
import { type Answering, digestOf, grouped, nodes, ours } from './answering.ts';
import { bytesIn, conversation, type Frame, request } from './caller-frames.ts';
import { among, chance, within } from './chance.ts';
import { compared, leftOf } from './compared.ts';
import { CALLERS_DIFFERENCES } from './differences.ts';
import { FAULTS } from './faults.ts';
import { HeadWriter } from './heads.ts';
import { RawEnd, type Said } from './raw-end.ts';
import { Wires } from './wires.ts';

export interface Script {
  readonly fault: string;
  readonly frames: readonly Frame[];
  readonly hangsUp: boolean;
}

/** What the caller heard. */
interface Outcome {
  readonly connection: string;
  /** Of each stream. */
  readonly told: ReadonlyMap<number, string>;
  readonly faults: readonly string[];
}

/** What is wrong with our side, by what Node's does with the same; and nothing may be left of it. */
export async function callersVerdicts(seed: number): Promise<readonly string[]> {
  const script = callersScript(seed);
  const ours = await answersOf(seed, script, 'ours');
  const nodes = await answersOf(seed, script, 'node');
  const verdicts = [...ours.left, ...ours.outcome.faults];
  for (const [what, our, node] of compared(ours.outcome, nodes.outcome)) {
    const isKnown = CALLERS_DIFFERENCES.some(({ is }) => is({ what, our, node, ...script }));
    if (!isKnown) verdicts.push(`${what}: here ${our}, by Node ${node}`);
  }
  return verdicts.map((verdict) => `${script.fault || 'nothing wrong'}: ${verdict}`);
}

export function callersScript(seed: number): Script {
  const random = seededRandom(seed);
  const heads = new HeadWriter(random);
  const count = within(random, 1, 6);
  const messages = Array.from(
    { length: count },
    (_, i) => [1 + 2 * i, request(random, i)] as const,
  );
  const frames = conversation(random, messages, heads);
  const ids = messages.map(([id]) => id);
  const fault = chance(random, 0.75) ? among(random, [...FAULTS.keys()]) : '';
  const what = FAULTS.get(fault)?.({ random, frames, ids, heads });
  return {
    fault: what === undefined ? fault : `${fault}: ${what}`,
    frames,
    hangsUp: chance(random, 0.2),
  };
}

const LARGE = 1 << 20;

/** What nobody may keep back for want of a window. */
const RELEASE: readonly Frame[] = [
  { type: FRAME.settings, flags: 0, id: 0, payload: setting(SETTING.window, LARGE) },
  { type: FRAME.window, flags: 0, id: 0, payload: number(LARGE) },
  { type: FRAME.ping, flags: 0, id: 0, payload: Buffer.from('the last') },
];

/** What the side answers, and what is left of it when all is over. */
export async function answersOf(seed: number, script: Script, whose: 'ours' | 'node') {
  const random = seededRandom(seed ^ 0x5eed);
  const clock = new FakeClock();
  const wires = new Wires(random);
  const [near, far] = wires.pair();
  const answering: Answering = whose === 'ours' ? ours(clock) : nodes();
  answering.take(far);
  const raw = new RawEnd(near, false);
  raw.say(Buffer.from(PREFACE));
  const say = (frames: readonly Frame[]) => {
    const bytes = bytesIn(frames);
    raw.allowed(bytes);
    raw.say(bytes);
  };
  say([{ type: FRAME.settings, flags: 0, id: 0, payload: Buffer.alloc(0) }]);
  // In a few parts, between which all comes to rest: what went before has been answered by then.
  const { frames } = script;
  const rests = chance(random, 0.5) ? 0 : within(random, 1, 4);
  const part = Math.ceil(frames.length / (rests + 1)) || 1;
  for (let at = 0; at < frames.length; at += part) {
    say(frames.slice(at, at + part));
    await wires.quiet();
  }
  say(RELEASE);
  await wires.quiet();
  const outcome = outcomeOf(raw);
  near.end();
  await wires.quiet();
  answering.stop();
  await clock.advance(120_000);
  await wires.quiet();
  near.destroy();
  await wires.quiet();
  return { outcome, left: leftOf(wires.open, clock.armed) };
}

function outcomeOf(raw: RawEnd): Outcome {
  const { goaway, isOver, faults } = raw;
  const isEnded = isOver || (goaway ?? 0) > 0;
  const connection = isEnded ? `ended ${goaway ?? '-'}` : `open, ${raw.pings} pings`;
  // What came before it ended depends on who was how fast.
  const streams = isEnded ? [] : [...raw.said].map(([id, said]) => [id, toldOf(said)] as const);
  return { connection, told: new Map(streams), faults };
}

function toldOf({ heads, bytes, digest, hasEnded, code }: Said): string {
  const [first = [], ...more] = heads;
  const status = first[first.indexOf(':status') + 1] ?? '?';
  const seen = first.includes('x-seen') ? first[first.indexOf('x-seen') + 1] : '';
  const trailers = more.map((fields) => digestOf(grouped(fields))).join('');
  const body =
    heads.length === 0
      ? ''
      : `${status} ${seen} ${bytes} ${digest.copy().digest('hex').slice(0, 8)} ${trailers}`;
  // Behind a whole answer it says no more than that the rest of the request is of no use.
  const isReset = code !== undefined && !(hasEnded && code === CODE.none);
  if (isReset) return `reset ${code}`;
  return `${body}${hasEnded ? ' end' : ''}`;
}
