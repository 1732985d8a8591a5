/** A sync among strangers: whoever may write a Service is no friend of all others. */
import assert from 'node:assert/strict';
import { kubeService, kubeSlice } from '../support/kubernetes/cluster.ts';
import { startSyncWorld } from '../support/kubernetes/syncs.ts';
import { until } from '../support/until.ts';

const ANNOTATION = 'consul.hashicorp.com/service-';

/** Of an instance: as many bytes as a Service's annotations may say. */
const LARGE = Object.fromEntries([
  ...Array.from({ length: 28 }, (_, i) => [`${ANNOTATION}meta-m${i}`, 'x'.repeat(500)] as const),
  [`${ANNOTATION}tags`, 'tag-of-some-length,'.repeat(300)],
]);

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

const addresses = (count: number) =>
  Array.from({ length: count }, (_, i) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`);

describe('a Service of a stranger', () => {
  const many = {
    'more addresses than anybody needs': { count: 1001, says: /has over 1000 addresses/ },
    'addresses of many bytes': {
      count: 1000,
      says: /1000 instances have at least \d+ bytes together/,
    },
  };
  for (const [what, { count, says }] of Object.entries(many)) {
    it(`with ${what} is told, and comes once it has fewer`, async () => {
      const { objects, sync, untilShown, rows } = await started();
      const spec = { externalIPs: addresses(count) };
      objects.create('services', kubeService('aaa', { annotations: LARGE, spec }));
      const { logger } = sync();
      await untilShown('web 10.1.0.1:8080 passing');
      await until(() =>
        logger.lines.some((line) => line.includes('aaa" does not come') && says.test(line)),
      );
      const few = kubeService('aaa', { annotations: LARGE, spec: { externalIPs: addresses(3) } });
      objects.set('services', few);
      await until(() => rows().length === 4);
    });
  }

  it("takes no instance of a pod by that pod's address", async () => {
    const { objects, sync, untilShown } = await started();
    const annotations = { [`${ANNOTATION}name`]: 'web' };
    const spec = { externalIPs: ['10.1.0.1'], ports: [{ name: 'x', port: 666 }] };
    objects.create('services', kubeService('aaa', { annotations, spec }));
    objects.create(
      'services',
      kubeService('aab', { annotations, spec: { externalIPs: ['10.9.9.9'] } }),
    );
    sync();
    await untilShown('web 10.1.0.1:8080 passing', 'web 10.9.9.9:80');
  });

  it('takes no external address of another by the annotation of its name', async () => {
    const { objects, sync, untilShown } = await started();
    const at = (port: number) => ({ externalIPs: ['192.0.2.7'], ports: [{ name: 'x', port }] });
    const annotations = { [`${ANNOTATION}name`]: 'shop' };
    objects.create('services', kubeService('shop', { spec: at(443) }));
    objects.create('services', kubeService('aaa', { annotations, spec: at(666) }));
    sync();
    await untilShown('web 10.1.0.1:8080 passing', 'shop 192.0.2.7:443');
  });

  const RIGHTS = { services: ['list', 'watch'], endpointslices: ['list', 'watch'] };
  const PORTS = [{ name: 'http', port: 80, nodePort: 30080 }];

  it('at machines that nobody may read keeps no row of another namespace by its name', async () => {
    const { objects, cluster, service, sync, untilShown } = await started();
    cluster.tokens.set('t1', RIGHTS);
    const annotations = { [`${ANNOTATION}name`]: 'payments' };
    const over = { namespace: 'evil', annotations, spec: { type: 'NodePort', ports: PORTS } };
    objects.create('services', kubeService('np', over));
    service('payments', ['10.3.0.1', '10.3.0.2']);
    sync();
    const first = 'payments 10.3.0.1:8080 passing';
    await untilShown('web 10.1.0.1:8080 passing', first, 'payments 10.3.0.2:8080 passing');
    objects.set('endpointslices', kubeSlice('payments', [{ ip: '10.3.0.1' }]));
    await untilShown('web 10.1.0.1:8080 passing', first);
  });

  it('takes no address of a machine from a Service whose machines are not known for now', async () => {
    const { objects, cluster, sync, untilShown, service } = await started();
    objects.create('services', kubeService('np', { spec: { type: 'NodePort', ports: PORTS } }));
    objects.create('endpointslices', kubeSlice('np', [{ ip: '10.1.0.9', node: 'n1' }]));
    const addresses = [{ type: 'ExternalIP', address: '192.0.2.1' }];
    objects.create('nodes', { metadata: { name: 'n1' }, status: { addresses } });
    const first = sync('a');
    await untilShown('web 10.1.0.1:8080 passing', 'np 192.0.2.1:30080');
    await first.stop();
    cluster.tokens.set('t1', RIGHTS);
    const spec = { externalIPs: ['192.0.2.1'], ports: [{ name: 'x', port: 666 }] };
    objects.create('services', kubeService('np', { namespace: 'evil', spec }));
    const { logger } = sync('b');
    await until(() => logger.lines.some((line) => line.includes('/api/v1/nodes: 403')));
    service('later', ['10.4.0.1']);
    const others = ['web 10.1.0.1:8080 passing', 'later 10.4.0.1:8080 passing'];
    await untilShown('np 192.0.2.1:30080', ...others);
    cluster.tokens.set('t1', { ...RIGHTS, nodes: ['list', 'watch'] });
    objects.set('nodes', {
      metadata: { name: 'n1' },
      status: { addresses: [{ type: 'ExternalIP', address: '192.0.2.2' }] },
    });
    await untilShown('np 192.0.2.2:30080', 'np 192.0.2.1:666', ...others);
  });

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
    const ips = Array.from({ length: 12 }, (_, i) => `10.2.0.${i}`);
    service('large', ips, Object.fromEntries([...metas, tags]));
    const { logger } = sync();
    await until(
      () => rows().length === 13,
      () => `${rows().length}\n${logger.lines.join('\n')}`,
    );
  });
});
