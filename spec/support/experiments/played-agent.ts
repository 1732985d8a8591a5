/** A client agent without a machine: the parts by which a real one beats and syncs. */
import { serviceDefinition, serviceFromConfig } from '../../../agent/definitions/service-spec.ts';
import { Heartbeat } from '../../../agent/servers/heartbeat.ts';
import { httpCatalog } from '../../../agent/servers/http-catalog.ts';
import type { ServerList } from '../../../agent/servers/server-list.ts';
import type { Upstream, UpstreamRequest } from '../../../agent/servers/upstream.ts';
import { LocalState } from '../../../agent/state/local-state.ts';
import { ALIVE_CHECK } from '../../../agent/state/own-entry.ts';
import { AntiEntropy } from '../../../agent/sync/anti-entropy.ts';
import { OwnCatalog } from '../../../agent/sync/own-catalog.ts';
import { systemClock } from '../../../lib/clock.ts';
import { silentLogger } from '../../../lib/logger.ts';
import { systemRandom } from '../../../lib/random.ts';
import { LeanServers, LeanUpstream } from './lean-upstream.ts';

/** What all agents of this process have asked of servers so far. */
export const asked = { beats: 0, beatsMissed: 0, syncs: 0, syncsMissed: 0 };

export class PlayedAgent {
  /** When a server last took its beat, by this process's clock. */
  heardAt = Number.NEGATIVE_INFINITY;
  readonly #upstream: LeanUpstream;
  readonly #heartbeat: Heartbeat;
  readonly #antiEntropy: AntiEntropy;

  /** `from`: the address that its connections come from. */
  constructor(name: string, serverUrl: string, services: number, from: string) {
    const clock = systemClock;
    const random = systemRandom;
    const servers = new LeanServers();
    const first = [{ ID: 'first', Node: 's1', Datacenter: 'dc1', Url: serverUrl }];
    servers.replace(first);
    this.#upstream = new LeanUpstream(servers, name, from);
    const ask = (request: UpstreamRequest) => this.#counted(request);
    // No more of them is used.
    const upstream = { ask } as unknown as Upstream;
    const local = new LocalState();
    const ID = random.uuid();
    const Address = '127.0.0.1';
    const node = { ID, Node: name, Address, Datacenter: 'dc1', TaggedAddresses: null, Meta: null };
    const heartbeat = new Heartbeat({
      upstream,
      servers: servers as unknown as ServerList,
      clock,
      logger: silentLogger,
      beat: () => ({
        body: { ID, Node: name, Address, Datacenter: 'dc1', LanPort: 8301, Tags: {} },
        token: '',
      }),
      on: {
        unknown: () => this.#antiEntropy.unknown(),
        back: () => this.#antiEntropy.resume(),
        lost: () => undefined,
      },
    });
    const own = new OwnCatalog({
      local,
      catalog: httpCatalog({ upstream, node: name, heartbeat }),
      self: { node: () => node, aliveCheck: ALIVE_CHECK, tokens: { agent: '', user: '' } },
    });
    const pace = { checkUpdateIntervalMs: 0, scale: () => heartbeat.scale };
    this.#antiEntropy = new AntiEntropy({ own, local, clock, random, logger: silentLogger, pace });
    this.#heartbeat = heartbeat;
    for (let i = 0; i < services; i++) {
      const spec = serviceFromConfig({ id: `${name}-${i}`, name: `many-${i}`, port: 8000 + i });
      local.putService({ definition: serviceDefinition(spec), token: '', source: 'api' });
    }
  }

  start(): void {
    this.#antiEntropy.start();
    this.#heartbeat.start();
  }

  async stop(): Promise<void> {
    this.#heartbeat.stop();
    const stopped = this.#antiEntropy.stop();
    this.#upstream.stop();
    await stopped;
  }

  async #counted(request: UpstreamRequest) {
    const isBeat = request.way === 'beat';
    try {
      const answer = await this.#upstream.ask(request);
      const isTaken = answer.status === 200 || answer.status === 404;
      if (isTaken && isBeat) this.heardAt = performance.now();
      count(isBeat, isTaken);
      return answer;
    } catch (error) {
      count(isBeat, false);
      throw error;
    }
  }
}

function count(isBeat: boolean, isTaken: boolean): void {
  if (isBeat) asked[isTaken ? 'beats' : 'beatsMissed']++;
  else asked[isTaken ? 'syncs' : 'syncsMissed']++;
}
