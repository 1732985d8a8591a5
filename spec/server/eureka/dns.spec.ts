import assert from 'node:assert/strict';
import { startDns } from '../../support/servers/start-dns.ts';
import { startEureka } from '../../support/servers/start-eureka.ts';
import { instanceOf } from './instances.ts';

describe("A Eureka client's instance by DNS", () => {
  async function start() {
    const test = await startDns();
    const eureka = await startEureka(test);
    const headers = { 'Content-Type': 'application/json' };
    const post = (app: string, over: object = {}) =>
      eureka.ask('POST', `/eureka/apps/${app}`, { headers, body: instanceOf(app, over) });
    const data = async (name: string, type: 'A' | 'SRV') =>
      (await test.udp(name, type)).answers.map((record) => record.data);
    return { ...test, eureka, post, data };
  }

  it('has an address and a port by the name of its service, and of its node', async () => {
    const { post, data, udp } = await start();
    await post('SHOP');
    assert.deepEqual(await data('shop.service.consul', 'A'), ['10.0.0.1']);
    assert.deepEqual(await data('SHOP.service.consul', 'A'), ['10.0.0.1']);
    assert.deepEqual(await data('h1.node.consul', 'A'), ['10.0.0.1']);
    const { answers, additionals } = await udp('shop.service.consul', 'SRV');
    assert.match(answers[0]?.data ?? '', /\b8080\b.*\.consul\.?$/);
    assert.equal(additionals[0]?.data, '10.0.0.1');
  });

  it('is not named while it is out of service, or not renewed', async () => {
    const { clock, eureka, post, data } = await start();
    const names = () => data('shop.service.consul', 'A');
    await post('SHOP');
    await eureka.ask('PUT', '/eureka/apps/SHOP/h1:shop/status?value=OUT_OF_SERVICE');
    assert.deepEqual(await names(), []);
    await eureka.ask('DELETE', '/eureka/apps/SHOP/h1:shop/status?value=UP');
    assert.deepEqual(await names(), ['10.0.0.1']);
    await clock.advance(91_000);
    assert.deepEqual(await names(), []);
  });

  it('has none where its name has a dot, which is no name of DNS', async () => {
    const { post, data } = await start();
    await post('LEDGER.V2');
    assert.deepEqual(await data('ledger.v2.service.consul', 'A'), []);
  });
});
