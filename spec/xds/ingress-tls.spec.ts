/** An ingress whose entry names certificates answers nobody in the clear, whatever it cannot use of them. */
import assert from 'node:assert/strict';
import type { Any, TestXds } from '../support/servers/xds-clients.ts';
import { chainTo, leafOf, startMesh, told } from '../support/servers/xds-mesh.ts';
import { until } from '../support/until.ts';

interface ServiceSaid {
  readonly Name: string;
  readonly Hosts?: readonly string[];
  readonly TLS?: object;
}

interface At {
  readonly Protocol?: string;
  readonly TLS?: object;
}

/** Its port 8080, and one more that is open to anybody. */
async function startIngress(services: readonly ServiceSaid[], at: At = {}, entry: object = {}) {
  const started = await startMesh({
    ...{ Kind: 'ingress-gateway', Service: 'edge', Address: '10.0.0.7', Port: 8443 },
    ...{ Proxy: {}, ContentHash: 'a' },
  });
  const { agent } = started.xds;
  const { Protocol = 'http' } = at;
  agent.say('/v1/agent/connect/ca/leaf/edge', leafOf('edge'));
  for (const { Name } of services) {
    agent.say(`/v1/discovery-chain/${Name}`, chainTo(Name, Protocol));
  }
  agent.say('/v1/discovery-chain/open', chainTo('open', 'tcp'));
  agent.say('/v1/catalog/gateway-services/edge', [
    ...services.map(({ Name, Hosts }) => ({ Service: { Name }, Port: 8080, Protocol, Hosts })),
    { Service: { Name: 'open' }, Port: 9090, Protocol: 'tcp' },
  ]);
  agent.say('/v1/config/ingress-gateway/edge', {
    ...entry,
    Listeners: [
      { Port: 8080, Services: services, ...at, Protocol },
      { Port: 9090, Protocol: 'tcp', Services: [{ Name: 'open' }] },
    ],
  });
  return started;
}

const portsOf = (listeners: readonly Any[]): number[] =>
  listeners.map(({ address }) => address.socket_address.port_value);

const namesAt = ({ filter_chains }: Any) =>
  filter_chains.map((each: Any) => each.filter_chain_match?.server_names);

async function says({ logger }: TestXds, what: RegExp): Promise<void> {
  await until(
    () => logger.lines.some((line) => what.test(line)),
    () => logger.lines.join('\n'),
  );
}

const SDS = { ClusterName: 'sds', CertResource: 'own' };

describe('an ingress whose entry names a certificate', function () {
  // The machine may be busy.
  this.timeout(60_000);

  const unusable: readonly (readonly [string, ServiceSaid, At?])[] = [
    ['of a service without hosts', { Name: 'web', TLS: { SDS } }],
    ['of a service of tcp', { Name: 'web', TLS: { SDS } }, { Protocol: 'tcp' }],
    ['of a service by every host', { Name: 'web', Hosts: ['*'], TLS: { SDS } }],
    [
      'that nobody can be asked for',
      { Name: 'web', Hosts: ['a.example'], TLS: { SDS: { CertResource: 'own' } } },
    ],
    ['of no name', { Name: 'web' }, { TLS: { SDS: { ClusterName: 'sds' } } }],
  ];
  for (const [which, service, at] of unusable) {
    it(`${which} opens no port in the clear`, async () => {
      const { xds, stream } = await startIngress([service], at);
      assert.deepEqual(portsOf(await told(stream, 'listeners')), [9090]);
      await says(xds, /at 8080 is left out/);
    });
  }

  it('answers others by TLS alone, where one of several is of no use', async () => {
    const { xds, stream } = await startIngress([
      { Name: 'web', TLS: { SDS } },
      { Name: 'api', Hosts: ['api.example'], TLS: { SDS } },
      { Name: 'plain', Hosts: ['plain.example'] },
    ]);
    const [listener] = await told(stream, 'listeners');
    assert.deepEqual(namesAt(listener), [['api.example']]);
    await says(xds, /the certificate of "web" at 8080 is left out: it has no host/);
    await says(xds, /without a certificate of its own at 8080 is left out/);
  });

  it('shows one certificate by each name, however it is written', async () => {
    const { xds, stream } = await startIngress([
      { Name: 'web', Hosts: ['A.example.com'], TLS: { SDS } },
      { Name: 'api', Hosts: ['a.example.com', 'b.example.com', 'B.example.com'], TLS: { SDS } },
    ]);
    const [listener] = await told(stream, 'listeners');
    assert.deepEqual(namesAt(listener), [['a.example.com'], ['b.example.com']]);
    await says(xds, /certificate of "api" for "a.example.com" at 8080 is left out: another one/);
  });

  it('shows callers from outside one with names of DNS, and others of the mesh the one without', async () => {
    const { xds, stream } = await startIngress([{ Name: 'web', Hosts: ['web.example'] }], {
      TLS: { Enabled: true },
    });
    const shown = ({ transport_socket }: Any) =>
      transport_socket.typed_config.common_tls_context.tls_certificates[0].certificate_chain
        .inline_string;
    const outside = ([each]: readonly Any[]) => shown(each.filter_chains[0]);
    const before = await told(stream, 'listeners');
    assert.equal(outside(before), 'CERT of edge');
    const path = () =>
      xds.agent.asked.findLast((each) => each.path.includes('leaf/edge?ingress='))?.path ?? '';
    const first = path();
    xds.agent.say(first, leafOf('edge outside'));
    await told(stream, 'listeners', [], (all) => outside(all) === 'CERT of edge outside');
    const [cluster] = await told(stream, 'clusters');
    assert.equal(shown(cluster), 'CERT of edge');
    const Services = [{ Name: 'web', Hosts: ['other.example'] }];
    xds.agent.say('/v1/config/ingress-gateway/edge', {
      TLS: { Enabled: true },
      Listeners: [{ Port: 8080, Protocol: 'http', Services }],
    });
    await until(() => path() !== first);
  });

  it('opens no port of which the entry says nothing any more', async () => {
    const { xds, stream } = await startIngress([{ Name: 'web' }], { TLS: { Enabled: true } });
    assert.deepEqual(portsOf(await told(stream, 'listeners')), [8080, 9090]);
    xds.agent.say('/v1/config/ingress-gateway/edge', 404);
    assert.deepEqual(await told(stream, 'listeners', [], (all) => all.length !== 2), []);
  });
});
