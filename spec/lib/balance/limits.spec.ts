import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { CIRCUIT_KINDS, Circuit } from '../../../lib/balance/circuit.ts';
import { PeakEwma } from '../../../lib/balance/peak-ewma.ts';
import { RetryBudget } from '../../../lib/balance/retry-budget.ts';
import { seededRandom } from '../../support/fakes/seeded-random.ts';

describe('Circuit', () => {
  it('refuses what is beyond a limit, each kind by itself, and gives a place back once', () => {
    const circuit = new Circuit({
      callers: 1,
      connections: 2,
      pending: 0,
      requests: 1,
      retries: 1,
    });
    const first = circuit.take('connections');
    assert.ok(first && circuit.take('connections'));
    assert.equal(circuit.take('connections'), undefined);
    assert.equal(circuit.take('pending'), undefined);
    assert.ok(circuit.take('requests'));
    first();
    first();
    assert.ok(circuit.take('connections'));
    assert.equal(circuit.take('connections'), undefined);
    assert.deepEqual(
      CIRCUIT_KINDS.map((kind) => [kind, circuit.taken(kind), circuit.refused(kind)]),
      [
        ['callers', 0, 0],
        ['connections', 2, 2],
        ['pending', 0, 1],
        ['requests', 1, 0],
        ['retries', 0, 0],
      ],
    );
  });

  it('has each of its kinds in the page of its metrics', () => {
    const lines = readFileSync('docs/sidecar.md', 'utf8').split('\n');
    const row = lines.find((line) => line.includes('proconsul_sidecar_refused_total'));
    for (const kind of CIRCUIT_KINDS) assert.ok(row?.includes(`\`${kind}\``), kind);
  });
});

describe('RetryBudget', () => {
  it('bounds how much more a service gets that fails for everybody (seed 2)', () => {
    const budget = new RetryBudget({ ratio: 0.2, minPerSecond: 3 });
    const random = seededRandom(2);
    let [calls, retries] = [0, 0];
    for (let ms = 0; ms < 60_000; ms += random.next() * 10) {
      calls++;
      budget.called(ms);
      while (budget.take(ms)) retries++;
    }
    assert.ok(retries <= calls * 0.2 + 3 * 70, `${retries} of ${calls}`);
    assert.ok(retries >= calls * 0.2);
  });

  it('lets a few of few calls be tried again, and forgets what was not used', () => {
    const budget = new RetryBudget({ ratio: 0.5, minPerSecond: 0 });
    for (let i = 0; i < 10; i++) budget.called(0);
    assert.ok(budget.take(9999));
    assert.equal(budget.take(10_000), false);
    const least = new RetryBudget({ ratio: 0, minPerSecond: 0.1 });
    assert.deepEqual([least.take(0), least.take(9999), least.take(10_000)], [true, false, true]);
  });
});

describe('PeakEwma', () => {
  it('goes up at once and down slowly, also without answers', () => {
    const latency = new PeakEwma(0);
    assert.deepEqual([latency.isKnown, latency.at(0)], [false, 0]);
    latency.observe(10, 0);
    latency.observe(500, 0);
    assert.equal(latency.at(0), 500);
    latency.observe(10, 1000);
    assert.ok(latency.at(1000) > 400);
    assert.ok(latency.at(11_000) < 200);
    for (let i = 1; i < 100; i++) latency.observe(10, 1000 + i * 1000);
    assert.ok(latency.at(101_000) < 12);
  });
});
