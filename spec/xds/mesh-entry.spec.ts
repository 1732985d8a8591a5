/** What the config entry `mesh` says of all Envoys, and what of it they are not told. */
import assert from 'node:assert/strict';
import type { Any, TestXds } from '../support/servers/xds-clients.ts';
import { chainTo, filtersOf, registered, startMesh, told } from '../support/servers/xds-mesh.ts';
import { until } from '../support/until.ts';

const SUITE = 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256';
const upstream = { DestinationName: 'api', LocalBindPort: 9000 };
const params = ({ transport_socket }: Any) =>
  transport_socket.typed_config.common_tls_context.tls_params;
const versions = (socket: Any) => {
  const { tls_minimum_protocol_version: least, tls_maximum_protocol_version: most } =
    params(socket) ?? {};
  return [least, most];
};
const AUTO = 'TLS_AUTO';

async function startSidecar(config: object = {}) {
  const { xds, stream } = await startMesh(registered(config, [upstream]));
  xds.agent.say('/v1/discovery-chain/api', chainTo('api', 'tcp'));
  const says = (entry: object) => xds.agent.say('/v1/config/mesh/mesh', entry);
  return { xds, stream, says };
}

const apiIn = (clusters: readonly Any[]) =>
  clusters.find(({ name }) => name.startsWith('api.')) as Any;
const named = ({ logger }: TestXds, what: string) =>
  logger.lines.filter((line) => line.includes(what)).length;

describe('what the mesh says of all Envoys', function () {
  // The machine may be busy.
  this.timeout(60_000);

  it('is how TLS is spoken, by those who are called and by those who call', async () => {
    const { stream, says } = await startSidecar();
    const [listener] = await told(stream, 'listeners');
    assert.equal(params(listener.filter_chains[0]), null);
    assert.equal(params(apiIn(await told(stream, 'clusters'))), null);
    says({
      TLS: {
        Incoming: { TLSMinVersion: 'TLSv1_2', CipherSuites: [SUITE] },
        Outgoing: { TLSMaxVersion: 'TLSv1_3' },
      },
    });
    const [now] = await told(stream, 'listeners', [], ([each]) => params(each.filter_chains[0]));
    assert.deepEqual(versions(now.filter_chains[0]), ['TLSv1_2', AUTO]);
    const { cipher_suites } = params(now.filter_chains[0]);
    assert.deepEqual(cipher_suites, ['ECDHE-RSA-AES128-GCM-SHA256']);
    const clusters = await told(stream, 'clusters', [], (all) => params(apiIn(all)));
    assert.deepEqual(versions(apiIn(clusters)), [AUTO, 'TLSv1_3']);
  });

  it('has those who call speak the newest, where nothing else is taken', async () => {
    const { stream, says } = await startSidecar();
    says({ TLS: { Incoming: { TLSMinVersion: 'TLSv1_3' } } });
    const clusters = await told(stream, 'clusters', [], (all) => params(apiIn(all)));
    assert.deepEqual(versions(apiIn(clusters)), [AUTO, 'TLSv1_3']);
  });

  it('is named in the log where it is no version, or no Envoy is told of it', async () => {
    const { xds, stream, says } = await startSidecar();
    says({
      TLS: { Incoming: { TLSMinVersion: 'tls13' } },
      TransparentProxy: { MeshDestinationsOnly: true },
      Peering: { PeerThroughMeshGateways: false },
    });
    const what = 'the version of TLS "tls13" of TLS.Incoming of the mesh is left out';
    await told(stream, 'listeners');
    await until(() => named(xds, what) === 1);
    await until(() => named(xds, 'TransparentProxy.MeshDestinationsOnly of the mesh') === 1);
    assert.equal(named(xds, 'PeerThroughMeshGateways'), 0);
  });

  it('keeps from programs who calls them, where it says so', async () => {
    const { stream, says } = await startSidecar({ protocol: 'http' });
    const details = async (isIt: (said: string) => boolean) => {
      const [listener] = await told(stream, 'listeners', [], ([each]) =>
        isIt(filtersOf(each)[0].forward_client_cert_details),
      );
      return filtersOf(listener)[0];
    };
    const before = await details((said) => said === 'SANITIZE_SET');
    assert.equal(before.set_current_client_cert_details.uri, true);
    says({ HTTP: { SanitizeXForwardedClientCert: true } });
    assert.equal(
      (await details((said) => said === 'SANITIZE')).set_current_client_cert_details,
      null,
    );
  });
});
