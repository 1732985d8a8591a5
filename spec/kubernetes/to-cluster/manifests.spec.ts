/** The slices that a service of the catalog comes to. */
import assert from 'node:assert/strict';
import { sliceManifests } from '../../../kubernetes/to-cluster/manifests.ts';
import { backRules } from '../../support/kubernetes/sync-rules.ts';

const RULES = backRules('headless');

/** As many instances, at so many ports, that count how often somebody looks where they are. */
function instances(count: number, ports: number) {
  const looked = { times: 0 };
  const addresses = Array.from({ length: count }, (_, i) => ({
    get address() {
      looked.times++;
      return `10.0.${i >> 8}.${i & 255}`;
    },
    family: 'IPv4' as const,
    port: i % ports,
    status: 'passing' as const,
  }));
  return { addresses, looked };
}

describe('slices of a service', () => {
  for (const [what, ports] of [
    ['has no port', 1],
    ['has more ports than are worth a slice each', 40],
  ] as const) {
    it(`that ${what} take a few looks at each of its instances, however many those are`, () => {
      const { addresses, looked } = instances(4000, ports);
      const parts = { name: 'web', uid: 'u', addresses, placed: new Map() };
      const slices = [...sliceManifests(parts, RULES).values()];
      assert.equal(slices.length, 40);
      assert.ok(looked.times < 4000 * 40, `${looked.times}`);
    });
  }
});
