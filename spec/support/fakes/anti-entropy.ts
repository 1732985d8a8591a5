/** Anti-entropy of an agent n1 over a catalog in memory, with a fake clock. */
import { checkDefinition, checkFromConfig } from '../../../agent/definitions/check-spec.ts';
import { serviceDefinition, serviceFromConfig } from '../../../agent/definitions/service-spec.ts';
import { LocalState } from '../../../agent/state/local-state.ts';
import { ALIVE_CHECK } from '../../../agent/state/own-entry.ts';
import { AntiEntropy } from '../../../agent/sync/anti-entropy.ts';
import { OwnCatalog } from '../../../agent/sync/own-catalog.ts';
import { until } from '../until.ts';
import { FakeClock, settle } from './fake-clock.ts';
import { MemoryCatalog } from './memory-catalog.ts';
import { RecordingLogger } from './recording-logger.ts';
import { seededRandom } from './seeded-random.ts';

export const MINUTE = 60_000;

export const node = {
  ID: '11111111-2222-4333-8444-555555555555',
  Node: 'n1',
  Address: '10.0.0.1',
  Datacenter: 'dc1',
  TaggedAddresses: { lan: '10.0.0.1' },
  Meta: null,
};

const running: AntiEntropy[] = [];

afterEach(async () => {
  for (const each of running.splice(0)) await each.stop();
});

export function setUp({
  catalog = new MemoryCatalog(),
  checkUpdateIntervalMs = 5 * MINUTE,
  scale = 1,
} = {}) {
  const local = new LocalState();
  const clock = new FakeClock();
  const logger = new RecordingLogger();
  const random = seededRandom(7);
  const self = { node: () => node, aliveCheck: ALIVE_CHECK, tokens: { agent: '', user: '' } };
  const own = new OwnCatalog({ local, catalog, self });
  const pace = { checkUpdateIntervalMs, scale: () => scale };
  const antiEntropy = new AntiEntropy({ own, local, clock, random, logger, pace });
  running.push(antiEntropy);
  return { local, catalog, clock, antiEntropy, logger };
}

export function service(id: string, port = 80, more = {}) {
  const spec = serviceFromConfig({ id, name: 'web', port, ...more });
  return { definition: serviceDefinition(spec), token: '', source: 'api' as const };
}

export function check(id: string, serviceId = '') {
  const spec = checkFromConfig({ CheckID: id, Name: id, ServiceID: serviceId, TTL: 1e9 });
  return { definition: checkDefinition(spec), spec, token: '', source: 'api' as const };
}

export async function started(options = {}) {
  const all = setUp(options);
  all.antiEntropy.start();
  await until(() => all.catalog.nodes.has('n1'));
  await settle();
  return all;
}
