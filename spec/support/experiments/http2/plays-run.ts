/** The same calls with nothing between caller and host, and through the sidecar: each has to hear the same. */
import type { Socket } from 'node:net';
import type { Random } from '../../../../lib/random.ts';
import { FakeClock } from '../../fakes/fake-clock.ts';
import { seededRandom } from '../../fakes/seeded-random.ts';
import { Between } from './between.ts';
import { type Call, drawnPlay, type Event, type Play } from './calls.ts';
import { among, chance } from './chance.ts';
import { type Heard, Player, told } from './play.ts';
import { Wires } from './wires.ts';

/** As long as nobody gives up waiting. */
const [ROUNDS, ROUND_MS] = [4, 500];

interface Played {
  readonly calls: ReadonlyMap<string, string>;
  readonly left: readonly string[];
}

/** What is heard otherwise where the sidecar is between them, and what it leaves behind. */
export async function playsVerdicts(seed: number): Promise<readonly string[]> {
  const play = playOf(seed);
  const direct = await played(seed, play, true);
  const through = await played(seed, play, false);
  const verdicts = [...through.left];
  // Node's own host takes nothing any more where what it answered early was never read: that is not to be laid at our door.
  const isStuck = [...direct.calls.values()].some((told) => told.includes(NODES_OWN));
  for (const [name, wanted] of direct.calls) {
    const found = through.calls.get(name) as string;
    const isNodes =
      wanted.includes(NODES_OWN) || (isStuck && found.startsWith('caller whole 503 '));
    if (wanted !== found && !isNodes)
      verdicts.push(`call ${name}: ${found}, and directly ${wanted}`);
  }
  return verdicts;
}

function playOf(seed: number): Play {
  return drawnPlay(seededRandom(seed));
}

async function played(seed: number, play: Play, isDirect: boolean): Promise<Played> {
  const random = seededRandom(seed ^ 0x1ace);
  const clock = new FakeClock();
  const wires = new Wires(random);
  const [near, far] = wires.pair();
  const player = new Player(play, near);
  const dial = (): Socket => {
    const [here, there] = wires.pair();
    player.serve(there);
    return here;
  };
  const between = isDirect ? undefined : new Between({ clock, random, dial });
  if (between === undefined) player.serve(far);
  else between.take(far);
  await wires.quiet();
  // A host that leaves leaves the caller too, where nothing is between them.
  const events = play.events.filter(({ kind }) => !isDirect || kind !== 'host leaves');
  await happen(events, player, wires, random);
  // Who is asked once more is asked a little later, and has his turns then.
  for (let i = 0; i < ROUNDS; i++) {
    await clock.advance(ROUND_MS);
    await happen([], player, wires, random);
  }
  const calls = outcomes(play, player, isDirect);
  player.close();
  await wires.quiet();
  // Node's caller never closes where a stream of his was never read to its end.
  near.destroy();
  await wires.quiet();
  const left = [...(between?.left ?? [])];
  await between?.stop();
  await clock.advance(120_000);
  await wires.quiet();
  if (!isDirect && wires.open > 0) left.push(`${wires.open} ends of connections`);
  if (clock.armed > 0) left.push(`${clock.armed} timers`);
  return { calls, left };
}

/** Each when all before has come to rest, and so whoever waits for his turn. */
async function happen(
  events: readonly Event[],
  player: Player,
  wires: Wires,
  random: Random,
): Promise<void> {
  const coming = [...events];
  while (coming.length > 0 || player.turns.length > 0) {
    const isNext = coming.length > 0 && (player.turns.length === 0 || chance(random, 0.6));
    if (isNext) player.happens(coming.shift() as Event);
    else {
      const turn = among(random, player.turns);
      player.turns.splice(player.turns.indexOf(turn), 1);
      turn();
    }
    // Some things happen while others are under way.
    if (chance(random, 0.6)) await wires.quiet();
    else await new Promise((resolve) => setImmediate(resolve));
  }
  await wires.quiet();
}

function outcomes(play: Play, player: Player, isDirect: boolean): ReadonlyMap<string, string> {
  const calls = play.events.flatMap((event) => (event.kind === 'call' ? [event.call] : []));
  return new Map(
    calls.map((call) => {
      const caller = player.caller.get(call.name) as Heard;
      const hosts = player.host.get(call.name) ?? [];
      return [call.name, outcome(call, caller, hosts, isDirect)];
    }),
  );
}

/** As far as it has to be the same: what went out before a break depends on who was how fast. */
function outcome(call: Call, caller: Heard, hosts: readonly Heard[], isDirect: boolean): string {
  const isNodes = isDirect && (call.answer.isEarly ? caller.head === '' : caller.end !== 'whole');
  switch (call.breaks) {
    case '':
      return isNodes ? NODES_OWN : whole(call, caller, hosts);
    case 'caller':
      return isDirect || caller.end === 'broken' ? 'the caller broke it' : told(caller);
    case 'host':
      return isDirect || caller.end === 'broken' ? 'the host broke it' : told(caller);
    case 'host before its answer':
      return isDirect || caller.head.startsWith('503 ') ? 'the caller is told' : told(caller);
  }
}

/** The rest of a request that is answered need not come, and Node's caller who is told so loses what it has not read. */
function whole({ answer }: Call, caller: Heard, hosts: readonly Heard[]): string {
  if (answer.isEarly)
    return `caller ${caller.head}, host ${hosts.map(({ head }) => head).join(' and ')}`;
  return `caller ${told(caller)}, host ${hosts.map(told).join(' and ')}`;
}

const NODES_OWN = 'nothing, by Node alone';
