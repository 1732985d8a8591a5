import assert from 'node:assert/strict';
import { RequestLimits } from '../../../cli/process/request-limits.ts';
import { loadConfig } from '../../../lib/config/load.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { fakeConfigHost } from '../../support/fakes/fake-config-host.ts';
import { httpRequest } from '../../support/fakes/http-request.ts';
import { RecordingLogger } from '../../support/fakes/recording-logger.ts';

const limitsUnder = (keys: string) =>
  loadConfig({
    argv: ['-dev', '-bind=127.0.0.1', '-hcl', `limits { request_limits { ${keys} } }`],
    host: fakeConfigHost(),
  }).config.limits.requests;

function limited(keys: string) {
  const clock = new FakeClock();
  const logger = new RecordingLogger();
  let limits = limitsUnder(keys);
  const rates = new RequestLimits({ limits: () => limits, clock, logger });
  const taken = (over: Parameters<typeof httpRequest>[0], tries = 100) => {
    let count = 0;
    for (let i = 0; i < tries; i++) {
      try {
        rates.admit(httpRequest(over));
        count++;
      } catch (error) {
        assert.match(String(error), /rate limit exceeded, try again later or against a different/);
      }
    }
    return count;
  };
  return { clock, logger, rates, taken, reload: (now: string) => (limits = limitsUnder(now)) };
}

const ENFORCED = 'mode = "enforcing" read_rate = 2 write_rate = 1';

describe('limits.request_limits', () => {
  it('lets ten seconds’ worth through at once, and then so many a second', async () => {
    const { clock, taken } = limited(ENFORCED);
    assert.deepEqual([taken({}), taken({ method: 'PUT' })], [20, 10]);
    await clock.advance(3000);
    assert.deepEqual([taken({}), taken({ method: 'DELETE' })], [6, 3]);
  });

  it('counts what the fast path answers', () => {
    const { rates, taken } = limited(ENFORCED);
    for (let i = 0; i < 15; i++) assert.equal(rates.admitRead(), true);
    assert.equal(taken({}), 5);
    assert.equal(rates.admitRead(), false);
  });

  it('never refuses what an agent answers of itself, or what keeps a cluster together', () => {
    const { taken } = limited(ENFORCED);
    for (const path of ['/v1/agent/self', '/v1/internal/agent/beat', '/v1/status/leader']) {
      assert.equal(taken({ path, method: 'PUT' }), 100);
    }
  });

  it('only logs where it is permissive, and not each time', () => {
    const { logger, taken } = limited('mode = "permissive" read_rate = 1');
    assert.equal(taken({}), 100);
    assert.deepEqual(logger.lines, [
      'warn http: more reads than limits.request_limits.read_rate, and answered all the same',
    ]);
  });

  it('limits nothing while disabled, and nothing of a kind without a rate', () => {
    assert.equal(limited('read_rate = 1 write_rate = 1').taken({}), 100);
    assert.equal(limited('mode = "enforcing" write_rate = 1').taken({}), 100);
  });

  it('is taken over by a reload', () => {
    const { taken, reload } = limited('mode = "disabled"');
    assert.equal(taken({}), 100);
    reload(ENFORCED);
    assert.equal(taken({}), 20);
  });

  it('refuses a mode that nobody knows', () => {
    assert.throws(() => limitsUnder('mode = "strict"'), /request_limits.mode cannot be "strict"/);
  });

  it('are said to have no effect on an agent without a server', () => {
    const warned = (flags: readonly string[], keys: string) => {
      const argv = [...flags, '-bind=127.0.0.1', '-hcl', `limits { request_limits { ${keys} } }`];
      const { warnings } = loadConfig({ argv, host: fakeConfigHost() });
      return warnings.filter((line) => line.includes('request_limits has no effect'));
    };
    assert.equal(warned(['-data-dir=/d'], ENFORCED).length, 1);
    assert.deepEqual(warned(['-data-dir=/d'], 'mode = "disabled" read_rate = 1'), []);
    assert.deepEqual(warned(['-dev'], ENFORCED), []);
  });
});
