/** What is kept of objects of Kubernetes, whatever their authors wrote. */
import assert from 'node:assert/strict';
import { serviceIn, sliceIn } from '../../kubernetes/objects.ts';
import { type Endpoint, kubeService, kubeSlice } from '../support/kubernetes/cluster.ts';

const ANNOTATION = 'consul.hashicorp.com/';
/** As large as the API server takes all annotations of one object. */
const MUCH = 'x'.repeat(200_000);

describe('what is kept of a Service', () => {
  it('is what may count of its annotations, and no more of each than is seen to be too much', () => {
    const annotations = {
      [`${ANNOTATION}service-name`]: 'web',
      [`${ANNOTATION}service-tags`]: MUCH,
      [`${ANNOTATION}something`]: MUCH,
      [`${ANNOTATION}service-meta-team`]: 'blue',
      [`${ANNOTATION}service-meta-long`]: MUCH,
      other: MUCH,
    };
    const kept = serviceIn({ ...kubeService('web', { annotations, labels: { other: MUCH } }) });
    assert.deepEqual([...kept.annotations.keys()].sort(), [
      `${ANNOTATION}service-meta-long`,
      `${ANNOTATION}service-meta-team`,
      `${ANNOTATION}service-name`,
      `${ANNOTATION}service-tags`,
    ]);
    assert.equal(kept.annotations.get(`${ANNOTATION}service-tags`)?.length, 16 * 1024);
    assert.equal(kept.labels.size, 0);
    assert.ok(JSON.stringify([...kept.annotations]).length < 20_000);
  });

  it('is no more than some of its pairs of metadata, ports and addresses', () => {
    const many = Array.from({ length: 5000 }, (_, i) => i);
    const annotations = Object.fromEntries(
      many.map((i) => [`${ANNOTATION}service-meta-${i}`, '1']),
    );
    const spec = {
      ports: many.map((i) => ({ name: `p${i}`, port: i + 1 })),
      externalIPs: many.map((i) => `10.0.${i >> 8}.${i & 255}`),
    };
    const kept = serviceIn({ ...kubeService('web', { annotations, spec }) });
    const { annotations: notes, ports, externalIps } = kept;
    assert.deepEqual([notes.size, ports.length, externalIps.length], [28, 100, 1001]);
  });
});

describe('what is kept of a slice', () => {
  it('is no long name of others things', () => {
    const slice = kubeSlice('web', [{ ip: '10.1.0.1' }]);
    const [endpoint] = slice['endpoints'] as readonly object[];
    const said = { ...endpoint, zone: MUCH, targetRef: { kind: 'Pod', name: MUCH } };
    const kept = sliceIn({ ...slice, endpoints: [said] });
    assert.ok(JSON.stringify(kept).length < 3000);
  });

  it('is the same object while nothing of it changes, and so is each endpoint', () => {
    const slice = (pods: readonly Endpoint[]) => ({ ...kubeSlice('web', pods) });
    const pods = [{ ip: '10.1.0.1' }, { ip: '10.1.0.2' }, { ip: '10.1.0.3' }];
    const before = sliceIn(slice(pods));
    assert.equal(sliceIn(slice(pods), before), before);
    const now = sliceIn(slice([{ ip: '10.1.0.3' }, { ip: '10.1.0.2', ready: false }]), before);
    assert.equal(now.endpoints.length, 2);
    assert.equal(now.endpoints[0], before.endpoints[2]);
    assert.equal(now.endpoints[1]?.isReady, false);
  });
});
