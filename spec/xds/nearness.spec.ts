/** Instances in the zone of a proxy, where entries say that they come first. */
import assert from 'node:assert/strict';
import { decodeEntry, refuseUnwritable } from '../../lib/config-entries/kinds.ts';
import { instance } from '../support/fakes/fake-agent-answers.ts';
import { type Any, endpointsIn, type TestXds } from '../support/servers/xds-clients.ts';
import { chainTo, DOMAIN, registered, startMesh, told } from '../support/servers/xds-mesh.ts';
import { until } from '../support/until.ts';

const API = `api.default.dc1.internal.${DOMAIN}`;
const upstream = { DestinationName: 'api', LocalBindPort: 9000 };
const MODE = { PrioritizeByLocality: { Mode: 'failover' } };

async function startIn(zone: string) {
  const { xds, stream } = await startMesh({
    ...registered({}, [upstream]),
    Meta: zone === '' ? {} : { zone },
  });
  xds.agent.say('/v1/discovery-chain/api', chainTo('api', 'tcp'));
  const at = (port: number, where: string) => instance(`${port}`, { port, zone: where });
  xds.agent.sayInstances('api', [at(1, 'a'), at(2, 'b'), at(3, 'a')], 'health/connect');
  const isSo = async (wanted: readonly string[]) =>
    void (await told(
      stream,
      'endpoints',
      [API],
      (all) => all.flatMap(seen).join() === wanted.join(),
    ));
  return { xds, isSo };
}

/** Priority, zone and port of each. */
const seen = (assigned: Any) =>
  endpointsIn(assigned).map((each) => each.replace(/ 10\.0\.0\.1:(\d+).*/, ' $1'));
const says = ({ agent }: TestXds, entry: object) =>
  agent.say('/v1/config/service-resolver/api', entry);

describe('instances near a proxy', function () {
  // The machine may be busy.
  this.timeout(60_000);

  it('come before the others where the resolver says so, or all proxies are told', async () => {
    const { xds, isSo } = await startIn('a');
    await isSo(['0 a 1', '0 a 3', '0 b 2']);
    says(xds, MODE);
    await isSo(['0 a 1', '0 a 3', '1 b 2']);
    says(xds, {});
    await isSo(['0 a 1', '0 a 3', '0 b 2']);
    xds.agent.say('/v1/config/proxy-defaults/global', MODE);
    await isSo(['0 a 1', '0 a 3', '1 b 2']);
    says(xds, { PrioritizeByLocality: { Mode: 'none' } });
    await isSo(['0 a 1', '0 a 3', '0 b 2']);
  });

  it('are those in the zone of its node, where it says none itself', async () => {
    const { xds, isSo } = await startIn('');
    xds.agent.say('/v1/agent/self', { Meta: { zone: 'b' } });
    says(xds, MODE);
    await isSo(['0 b 2', '1 a 1', '1 a 3']);
  });

  it('are not known where it has no zone, and the log says so', async () => {
    const { xds, isSo } = await startIn('');
    xds.agent.say('/v1/agent/self', 403);
    says(xds, MODE);
    await isSo(['0 a 1', '0 a 3', '0 b 2']);
    const what = 'PrioritizeByLocality of "api" is left out';
    await until(() => xds.logger.lines.some((line) => line.includes(what)));
  });

  it('are told by no other rule, which is refused of whoever writes it', () => {
    const refused = (entry: object, message: RegExp) =>
      assert.throws(() => refuseUnwritable(decodeEntry(entry)), { message });
    const resolver = { Kind: 'service-resolver', Name: 'web' };
    const Mode = 'nearest';
    refused({ ...resolver, PrioritizeByLocality: { Mode } }, /must be one of none, failover/);
    const Failover = { '*': { Service: 'api', Policy: { Mode: 'order-by-locality' } } };
    refused({ ...resolver, Failover }, /^Failover\["\*"\]\.Policy\.Mode "order-by-locality" is a/);
    const defaults = { Kind: 'proxy-defaults', FailoverPolicy: { Mode: 'order-by-locality' } };
    refused(defaults, /^FailoverPolicy\.Mode "order-by-locality" is a consul enterprise/);
    refuseUnwritable(decodeEntry({ ...resolver, ...MODE }));
  });
});
