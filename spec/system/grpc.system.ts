/**
 * Real clients of gRPC that speak xDS by themselves (grpc-go, @grpc/grpc-js-xds), or have their names from `proconsul/grpc`, without a proxy, under load over three
 * programs, while one is added, drained, put into maintenance and killed, while their server is killed and comes back,
 * and while a server of three is killed: what is planned loses no call, and a killed program at most those that it had.
 *
 *   node --import tsx spec/system/grpc.system.ts [CLIENTS, go,js,proconsul] [CALLERS, 16] [FOLDER]
 *
 * The clients come from their registries, into a folder that goes again where none is named; one that cannot be had
 * here is skipped by its name.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { grpcGo, grpcJs, proconsulGrpc } from '../support/experiments/grpc/grpc-clients.ts';
import { type GrpcClient, GrpcRounds } from '../support/experiments/grpc/grpc-rounds.ts';
import { Phases } from '../support/experiments/phases.ts';
import { byOneServer, byThreeServers, type UnderLoad } from '../support/experiments/xds-phases.ts';
import { OneServer } from '../support/experiments/xds-places.ts';
import { send } from '../support/servers/start-server.ts';
import { report } from './report.ts';

const [wanted = 'go,js,proconsul', callers = '16', kept = ''] = process.argv.slice(2);
const CALLERS = Number(callers);
const HEARD_MS = 1000;
const MOST_MS = 45 * 60_000;
const CLIENTS = { go: grpcGo, js: grpcJs, proconsul: proconsulGrpc };
/** Of what is heard by xDS: from a change to the first call, of 99 of 100. */
const SOON_MS = 100;

type Say = (line: string) => void;

const POLICIES = ['least_request', 'ring_hash', 'maglev', 'random'];
const ROUTES = [
  {
    Match: { HTTP: { PathPrefix: '/lab.', Methods: ['POST'] } },
    Destination: { NumRetries: 2, RetryOn: ['unavailable'], RequestTimeout: '10s' },
  },
];

/** What config entries say of calls is taken by the client, and none is lost meanwhile. */
async function byEntries(underLoad: UnderLoad): Promise<number> {
  const server = await OneServer.start();
  const { agent, asked } = server;
  const say = async (entry: object) => {
    const { status, text } = await send(agent.port, 'PUT', '/v1/config', { body: entry });
    if (status !== 200) throw new Error(text);
    return undefined;
  };
  const Subsets = { sound: { OnlyPassing: true } };
  const Splits = [{ Weight: 50, ServiceSubset: 'sound' }, { Weight: 50 }];
  try {
    const bad = await underLoad({ title: 'entries', agent, asked }, async (phases) => {
      await say({ Kind: 'service-defaults', Name: 'web', Protocol: 'grpc' });
      for (const Policy of POLICIES) {
        const LoadBalancer = { Policy, HashPolicies: [] };
        await phases.phase(Policy, 0, () =>
          say({ Kind: 'service-resolver', Name: 'web', Subsets, LoadBalancer }),
        );
      }
      await phases.phase('split', 0, () => say({ Kind: 'service-splitter', Name: 'web', Splits }));
      await phases.phase('routed', 0, () =>
        say({ Kind: 'service-router', Name: 'web', Routes: ROUTES }),
      );
    });
    return bad + Number(agent.output.includes('refused what'));
  } finally {
    await server.stop();
  }
}

function underLoadOf(client: GrpcClient, say: Say): UnderLoad {
  return async ({ title: by, agent, asked }, run) => {
    if (client.targetOf !== undefined && client.targetOf(asked) === undefined) {
      say(`skipped: ${client.name} by ${by}: it asks one agent`);
      return 0;
    }
    const rounds = new GrpcRounds(agent, client, asked);
    const title = `${client.name} by ${by}`;
    const phases = new Phases({
      rounds,
      callers: CALLERS,
      heardMs: HEARD_MS,
      say,
      title,
      soonMs: SOON_MS,
    });
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
      // What entries say of calls is told by xDS alone.
      if (client.targetOf === undefined) bad += await byEntries(underLoad);
      bad += await byOneServer(underLoad);
      bad += await byThreeServers(underLoad);
    }
  } finally {
    if (kept === '') await rm(folder, { recursive: true, force: true });
  }
  return bad;
}, MOST_MS);
