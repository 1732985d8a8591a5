/** A process that plays its part of a crowd of agents: told what to do by whoever forked it, and says how they are. */
import process from 'node:process';
import { asked, PlayedAgent } from './played-agent.ts';

export interface PlayOrder {
  readonly from: number;
  readonly count: number;
  readonly services: number;
  /** Where servers answer agents. */
  readonly urls: readonly string[];
  /** They start one after the other, evenly, over so long. */
  readonly overMs: number;
}

export interface Played {
  /** Agents that a server has taken a beat of since the question before. */
  readonly heard: number;
  readonly asked: typeof asked;
  readonly rss: number;
}

const STEP_MS = 100;
/**
 * Agents are of many machines. Of one address the system looks long for a port that is free where ten thousand
 * are taken, which costs more than all that an agent does.
 */
const OF_AN_ADDRESS = 1000;
const addressOf = (i: number) => `127.0.1.${1 + Math.floor(i / OF_AN_ADDRESS)}`;
const agents: PlayedAgent[] = [];
let since = 0;

async function play({ from, count, services, urls, overMs }: PlayOrder): Promise<void> {
  const began = performance.now();
  while (agents.length < count) {
    const share = Math.min(1, (performance.now() - began) / overMs);
    while (agents.length < Math.ceil(count * share)) {
      const i = from + agents.length;
      const url = urls[i % urls.length] ?? '';
      const agent = new PlayedAgent(`agent-${i}`, url, services, addressOf(i));
      agents.push(agent);
      agent.start();
    }
    await new Promise((resolve) => setTimeout(resolve, STEP_MS));
  }
}

process.on('message', (message: PlayOrder | 'count' | 'since now') => {
  if (typeof message === 'object') {
    void play(message);
    return;
  }
  if (message === 'since now') since = performance.now();
  const heard = agents.filter(({ heardAt }) => heardAt > since).length;
  process.send?.({ heard, asked, rss: process.memoryUsage.rss() } satisfies Played);
});
process.on('disconnect', () => process.exit(0));
