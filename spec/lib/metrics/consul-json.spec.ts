import assert from 'node:assert/strict';
import { consulJson } from '../../../lib/metrics/consul-json.ts';
import { Meter, readingsOf } from '../../../lib/metrics/meter.ts';
import { counter, gauge } from '../../../lib/metrics/metric.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';

describe('metrics as JSON', () => {
  it('count in whole numbers what is added in fractions, or no Go client reads any of them', async () => {
    const clock = new FakeClock();
    const meter = new Meter(clock);
    let seconds = 1;
    meter.start([counter('process.cpu', '', () => seconds)]);
    seconds += 0.25;
    const filter = { allowed: [], blocked: [], byDefault: true };
    const { Counters } = consulJson(meter, { prefix: 'consul', host: 'h', filter }) as {
      Counters: { Count: number; Sum: number; Rate: number }[];
    };
    meter.stop();
    const [{ Count, Sum, Rate } = {}] = Counters;
    assert.deepEqual([Count, Sum, Rate], [1, 0.25, 0.025]);
  });

  it('are of a hundred at most of one name, but where an operator has named each', () => {
    const all = Array.from({ length: 150 }, (_, i) => ({ labels: { of: `${i}` }, value: i }));
    assert.equal(readingsOf(gauge('many', '', () => all)).length, 100);
    assert.equal(readingsOf(gauge('named', '', () => all, 2000)).length, 150);
  });
});
