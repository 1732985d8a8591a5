import assert from 'node:assert/strict';
import { TUNINGS, tuningIn, tuningOf } from '../../../lib/balance/tunings.ts';
import { ProconsulError } from '../../../lib/errors.ts';

/** A value for each name, and what it comes to. */
const VALUES: Readonly<Record<string, readonly [text: string, comesTo: object]>> = {
  'hash-by': ['header:x-user', { hashBy: [{ field: 'header', name: 'x-user' }] }],
  headroom: ['200', { preferences: { headroom: 2 } }],
  'hedge-least': ['2ms', { hedging: { leastMs: 2 } }],
  'hedge-methods': ['put,DELETE', { hedging: { methods: ['PUT', 'DELETE'] } }],
  'hedge-percent': ['10', { hedging: { ratio: 0.1 } }],
  'hedge-quantile': ['95', { hedging: { quantile: 0.95 } }],
  'max-pending': ['0', { limits: { pending: 0 } }],
  'max-requests': ['7', { limits: { requests: 7 } }],
  'max-retries': ['0', { limits: { retries: 0 } }],
  near: ['1500us', { near: { withinMs: 1.5 } }],
  'outlier-deviations': ['1.9', { successRate: { deviations: 1.9 } }],
  'outlier-failures': ['0', { outliers: { inARow: 0 } }],
  'outlier-interval': ['2s', { outliers: { intervalMs: 2000 } }],
  'outlier-max-time': ['1m', { outliers: { maxEjectMs: 60_000 } }],
  'outlier-min-calls': ['10', { successRate: { minCalls: 10 } }],
  'outlier-min-hosts': ['3', { successRate: { minHosts: 3 } }],
  'outlier-percent': ['25', { outliers: { maxShare: 0.25 } }],
  'outlier-time': ['1500ms', { outliers: { ejectMs: 1500 } }],
  'panic-threshold': ['50', { preferences: { panicBelow: 0.5 } }],
  'retries-per-second': ['0', { retries: { minPerSecond: 0 } }],
  'retry-budget': ['12.5', { retries: { ratio: 0.125 } }],
  'slow-start': ['30s', { slowStart: { windowMs: 30_000 } }],
  subset: ['version:2:b=c', { subset: [['version', '2:b=c']] }],
  'zone-hosts': ['2', { preferences: { minZoneHosts: 2 } }],
};

describe('TUNINGS', () => {
  for (const name of TUNINGS.keys()) {
    it(`reads ${name}`, () => {
      const [text = '', comesTo] = VALUES[name] ?? [];
      assert.deepEqual(tuningIn(name, text), ['', comesTo]);
      assert.deepEqual(tuningIn(name, `web=${text}`), ['web', comesTo]);
    });
  }

  for (const [name, text, why] of [
    ['slow-start', 'soon', /invalid duration "soon"/],
    ['slow-start', '25h', /it must be 0ms to 24h/],
    ['near', '0', /it must be 0.1ms to 24h/],
    ['outlier-time', '0', /it must be 1ms to 24h/],
    ['outlier-min-hosts', '1', /it must be 2 to 1000000/],
    ['outlier-min-calls', '0', /it must be 1 to 1000000/],
    ['panic-threshold', '101', /it must be 0 to 100/],
    ['panic-threshold', '-1', /it must be 0 to 100/],
    ['panic-threshold', '', /it must be 0 to 100/],
    ['retry-budget', '1e1', /it must be 0 to 100/],
    ['headroom', '99', /it must be 100 to 10000/],
    ['hedge-methods', '', /it is not METHOD,METHOD/],
    ['hedge-methods', 'PUT, POST', /it is not METHOD,METHOD/],
    ['max-requests', '0', /it must be 1 to 1000000/],
    ['max-pending', '1.5', /it must be 0 to 1000000/],
    ['subset', 'version', /it is not NAME:VALUE/],
    ['subset', ':2', /it is not NAME:VALUE/],
    ['hash-by', 'header', /it is not header:NAME/],
    ['hash-by', 'header:', /it is not header:NAME/],
    ['hash-by', 'body:x', /it is not header:NAME/],
    ['toString', '1', /there is no toString/],
  ] as const) {
    it(`refuses ${name} = "${text}"`, () => {
      assert.throws(
        () => tuningIn(name, text),
        (error) => error instanceof ProconsulError && why.test(error.message),
      );
    });
  }
});

describe('tuningOf', () => {
  const said = [
    tuningIn('outlier-failures', 'web=1'),
    tuningIn('outlier-failures', '3'),
    tuningIn('outlier-failures', '4'),
    tuningIn('outlier-time', '20s'),
    tuningIn('subset', 'a:1'),
    tuningIn('subset', 'b:2'),
    tuningIn('subset', 'web=c:3'),
    tuningIn('slow-start', 'db=1s'),
  ];

  it('puts what is said of a service before what is said of all, and the last of each before those before', () => {
    assert.deepEqual(tuningOf('web', said), {
      outliers: { inARow: 1, ejectMs: 20_000 },
      subset: [['c', '3']],
    });
    assert.deepEqual(tuningOf('db', said), {
      outliers: { inARow: 4, ejectMs: 20_000 },
      subset: [
        ['a', '1'],
        ['b', '2'],
      ],
      slowStart: { windowMs: 1000 },
    });
  });

  it('puts together what is said of one thing by several names', () => {
    const rates = [
      tuningIn('outlier-deviations', '2'),
      tuningIn('outlier-min-hosts', 'web=3'),
      tuningIn('outlier-min-calls', '10'),
    ];
    assert.deepEqual(tuningOf('web', rates), {
      successRate: { deviations: 2, minHosts: 3, minCalls: 10 },
    });
  });

  it('says nothing where nobody does', () => {
    assert.deepEqual(tuningOf('web', []), {});
  });
});
