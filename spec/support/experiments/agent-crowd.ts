/** Very many agents, played by as few processes as the open files that one may have allow. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { processorSeconds } from '../processor.ts';
import type { Played, PlayOrder } from './agent-player.ts';

/** Each has a connection for its beats, in a storm one to each server that it tries, and now and then one more. */
const AGENTS_OF_A_PROCESS = 5000;
const PROGRAM = fileURLToPath(new URL('./agent-player.ts', import.meta.url));

export interface CrowdOrder extends Omit<PlayOrder, 'from' | 'count'> {
  readonly agents: number;
}

export class AgentCrowd {
  readonly #players: ChildProcess[] = [];

  /** Resolves at once; they come over the time that the order says. */
  start({ agents, ...order }: CrowdOrder): void {
    const processes = Math.ceil(agents / AGENTS_OF_A_PROCESS);
    const each = Math.ceil(agents / processes);
    for (let from = 0; from < agents; from += each) {
      const player = fork(PROGRAM);
      this.#players.push(player);
      player.send({ ...order, from, count: Math.min(each, agents - from) });
    }
  }

  /** How many were heard by a server since `sinceNow`, and what was asked so far. */
  async count(): Promise<Played> {
    return total(await this.#ask('count'));
  }

  async sinceNow(): Promise<Played> {
    return total(await this.#ask('since now'));
  }

  processorSeconds(): number {
    return this.#players.reduce((sum, { pid = 0 }) => sum + processorSeconds(pid), 0);
  }

  end(): void {
    for (const player of this.#players) player.kill('SIGKILL');
  }

  #ask(what: 'count' | 'since now'): Promise<Played[]> {
    return Promise.all(
      this.#players.map(
        (player) =>
          new Promise<Played>((resolve, reject) => {
            const ended = () => reject(new Error('a player of agents has ended'));
            player.once('exit', ended);
            player.once('message', (played: Played) => {
              player.off('exit', ended);
              resolve(played);
            });
            player.send(what);
          }),
      ),
    );
  }
}

function total(all: readonly Played[]): Played {
  const sum = (of: (played: Played) => number) => all.reduce((so, each) => so + of(each), 0);
  return {
    heard: sum(({ heard }) => heard),
    asked: {
      beats: sum(({ asked }) => asked.beats),
      beatsMissed: sum(({ asked }) => asked.beatsMissed),
      syncs: sum(({ asked }) => asked.syncs),
      syncsMissed: sum(({ asked }) => asked.syncsMissed),
    },
    rss: sum(({ rss }) => rss),
  };
}
