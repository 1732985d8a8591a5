import assert from 'node:assert/strict';
import { consulJson } from '../../../lib/metrics/consul-json.ts';
import { Meter } from '../../../lib/metrics/meter.ts';
import { counter } from '../../../lib/metrics/metric.ts';
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
});
