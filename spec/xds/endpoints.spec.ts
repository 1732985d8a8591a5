/** What a service's instances are to clients of xDS. */
import assert from 'node:assert/strict';
import { instance } from '../support/fakes/fake-agent-answers.ts';
import {
  type Any,
  EDS,
  endpointsIn,
  startXds,
  type TestXds,
  XdsClient,
} from '../support/servers/xds-clients.ts';

async function assignmentOf(xds: TestXds, name: string): Promise<Any> {
  const stream = new XdsClient(xds.port).stream(EDS, 'StreamEndpoints');
  stream.subscribe([name]);
  const { resources } = await stream.answer(0);
  assert.equal(resources.length, 1);
  return resources[0];
}

describe('endpoints of a service', function () {
  // The machine may be busy.
  this.timeout(60_000);

  it('are those that pass and those that warn, with the weights of each', async () => {
    const xds = await startXds();
    const weights = { Passing: 3, Warning: 2 };
    xds.agent.sayInstances('web', [
      instance('a', { address: '10.0.0.1', weights, zone: 'a' }),
      instance('b', { address: '10.0.0.2', weights, zone: 'b', status: 'warning' }),
      instance('c', { address: '10.0.0.3', zone: 'a', weights: { Passing: 0, Warning: 0 } }),
      instance('d', { address: '', nodeAddress: 'fd00::7', port: 8080 }),
    ]);
    const web = await assignmentOf(xds, 'web');
    assert.equal(
      web['@type'],
      'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment',
    );
    assert.equal(web.cluster_name, 'web');
    assert.deepEqual(endpointsIn(web), [
      '0 a 10.0.0.1:80 HEALTHY 3',
      '0 a 10.0.0.3:80 HEALTHY 1',
      '0 b 10.0.0.2:80 HEALTHY 2',
      '0  fd00::7:8080 HEALTHY 1',
    ]);
    assert.deepEqual(
      web.endpoints.map(({ load_balancing_weight: { value }, locality }: Any) => [
        locality.region,
        locality.zone,
        value,
      ]),
      [
        ['dc1', 'a', 4],
        ['dc1', 'b', 2],
        ['dc1', '', 1],
      ],
    );
  });

  it('leave out what is critical, and drain what is in maintenance', async () => {
    const xds = await startXds();
    xds.agent.sayInstances('web', [
      instance('a', { address: '10.0.0.1', status: 'critical' }),
      instance('b', { address: '10.0.0.2', status: 'critical', checkId: '_service_maintenance:b' }),
      instance('c', { address: '10.0.0.3', status: 'critical', checkId: '_node_maintenance' }),
      instance('d', { address: '10.0.0.4' }),
    ]);
    assert.deepEqual(endpointsIn(await assignmentOf(xds, 'web')), [
      '0  10.0.0.4:80 HEALTHY 1',
      '0  10.0.0.2:80 DRAINING 1',
      '0  10.0.0.3:80 DRAINING 1',
    ]);
  });

  it('leave out names, ports that are none, and the same address twice', async () => {
    const xds = await startXds();
    xds.agent.sayInstances('web', [
      instance('a', { address: 'db.example.com' }),
      instance('b', { address: '10.0.0.2', port: 0 }),
      instance('c', { address: 'fe80::1%eth0' }),
      instance('d', { address: '10.0.0.4' }),
      instance('e', { address: '10.0.0.4' }),
    ]);
    assert.deepEqual(endpointsIn(await assignmentOf(xds, 'web')), ['0  10.0.0.4:80 HEALTHY 1']);
  });

  it('are none, and an assignment all the same, of a service that nobody knows', async () => {
    const xds = await startXds();
    const none = await assignmentOf(xds, 'nobody');
    assert.equal(none.cluster_name, 'nobody');
    assert.deepEqual(none.endpoints, []);
  });

  it('are none where the agent refuses, or answers something else than a list', async () => {
    const xds = await startXds();
    for (const [name, said] of [
      ['refused', 403],
      ['elsewhere', 500],
      ['odd', { Node: 1 }],
      ['odder', [null, 7, 'x', { Service: [] }]],
    ] as const) {
      xds.agent.say(`/v1/health/service/${name}`, said);
      assert.deepEqual((await assignmentOf(xds, name)).endpoints, [], name);
    }
  });

  it('are found by names as DNS writes them', async () => {
    const xds = await startXds();
    const at = (port: number) => [instance('a', { port })];
    const [b] = at(2) as [{ readonly Service: object }];
    const tagged = { ...b, Service: { ...b.Service, ID: 'b', Tags: ['x', 'V2'] } };
    xds.agent.sayInstances('web', [...at(1), tagged]);
    xds.agent.say('/v1/health/service/web?dc=dc2', at(3));
    xds.agent.say('/v1/health/service/web?dc=dc2?tag=a.b', at(4));
    for (const [name, ...ports] of [
      ['web', 1, 2],
      ['web.service', 1, 2],
      ['web.service.dc1', 1, 2],
      ['web.dc1', 1, 2],
      ['web.service.consul', 1, 2],
      ['web.service.dc1.consul', 1, 2],
      ['v2.web', 2],
      ['v3.web'],
      ['X.WEB', 2],
      ['v2.web.service.DC1', 2],
      ['web.service.dc2', 3],
      ['a.b.web.service.dc2.consul', 4],
    ] as const) {
      const assignment = await assignmentOf(xds, name);
      assert.equal(assignment.cluster_name, name);
      const told = ports.map((port) => `0  10.0.0.1:${port} HEALTHY 1`);
      assert.deepEqual(endpointsIn(assignment), told, name);
    }
  });

  it('are those that a prepared query finds, and again when its service has changed', async () => {
    const xds = await startXds();
    const found = (port: number) => ({ Service: 'web', Nodes: [instance('a', { port })] });
    xds.agent.say('/v1/query/near/execute', found(1));
    const stream = new XdsClient(xds.port).stream(EDS, 'StreamEndpoints');
    stream.subscribe(['near.query.dc1']);
    const [first] = (await stream.answer(0)).resources;
    assert.deepEqual(endpointsIn(first), ['0  10.0.0.1:1 HEALTHY 1']);
    xds.agent.say('/v1/query/near/execute', found(2));
    xds.agent.sayInstances('web', [instance('a', { port: 2 })]);
    const [second] = (await stream.answer(1)).resources;
    assert.deepEqual(endpointsIn(second), ['0  10.0.0.1:2 HEALTHY 1']);
  });
});
