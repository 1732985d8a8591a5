import assert from 'node:assert/strict';
import { stateHash, restored as takenUp } from '../../support/experiments/state-hash.ts';
import { startEureka } from '../../support/servers/start-eureka.ts';
import { startServer } from '../../support/servers/start-server.ts';
import { type Applications, instanceOf, JSON_FORM } from './instances.ts';

async function start() {
  const one = await startServer();
  const eureka = await startEureka(one);
  const post = (app: string) =>
    eureka.ask('POST', `/eureka/apps/${app}`, {
      headers: { 'Content-Type': 'application/json' },
      body: instanceOf(app, { metadata: { 'management.port': '1' } }),
    });
  const shown = async () => {
    const { json } = await eureka.ask('GET', '/eureka/apps', { headers: JSON_FORM });
    const { application } = (json as Applications).applications;
    return application.flatMap(({ instance }) => instance);
  };
  const archive = async () => {
    const response = await fetch(`http://127.0.0.1:${one.port}/v1/snapshot`);
    return Buffer.from(await response.arrayBuffer());
  };
  const restore = async (bytes: Buffer) => {
    const { status, text } = await one.put('/v1/snapshot', bytes);
    assert.equal(status, 200, text);
  };
  return { ...one, eureka, post, shown, archive, restore };
}

describe('Eureka, when a state is put in place of another', () => {
  it('is as it was from a server of its own cluster: instances, and what changed of late', async () => {
    const { post, eureka, server } = await start();
    await post('SHOP');
    await post('CART');
    await eureka.ask('DELETE', '/eureka/apps/CART/h1:cart');
    const again = takenUp(server.state);
    assert.equal(stateHash(again), stateHash(server.state));
    assert.equal(again.eureka.at('h1', 'h1:shop')?.Info.metadata['management.port'], '1');
    assert.equal(again.eureka.goneSince(0)?.length, server.state.eureka.goneSince(0)?.length);
  });

  it('keeps whole what stands in the archive, and lets go what does not', async () => {
    const { post, shown, archive, restore, server } = await start();
    await post('SHOP');
    const bytes = await archive();
    await post('CART');
    await restore(bytes);
    assert.deepEqual(
      (await shown()).map(({ app, metadata }) => [app, metadata['management.port']]),
      [['SHOP', '1']],
    );
    assert.equal(server.state.eureka.rows.size, 1);
  });

  it('says the same to those who ask Consul, where the archive says what was before', async () => {
    const { post, shown, archive, restore, eureka, get } = await start();
    await post('SHOP');
    const bytes = await archive();
    await eureka.ask('PUT', '/eureka/apps/SHOP/h1:shop/status?value=OUT_OF_SERVICE');
    await restore(bytes);
    assert.equal((await shown())[0]?.status, 'OUT_OF_SERVICE');
    assert.deepEqual((await get('/v1/health/service/shop?passing')).json, []);
  });

  it('takes out of an archive whom nobody vouches for: its client registers again', async () => {
    const { post, shown, archive, restore, eureka, get } = await start();
    await post('SHOP');
    const bytes = await archive();
    await eureka.ask('DELETE', '/eureka/apps/SHOP/h1:shop');
    await restore(bytes);
    assert.deepEqual(await shown(), []);
    assert.deepEqual((await get('/v1/health/service/shop')).json, []);
    assert.equal((await eureka.ask('PUT', '/eureka/apps/SHOP/h1:shop')).status, 404);
    await post('SHOP');
    assert.equal((await shown()).length, 1);
  });

  it('says no delta of a state whose past it does not know', async () => {
    const { post, archive, restore, eureka } = await start();
    await post('SHOP');
    await restore(await archive());
    assert.equal((await eureka.ask('GET', '/eureka/apps/delta')).status, 403);
  });
});
