/** Who is let in where ports.grpc speaks TLS, and by whom clients let themselves be told. */
import assert from 'node:assert/strict';
import { type ChannelCredentials, credentials, status } from '@grpc/grpc-js';
import { TestAuthority } from '../support/certificates.ts';
import { freePorts } from '../support/servers/free-ports.ts';
import { startWholeAgent, type WholeAgent } from '../support/servers/whole-agent.ts';
import { EDS, XdsClient } from '../support/servers/xds-clients.ts';

/** What became of a client: whether it was told, or how its stream ended. */
async function becameOf(port: number, security: ChannelCredentials): Promise<status | 'told'> {
  // The certificate is for a name, and the client calls an address.
  const named = { 'grpc.ssl_target_name_override': 'localhost' };
  const stream = new XdsClient(port, security, named).stream(EDS, 'StreamEndpoints');
  stream.subscribe(['web']);
  return await Promise.race([stream.answer(0).then(() => 'told' as const), stream.ended()]);
}

const ssl = (...pems: readonly (string | undefined)[]) => {
  const [ca = null, key = null, cert = null] = pems.map((pem) => (pem ? Buffer.from(pem) : null));
  return credentials.createSsl(ca, key, cert);
};

describe('xDS by TLS', function () {
  // The machine may be busy.
  this.timeout(120_000);

  let agent: WholeAgent;
  let ours: TestAuthority;
  let others: TestAuthority;

  beforeEach(async () => {
    [ours, others] = await Promise.all([TestAuthority.create(), TestAuthority.create()]);
  });
  afterEach(() => agent.stop());

  /** An agent with a certificate for gRPC: its ports for that, and for TLS alone. */
  async function start(more = ''): Promise<readonly [grpc: number, grpcTls: number]> {
    const { certFile, keyFile } = await ours.files();
    const [grpc = 0, grpcTls = 0] = await freePorts(2);
    const pair = `cert_file = "${certFile}" key_file = "${keyFile}" ca_file = "${ours.caFile}"`;
    agent = await startWholeAgent([
      `-grpc-port=${grpc}`,
      ...['-hcl', `ports { grpc_tls = ${grpcTls} } tls { grpc { ${pair} ${more} } }`],
    ]);
    return [grpc, grpcTls];
  }

  it('is spoken with whoever trusts the authority of its certificate, and with nobody else', async () => {
    for (const port of await start()) {
      assert.equal(await becameOf(port, ssl(ours.pair.cert)), 'told');
      assert.equal(await becameOf(port, ssl(others.pair.cert)), status.UNAVAILABLE);
      assert.equal(await becameOf(port, credentials.createInsecure()), status.UNAVAILABLE);
    }
  });

  it('needs a certificate of its authority with verify_incoming', async () => {
    const [port] = await start('verify_incoming = true');
    const [own, foreign] = await Promise.all([ours.issue(), others.issue()]);
    const { cert: ca } = ours.pair;
    assert.equal(await becameOf(port, ssl(ca, own.key, own.cert)), 'told');
    assert.equal(await becameOf(port, ssl(ca, foreign.key, foreign.cert)), status.UNAVAILABLE);
    assert.equal(await becameOf(port, ssl(ca)), status.UNAVAILABLE);
  });

  it('is nothing that a port in the clear speaks', async () => {
    const [grpc = 0, grpcTls = 0] = await freePorts(2);
    agent = await startWholeAgent([
      `-grpc-port=${grpc}`,
      '-hcl',
      `ports { grpc_tls = ${grpcTls} }`,
    ]);
    assert.equal(await becameOf(grpc, credentials.createInsecure()), 'told');
    assert.equal(await becameOf(grpc, ssl(ours.pair.cert)), status.UNAVAILABLE);
    // Without a certificate nothing listens where TLS alone is spoken.
    assert.equal(await becameOf(grpcTls, credentials.createInsecure()), status.UNAVAILABLE);
  });
});
