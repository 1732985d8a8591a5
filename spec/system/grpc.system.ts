/**
 * Real clients of gRPC that speak xDS by themselves (grpc-go, @grpc/grpc-js-xds), without a proxy, under load over three
 * programs, while one is added, drained, put into maintenance and killed, while their server is killed and comes back,
 * and while a server of three is killed: what is planned loses no call, and a killed program at most those that it had.
 *
 *   node --import tsx spec/system/grpc.system.ts [CLIENTS, go,js] [CALLERS, 16] [FOLDER]
 *
 * The clients come from their registries, into a folder that goes again where none is named; one that cannot be had
 * here is skipped by its name.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { grpcGo, grpcJs } from '../support/experiments/grpc/grpc-clients.ts';
import { type GrpcClient, GrpcRounds } from '../support/experiments/grpc/grpc-rounds.ts';
import { Phases } from '../support/experiments/phases.ts';
import { byOneServer, byThreeServers, type UnderLoad } from '../support/experiments/xds-phases.ts';
import { report } from './report.ts';

const [wanted = 'go,js', callers = '16', kept = ''] = process.argv.slice(2);
const CALLERS = Number(callers);
const HEARD_MS = 1000;
const MOST_MS = 45 * 60_000;
const CLIENTS = { go: grpcGo, js: grpcJs };

type Say = (line: string) => void;

function underLoadOf(client: GrpcClient, say: Say): UnderLoad {
  return async ({ title: by, agent, places }, run) => {
    const rounds = new GrpcRounds(agent, client, places);
    const title = `${client.name} by ${by}`;
    const phases = new Phases({ rounds, callers: CALLERS, heardMs: HEARD_MS, say, title });
    try {
      for (const name of ['a', 'b', 'c']) await phases.add(name);
      rounds.load(CALLERS);
      const ms = await rounds.untilServed();
      say(`${title}: first call ${ms.toFixed(0)} ms after the client was begun`);
      await run(phases);
    } finally {
      await rounds.stop();
    }
    return phases.bad;
  };
}

await report(async (say) => {
  const folder = kept === '' ? await mkdtemp(join(tmpdir(), 'grpc-clients-')) : kept;
  let bad = 0;
  try {
    for (const [name, install] of Object.entries(CLIENTS)) {
      if (!wanted.split(',').includes(name)) continue;
      const client = install(folder);
      if (typeof client === 'string') {
        say(`skipped: ${name}: ${client}`);
        continue;
      }
      const underLoad = underLoadOf(client, say);
      bad += await byOneServer(underLoad);
      bad += await byThreeServers(underLoad);
    }
  } finally {
    if (kept === '') await rm(folder, { recursive: true, force: true });
  }
  return bad;
}, MOST_MS);
