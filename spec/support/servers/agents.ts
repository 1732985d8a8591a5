import type { RequestListener } from 'node:http';
import { Agent, type ProcessPort } from '../../../agent/agent.ts';
import type { Authority } from '../../../agent/connect/authority.ts';
import type { Elsewhere } from '../../../agent/http/elsewhere.ts';
import type { Membership } from '../../../agent/servers/membership.ts';
import type { ValueFiles } from '../../../agent/state/value-files.ts';
import type { AccessControl } from '../../../lib/acl/rights.ts';
import { loadConfig } from '../../../lib/config/load.ts';
import { createApp } from '../../../lib/http/app.ts';
import { type Logger, silentLogger } from '../../../lib/logger.ts';
import { FakeClock, settle } from '../fakes/fake-clock.ts';
import { fakeConfigHost } from '../fakes/fake-config-host.ts';
import { MemoryCatalog } from '../fakes/memory-catalog.ts';
import { noAuthority } from '../fakes/no-authority.ts';
import { seededRandom } from '../fakes/seeded-random.ts';
import { until } from '../until.ts';

const NODE_ID = '11111111-2222-4333-8444-555555555555';

export interface AgentUnderTest {
  readonly agent: Agent;
  readonly app: RequestListener;
  readonly catalog: MemoryCatalog;
  readonly clock: FakeClock;
}

/** What a spec wants to keep over a restart, or to see. */
export interface Shared {
  readonly catalog?: MemoryCatalog;
  readonly clock?: FakeClock;
  readonly dataDir?: string;
  /** Switches access control on. */
  readonly access?: AccessControl;
  readonly membership?: Membership;
  readonly elsewhere?: Elsewhere;
  readonly authority?: Authority;
  readonly process?: Partial<ProcessPort>;
  readonly logger?: Logger;
  readonly files?: ValueFiles;
}

const started: Agent[] = [];

export async function stopAgents(): Promise<void> {
  for (const agent of started.splice(0)) await agent.stop();
}

if (typeof afterEach === 'function') afterEach(stopAgents);

const alone: Membership = {
  knowsServer: () => true,
  members: async () => [],
  join: async () => undefined,
  forceLeave: async () => false,
  leave: async () => undefined,
};

/** An agent named n1 with a catalog of its own. `config` is an HCL or JSON fragment. */
export async function startAgent(config = '', shared: Shared = {}): Promise<AgentUnderTest> {
  const { catalog = new MemoryCatalog(), clock = new FakeClock(), dataDir = '' } = shared;
  const read = () => {
    const loaded = loadConfig({
      argv: ['-dev', '-node=n1', '-bind=127.0.0.1', ...(config === '' ? [] : ['-hcl', config])],
      host: fakeConfigHost(),
    });
    // -dev itself keeps nothing, and no configuration switches access control on yet.
    const acl = { ...loaded.config.acl, enabled: shared.access !== undefined };
    return { ...loaded.config, acl, dataDir };
  };
  const agent = new Agent({
    config: read(),
    nodeId: NODE_ID,
    servers: {
      catalog,
      membership: shared.membership ?? alone,
      authority: shared.authority ?? noAuthority,
      ...(shared.access !== undefined && { access: shared.access }),
      ...(shared.elsewhere !== undefined && { elsewhere: shared.elsewhere }),
    },
    process: {
      logTap: () => () => undefined,
      telemetry: { json: () => ({}), prometheus: () => undefined },
      readConfig: read,
      onLeft: () => undefined,
      ...shared.process,
    },
    machine: { ...(shared.files !== undefined && { files: shared.files }) },
    system: { clock, random: seededRandom(1), logger: shared.logger ?? silentLogger },
  });
  started.push(agent);
  await agent.start();
  // The first comparison is through: what a spec sees from now on is its own doing.
  await until(() => catalog.away || catalog.nodes.has('n1'));
  await settle();
  const app = createApp({ routes: agent.routes() }, { logger: silentLogger });
  return { agent, app, catalog, clock };
}
