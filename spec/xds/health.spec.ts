/** The health service of gRPC, on the same port. */
import assert from 'node:assert/strict';
import { type ServiceError, status } from '@grpc/grpc-js';
import { ADS, HEALTH, startXds, XdsClient } from '../support/servers/xds-clients.ts';
import { until } from '../support/until.ts';

describe('grpc.health.v1', function () {
  // The machine may be busy.
  this.timeout(60_000);

  it('says of the port and of its services that they serve, once the state is known', async () => {
    const xds = await startXds();
    const client = new XdsClient(xds.port);
    xds.state.isReady = false;
    for (const isReady of [false, true]) {
      xds.state.isReady = isReady;
      for (const service of ['', ADS]) {
        const said = await client.unary(HEALTH, 'Check', { service });
        assert.equal(said.status, isReady ? 'SERVING' : 'NOT_SERVING');
      }
    }
    const { statuses } = await client.unary(HEALTH, 'List', {});
    assert.equal(statuses[''].status, 'SERVING');
    assert.equal(statuses[ADS].status, 'SERVING');
  });

  it('knows nothing of others', async () => {
    const xds = await startXds();
    const client = new XdsClient(xds.port);
    await assert.rejects(
      client.unary(HEALTH, 'Check', { service: 'other' }),
      ({ code }: ServiceError) => code === status.NOT_FOUND,
    );
    const { told } = client.watch(HEALTH, 'Watch', { service: 'other' });
    await until(() => told.length > 0);
    assert.equal(told[0].status, 'SERVICE_UNKNOWN');
  });

  it('tells those who watch when it changes', async () => {
    const xds = await startXds();
    xds.state.isReady = false;
    const { told } = new XdsClient(xds.port).watch(HEALTH, 'Watch', { service: '' });
    await until(() => told.length === 1);
    xds.state.isReady = true;
    await until(async () => {
      await xds.clock.advance(1000);
      return told.length === 2;
    });
    assert.deepEqual(
      told.map((each) => each.status),
      ['NOT_SERVING', 'SERVING'],
    );
  });
});
