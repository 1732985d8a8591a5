import assert from 'node:assert/strict';
import type { Instance } from '../../../lib/model.ts';
import { EurekaInstances } from '../../../server/state/eureka.ts';
import { Journal } from '../../../server/state/table.ts';
import { Topics } from '../../../server/state/topics.ts';

describe("What is remembered for Eureka's deltas", () => {
  const gone = (size: number) =>
    ({ ID: 'x', Meta: { k: 'x'.repeat(size) } }) as unknown as Instance;

  it('is bounded by its size, and says what it has forgotten', () => {
    const eureka = new EurekaInstances(new Journal(), new Topics());
    for (let index = 1; index <= 1000; index++) {
      eureka.remember({ index, t: index, instance: gone(200_000) });
    }
    const { length } = eureka.gone;
    assert(length >= 70 && length <= 170, `${length}`);
    assert.equal(eureka.goneSince(1000 - length - 1), undefined);
    assert.equal(eureka.goneSince(1000 - length)?.length, length);
  });

  it('may hold what only a long integer can, as settings of a sidecar do', () => {
    const eureka = new EurekaInstances(new Journal(), new Topics());
    const instance = { ID: 'x', Proxy: { Config: { n: 2n ** 60n } } } as unknown as Instance;
    eureka.remember({ index: 1, t: 1, instance });
    assert.equal(eureka.goneSince(0)?.length, 1);
  });

  it('is all there where it is small', () => {
    const eureka = new EurekaInstances(new Journal(), new Topics());
    for (let index = 1; index <= 20_000; index++) {
      eureka.remember({ index, t: index, instance: gone(500) });
    }
    assert.equal(eureka.goneSince(0)?.length, 20_000);
  });
});
