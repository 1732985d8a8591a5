/** What operators read of clients that refuse what they are told. */
import assert from 'node:assert/strict';
import { Refusals } from '../../xds/serving/refusals.ts';
import { RecordingLogger } from '../support/fakes/recording-logger.ts';

function setUp() {
  const [counts, logger] = [{ refusals: 0 }, new RecordingLogger()];
  const refusals = new Refusals(counts, logger);
  const refuse = (times: number, address = '10.0.0.1', client = 'envoy-1') => {
    const before = logger.lines.length;
    for (let i = 0; i < times; i++) refusals.take({ address, client, type: 't', why: 'bad' });
    return logger.lines.length - before;
  };
  const minutes = (count: number) => {
    const before = logger.lines.length;
    for (let i = 0; i < 60 * count; i++) refusals.review();
    return logger.lines.slice(before);
  };
  return { counts, refuse, minutes };
}

describe('what clients refuse', () => {
  it('is twenty lines at once, five more in each minute, and then how many there were', () => {
    const { counts, refuse, minutes } = setUp();
    assert.equal(refuse(200), 20);
    assert.equal(counts.refusals, 200);
    const [line = '', ...more] = minutes(1);
    assert.match(line, /of an address refused more.*10\.0\.0\.1.*180/);
    assert.deepEqual(more, []);
    assert.equal(refuse(200), 5);
    assert.equal(minutes(10).length, 1);
    assert.equal(refuse(200), 20);
  });

  it('is said of another client, there or elsewhere, whoever refuses without end', () => {
    const { refuse } = setUp();
    refuse(200);
    assert.equal(refuse(3, '10.0.0.2'), 3);
    assert.equal(refuse(3, '10.0.0.1', 'envoy-2'), 1);
    // Who says each time that he is another has an end too.
    let lines = 0;
    for (let i = 0; i < 1000; i++) lines += refuse(1, '10.0.0.1', `no envoy ${i}`);
    assert.equal(lines, 98);
  });

  it('is kept of some addresses, and of all others as of one', () => {
    const { refuse, minutes } = setUp();
    for (let i = 0; i < 5000; i++) refuse(21, `10.1.${i >> 8}.${i & 255}`);
    assert.equal(minutes(1).length, 1001);
    assert.deepEqual(minutes(10), []);
  });
});
