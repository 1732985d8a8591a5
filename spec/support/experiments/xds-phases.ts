/** What clients of xDS go through under load, by one server and by three. */

import { sleep } from '../sleep.ts';
import type { Phases } from './phases.ts';
import { OneServer, ThreeServers, type XdsPlaces } from './xds-places.ts';

export interface ToldBy {
  readonly title: string;
  /** At which programs are registered. */
  readonly agent: { readonly port: number };
  readonly asked: XdsPlaces;
}

/** Runs that over three programs with a client that is told so; resolves with the phases that were bad. */
export type UnderLoad = (by: ToldBy, run: (phases: Phases) => Promise<void>) => Promise<number>;

/** So many changes are judged. */
const MANY = 100;
/** While servers and clients find each other again: told alone. */
const FEW = 20;
/** Of a server that came back; its clients and the others have found each other by then. */
const STEADY_MS = 5000;

export async function byOneServer(underLoad: UnderLoad): Promise<number> {
  const server = await OneServer.start();
  const { agent, asked } = server;
  try {
    return await underLoad({ title: 'one server', agent, asked }, async (phases) => {
      await phases.usual();
      await phases.changes('e', MANY);
      await phases.phase('the server is killed', 0, async () => void (await server.kill()));
      await phases.phase('the server is back', 0, async () => void (await server.back()));
      await phases.phase('one is added by the server that came back', 0, () => phases.added('f'));
    });
  } finally {
    await server.stop();
  }
}

/** The client asks them itself, and asks an agent that knows them. */
export async function byThreeServers(underLoad: UnderLoad): Promise<number> {
  const three = await ThreeServers.start();
  const { agent } = three;
  let bad = 0;
  try {
    for (const [title, asked] of [
      ['an agent of three', three.agentAlone],
      ['three servers', three.servers],
    ] as const) {
      bad += await underLoad({ title, agent, asked }, async (phases) => {
        await phases.phase('a server of three is killed', 0, () => three.killBusiest());
        await phases.phase('one is added meanwhile', 0, () => phases.added('d'));
        await phases.phase('the server is back', 0, async () => void (await three.back()));
        await phases.changes('e', FEW);
        await phases.phase('they are steady', 0, async () => void (await sleep(STEADY_MS)));
        await phases.changes('f', MANY);
      });
      await three.forgetPrograms();
    }
  } finally {
    await three.stop();
  }
  return bad;
}
