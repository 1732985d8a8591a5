/** What people may write of services, and a real Envoy would refuse everything for. */

/** Half of a pair. */
export const HALF = 'half\ud800';
/** Names of services that somebody may come upon. */
export const ODD = [
  ...['a b', 'ü', 'x'.repeat(64), 'x'.repeat(220), 'y'.repeat(1000), HALF, '..', '.', 'a/b', '%41'],
  ...[
    '__proto__',
    'constructor',
    "a'b",
    'a"b',
    'line\nend',
    'WEB',
    'Web',
    'a..b',
    '-',
    'a@b',
    'v1.other',
  ],
];

const many = Object.fromEntries(Array.from({ length: 1200 }, (_, i) => [`x-${i}`, '1']));
export const setting = (said: object) => ({ Destination: { RequestHeaders: { Set: said } } });
const matching = (HTTP: object, more: object = {}) => ({ Match: { HTTP }, ...more });

/** Routes of one service, each of which had all be refused, or might. */
export const BAD_ROUTES: readonly object[] = [
  matching({ PathExact: '/long' }, setting({ 'x-long': 'x'.repeat(16_385) })),
  matching({ PathExact: '/many' }, setting(many)),
  matching({ PathExact: '/half' }, setting({ 'x-half': HALF, [HALF]: '1' })),
  matching({ PathExact: `/${HALF}` }),
  matching({ PathExact: '/rewrite' }, { Destination: { PrefixRewrite: '/a\nb' } }),
  matching({ PathExact: '/rewrite0' }, { Destination: { PrefixRewrite: '/a\0b' } }),
  matching({ QueryParam: [{ Name: 'n'.repeat(1025), Present: true }] }),
  matching({ QueryParam: [{ Name: 'n', Exact: '\n\0' }] }),
  matching({ PathRegex: '(' }),
  matching({ PathRegex: `/(${'a|'.repeat(400)}b){9}` }),
  matching({ PathExact: '/\n\0' }),
  matching({ PathExact: `/${'x'.repeat(100_000)}` }),
  matching({ Header: [{ Name: 'x-a', Exact: 'a\nb' }] }),
  matching({ Header: [{ Name: 'x-a', Regex: '' }] }),
  matching({ Header: [{ Name: 'x a', Present: true }] }),
  matching({ Methods: ['GET', 'G E T', ''] }),
  matching(
    { PathExact: '/t' },
    { Destination: { RequestTimeout: '2540400h', IdleTimeout: '1ns' } },
  ),
  matching(
    { PathExact: '/r' },
    {
      Destination: {
        NumRetries: 4294967295,
        RetryOn: ['no such'],
        RetryOnStatusCodes: [0, 99_999],
      },
    },
  ),
  matching({ PathExact: '/h' }, setting({ host: 'x', ':path': '/y', 'x-percent': '%REQ(x)%' })),
];
