/** What splitters and resolvers say of calls, as routes: headers of each part, and how long an answer may take. */
import assert from 'node:assert/strict';
import type { Chain } from '../../xds/resources/chain.ts';
import { durationOfMs } from '../../xds/resources/chain.ts';
import { routesOf } from '../../xds/resources/routes.ts';

const resolver = (name: string, RequestTimeout?: string) => ({
  Type: 'resolver' as const,
  Resolver: {
    ...{ ConnectTimeout: '5s', Target: name },
    ...(RequestTimeout !== undefined && { RequestTimeout }),
  },
});

describe('routes to parts of a service', () => {
  it('change the headers of each part, and give it the time that the resolver says', () => {
    const chain: Chain = {
      ...{ ServiceName: 'web', Protocol: 'http', StartNode: 's', Targets: {} },
      Nodes: {
        s: {
          Type: 'splitter',
          Splits: [
            { Weight: 90, NextNode: 'a' },
            {
              Definition: { RequestHeaders: { Set: { 'x-part': 'b', 'bad name': '1' } } },
              ...{ Weight: 10, NextNode: 'b' },
            },
          ],
        },
        a: resolver('a', '30s'),
        b: resolver('b', '1m'),
      },
    };
    const left: string[] = [];
    const clusterOf = ({ Resolver }: { Resolver: { Target: string } }) => ({
      ...{ cluster: Resolver.Target, hashPolicy: [] },
    });
    const made = routesOf(chain, clusterOf, (what) => void left.push(what));
    const [{ route }] = made as unknown as [{ route: Record<string, unknown> }];
    assert.deepEqual(route['timeout'], { seconds: 60, nanos: 0 });
    const added = {
      header: { key: 'x-part', value: 'b' },
      append_action: 'OVERWRITE_IF_EXISTS_OR_ADD',
    };
    assert.deepEqual(route['weighted_clusters'], {
      clusters: [
        { name: 'a', weight: { value: 9000 } },
        { name: 'b', weight: { value: 1000 }, request_headers_to_add: [added] },
      ],
    });
    assert.deepEqual(left, ['the header "bad name" of each request of split 2 of "s"']);
  });

  it('have no time that Envoy could not count', () => {
    for (const ms of [Number.MAX_SAFE_INTEGER, 1999.999_999_999_999_8, -1, 0, 0.000_001]) {
      const { seconds, nanos } = durationOfMs(ms) as Record<string, number>;
      assert.ok(Number(seconds) >= 0 && Number(seconds) < 9_223_372_036, String(seconds));
      assert.ok(Number(nanos) >= 0 && Number(nanos) < 1_000_000_000, String(nanos));
    }
  });

  it("have no limit where a router says less than nothing, and else the resolver's", () => {
    const timeoutOf = (RequestTimeout?: string) => {
      const Destination = RequestTimeout === undefined ? {} : { RequestTimeout };
      const chain: Chain = {
        ...{ ServiceName: 'web', Protocol: 'http', StartNode: 'r', Targets: {} },
        Nodes: {
          r: { Type: 'router', Routes: [{ Definition: { Destination }, NextNode: 'a' }] },
          a: resolver('a', '30s'),
        },
      };
      const [made] = routesOf(chain, () => ({ cluster: 'a', hashPolicy: [] }), assert.fail);
      return (made as { readonly route: Record<string, unknown> }).route['timeout'];
    };
    assert.deepEqual(timeoutOf(), { seconds: 30, nanos: 0 });
    assert.deepEqual(timeoutOf('0s'), { seconds: 30, nanos: 0 });
    assert.deepEqual(timeoutOf('-1s'), { seconds: 0, nanos: 0 });
    assert.deepEqual(timeoutOf('90m'), { seconds: 5400, nanos: 0 });
    assert.deepEqual(timeoutOf('none'), { seconds: 30, nanos: 0 });
  });
});
