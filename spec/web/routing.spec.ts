import assert from 'node:assert/strict';
import { type ChainAnswer, routingOf } from '../../web/core/routing.ts';

describe('the routing of a service', () => {
  it('says which service each part is of, whatever dots its name has', () => {
    const target = (Service: string, more: object = {}) => ({
      Service,
      Datacenter: 'dc1',
      ...more,
    });
    const Chain: ChainAnswer['Chain'] = {
      ServiceName: 'my.api',
      Datacenter: 'dc1',
      Protocol: 'http',
      StartNode: 'router:my.api.default',
      Nodes: {
        'router:my.api.default': {
          Type: 'router',
          Name: 'my.api.default',
          Routes: [{ NextNode: 'splitter:my.api.default' }],
        },
        'splitter:my.api.default': {
          Type: 'splitter',
          Name: 'my.api.default',
          Splits: [
            { Weight: 90, NextNode: 'resolver:my.api.default.dc1' },
            { Weight: 10, NextNode: 'resolver:v2.my.api.default.dc1' },
          ],
        },
        'resolver:my.api.default.dc1': {
          Type: 'resolver',
          Name: 'my.api.default.dc1',
          Resolver: { Target: 'my.api.default.dc1', Default: true },
        },
        'resolver:v2.my.api.default.dc1': {
          Type: 'resolver',
          Name: 'v2.my.api.default.dc1',
          Resolver: { Target: 'v2.my.api.default.dc1' },
        },
      },
      Targets: {
        'my.api.default.dc1': target('my.api'),
        'v2.my.api.default.dc1': target('my.api', { ServiceSubset: 'v2' }),
      },
    };
    const parts = routingOf({ Chain }).parts.map((part) => [part.kind, part.service, part.subset]);
    assert.deepEqual(parts, [
      ['router', 'my.api', ''],
      ['splitter', 'my.api', ''],
      ['resolver', 'my.api', ''],
      ['resolver', 'my.api', 'v2'],
      ['target', 'my.api', ''],
      ['target', 'my.api', 'v2'],
    ]);
  });
});
