/** A sync among strangers: whoever may write a Service is no friend of all others. */
import assert from 'node:assert/strict';
import { kubeService, kubeSlice } from '../support/kubernetes/cluster.ts';
import { startSyncWorld } from '../support/kubernetes/syncs.ts';
import { until } from '../support/until.ts';

const ANNOTATION = 'consul.hashicorp.com/service-';

async function started() {
  const world = await startSyncWorld();
  const { objects } = world;
  const service = (name: string, ips: readonly string[], annotations = {}) => {
    objects.create('services', kubeService(name, { annotations }));
    const endpoints = ips.map((ip) => ({ ip }));
    objects.create('endpointslices', kubeSlice(name, endpoints));
  };
  service('web', ['10.1.0.1']);
  return { ...world, service };
}

describe('a Service of a stranger', () => {
  const cases = {
    'a NUL in its name': { name: 'a\0b', says: /characters that cannot be printed/ },
    'a name without end': { name: 'n'.repeat(200_000), says: /its name is over 255 bytes/ },
    'tags without end': { tags: 'a,'.repeat(100_000), says: /its tags are over 8192 bytes/ },
    'the name of the servers': { name: 'Consul', says: /has a "Consul" of its own/ },
    'the name of the syncs': { name: 'proconsul-k8s-sync', says: /of its own/ },
  };
  for (const [what, { says, ...annotations }] of Object.entries(cases)) {
    it(`with ${what} is told, and holds up no other`, async () => {
      const { service, sync, untilShown } = await started();
      const said = Object.entries(annotations).map(([key, text]) => [`${ANNOTATION}${key}`, text]);
      service('aaa', ['10.6.6.6'], Object.fromEntries(said));
      const { logger } = sync();
      await untilShown('web 10.1.0.1:8080 passing');
      const told = () => logger.lines.filter((line) => line.includes('default/aaa" does not come'));
      await until(() => told().length > 0);
      assert.equal(told().length, 1);
      assert.match(told()[0] ?? '', says);
    });
  }

  it('whose instances are more than a transaction takes comes all the same', async () => {
    const { service, sync, rows } = await started();
    const metas = Array.from({ length: 28 }, (_, i) => [
      `${ANNOTATION}meta-m${i}`,
      '\x01'.repeat(500),
    ]);
    const tags = [`${ANNOTATION}tags`, 'tag-of-some-length,'.repeat(300)];
    const ips = Array.from({ length: 40 }, (_, i) => `10.2.0.${i}`);
    service('large', ips, Object.fromEntries([...metas, tags]));
    const { logger } = sync();
    await until(
      () => rows().length === 41,
      () => `${rows().length}\n${logger.lines.join('\n')}`,
    );
  });
});
