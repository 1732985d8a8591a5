/** What the flags of `k8s-sync` come to, and which of them are refused. */
import assert from 'node:assert/strict';
import { readFlags } from '../../cli/flag-values.ts';
import { K8S_FLAGS, syncOptionsOf } from '../../cli/k8s-flags.ts';

const options = (...argv: readonly string[]) => syncOptionsOf(readFlags(argv, K8S_FLAGS).flags);

describe('the flags of k8s-sync', () => {
  it('say which services of the catalog come back', () => {
    const said = ['-allow-consul-service=web-*', '-deny-consul-service=web-x'];
    const { toCluster } = options('-to-k8s', ...said);
    assert.deepEqual([toCluster?.allow, toCluster?.deny], [['web-*'], ['web-x']]);
    assert.deepEqual(options('-to-k8s').toCluster?.allow, ['*']);
  });

  for (const flag of [
    ...['-k8s-service-type=nonsense', '-k8s-write-namespace=a', '-k8s-service-prefix=a'],
    ...['-allow-consul-service=a', '-deny-consul-service=a', '-consul-domain=a'],
  ]) {
    it(`are refused where they are of a way that does not run: ${flag}`, () => {
      assert.throws(() => options(flag), /says nothing without -to-k8s/);
    });
  }

  it('are refused without the way to the catalog too', () => {
    const given = ['-to-consul=false', '-to-k8s', '-node-port-sync-type=nonsense'];
    assert.throws(() => options(...given), /-node-port-sync-type says nothing without -to-consul/);
  });
});
