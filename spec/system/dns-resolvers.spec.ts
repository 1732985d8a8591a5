import { throughResolvers } from '../support/experiments/resolver-rounds.ts';

describe('unbound, dnsmasq, haproxy and an agent without a server', () => {
  it('find by DNS what is registered, as it comes and goes', async () => {
    await throughResolvers(() => undefined);
  }).timeout(240_000);
});
