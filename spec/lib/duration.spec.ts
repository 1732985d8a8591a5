import assert from 'node:assert/strict';
import fc from 'fast-check';
import { formatDuration, parseDuration } from '../../lib/duration.ts';
import { SEED } from '../support/seed.ts';

describe('parseDuration', () => {
  const READ: readonly (readonly [string, number])[] = [
    ['1m30s', 90e9],
    ['15.0s', 15e9],
    ['0.001s', 1e6],
    ['.5s', 5e8],
    ['1.s', 1e9],
    ['1h1m1s1ms1us1ns', 3661001001001],
    ['-10s', -10e9],
    ['+10s', 10e9],
    ['0', 0],
    ['1µs', 1000],
    ['1μs', 1000],
  ];
  for (const [text, ns] of READ) {
    it(`reads ${text} as ${ns} ns`, () => assert.equal(parseDuration(text), ns));
  }

  for (const text of ['', '10', 's', '1 s', '1d', '1s ', '--1s', '1e3s', '9999999h', '1s1', '.s']) {
    it(`takes ${JSON.stringify(text)} for none`, () => {
      assert.equal(parseDuration(text), undefined);
    });
  }
});

describe('formatDuration', () => {
  const WRITTEN: readonly (readonly [number, string])[] = [
    [0, '0s'],
    [1, '1ns'],
    [1500, '1.5µs'],
    [1.5e6, '1.5ms'],
    [90e9, '1m30s'],
    [3600e9, '1h0m0s'],
    [86400e9, '24h0m0s'],
    [-10e9, '-10s'],
    [1.5e9, '1.5s'],
  ];
  for (const [ns, text] of WRITTEN) {
    it(`writes ${ns} ns as ${text}`, () => assert.equal(formatDuration(ns), text));
  }

  it(`writes what parseDuration reads back (seed ${SEED})`, () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e15, max: 1e15 }), (ns) => {
        assert.equal(parseDuration(formatDuration(ns)), ns);
      }),
      { seed: SEED },
    );
  });
});
