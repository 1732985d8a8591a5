import { Listeners } from '../../../cli/process/listeners.ts';
import { identitiesOf } from '../../../cli/process/tls-role.ts';
import type { Config } from '../../../lib/config/config.ts';
import { silentLogger } from '../../../lib/logger.ts';

const started: Listeners[] = [];

afterEach(async () => {
  for (const listeners of started.splice(0)) await listeners.stop();
});

/** A server's listeners of this configuration, at their ports; they end with the spec. */
export async function boundListeners(config: Config): Promise<Listeners> {
  const listeners = new Listeners({
    config,
    logger: silentLogger,
    limits: () => config.limits,
    identities: identitiesOf(config, silentLogger),
    readiness: { begun: true, caughtUp: async () => true },
    introducer: { ID: '1', Node: 'n1', Datacenter: 'dc1', servers: () => [] },
  });
  started.push(listeners);
  await listeners.bind();
  return listeners;
}
