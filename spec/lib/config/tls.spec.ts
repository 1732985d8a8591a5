import assert from 'node:assert/strict';
import { loadConfig } from '../../../lib/config/load.ts';
import { fakeConfigHost } from '../../support/fakes/fake-config-host.ts';

const BASE = { data_dir: '/data', bind_addr: '127.0.0.1' };
const PAIR = { cert_file: '/c.pem', key_file: '/k.pem' };
const ALL = { ...PAIR, ca_file: '/ca.pem' };

function load(keys: object) {
  const files = { '/c.json': JSON.stringify({ ...BASE, ...keys }) };
  return loadConfig({ argv: ['-config-file=/c.json'], host: fakeConfigHost({ files }) });
}

const tlsOf = (keys: object) => load(keys).config.tls;

describe('what is said of TLS', () => {
  it('is nothing, and means TLS 1.2 and nobody to be verified', () => {
    const { https, internalRpc } = tlsOf({});
    assert.equal(https.certFile, '');
    assert.equal(https.minVersion, 'TLSv1.2');
    assert.deepEqual([https.verifyIncoming, internalRpc.verifyOutgoing], [false, false]);
  });

  it('holds for all listeners, by the older keys and by tls.defaults', () => {
    for (const keys of [
      { ...ALL, verify_incoming: true, verify_outgoing: true },
      { tls: { defaults: { ...ALL, verify_incoming: true, verify_outgoing: true } } },
    ]) {
      const { https, internalRpc } = tlsOf(keys);
      for (const side of [https, internalRpc]) {
        const { caFile, certFile, keyFile, verifyIncoming } = side;
        const expected = ['/ca.pem', '/c.pem', '/k.pem', true];
        assert.deepEqual([caFile, certFile, keyFile, verifyIncoming], expected);
      }
      assert.equal(internalRpc.verifyOutgoing, true);
      assert.equal(internalRpc.verifyServerHostname, false);
    }
  });

  it('may be said of one listener, which goes before', () => {
    const { https, internalRpc } = tlsOf({
      ...ALL,
      tls: {
        defaults: { cert_file: '/d.pem', verify_incoming: true, tls_min_version: 'TLSv1_1' },
        https: { verify_incoming: false, ca_path: '/cas', tls_min_version: 'TLSv1_3' },
      },
    });
    assert.deepEqual([https.certFile, https.keyFile], ['/d.pem', '/k.pem']);
    assert.deepEqual([https.caFile, https.caPath, https.verifyIncoming], ['', '/cas', false]);
    assert.deepEqual([internalRpc.caFile, internalRpc.verifyIncoming], ['/ca.pem', true]);
    assert.deepEqual([https.minVersion, internalRpc.minVersion], ['TLSv1.3', 'TLSv1.1']);
  });

  it('may verify clients and agents apart, by the older keys too', () => {
    const first = tlsOf({ ...ALL, verify_incoming_https: true });
    assert.deepEqual([first.https.verifyIncoming, first.internalRpc.verifyIncoming], [true, false]);
    const second = tlsOf({ ...ALL, verify_incoming_rpc: true });
    assert.deepEqual(
      [second.https.verifyIncoming, second.internalRpc.verifyIncoming],
      [false, true],
    );
    // As in Consul, the one that holds for both is not taken back by one of the others.
    const both = tlsOf({ ...ALL, verify_incoming: true, verify_incoming_https: false });
    assert.equal(both.https.verifyIncoming, true);
  });

  it('demands TLS where the name of a server is to be verified', () => {
    for (const keys of [
      { ...ALL, verify_server_hostname: true },
      { ...ALL, tls: { internal_rpc: { verify_server_hostname: true } } },
      { ...ALL, tls: { defaults: { verify_server_hostname: true } } },
    ]) {
      const { verifyOutgoing, verifyServerHostname } = tlsOf(keys).internalRpc;
      assert.deepEqual([verifyOutgoing, verifyServerHostname], [true, true]);
    }
  });

  for (const [keys, why] of [
    [{ verify_outgoing: true }, 'VerifyOutgoing set, and no CA certificate provided!'],
    [{ verify_server_hostname: true }, 'VerifyOutgoing set, and no CA certificate provided!'],
    [{ verify_incoming: true }, 'VerifyIncoming set but no CA certificates were provided'],
    [{ verify_incoming_https: true, ...PAIR }, 'VerifyIncoming set but no CA certificates'],
    [{ verify_incoming_rpc: true, ca_file: '/ca.pem' }, 'VerifyIncoming requires either a Cert'],
    [{ tls: { https: { verify_incoming: true, ca_path: '/x' } } }, 'VerifyIncoming requires'],
    [{ cert_file: '/c.pem' }, 'cert_file and key_file go together'],
    [{ tls: { https: { key_file: '/k.pem' } } }, 'cert_file and key_file go together'],
    [{ tls_min_version: 'ssl3' }, 'tls_min_version cannot be "ssl3"'],
    [{ tls: { https: { tls_min_version: 'tls12' } } }, 'tls.https.tls_min_version cannot be'],
    [{ tls_cipher_suites: 'TLS_RSA_WITH_RC4_128_SHA' }, 'unsupported cipher "TLS_RSA_WITH_RC4'],
    [{ tls: { https: { tls_cipher_suites: 'x' } } }, 'unsupported cipher "x"'],
  ] as const) {
    it(`is refused where it cannot be kept: ${JSON.stringify(keys)}`, () => {
      assert.throws(
        () => load(keys),
        ({ message }: Error) => message.includes(why),
      );
    });
  }

  it('names the suites that OpenSSL has under other names', () => {
    const tls_cipher_suites =
      'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384';
    assert.deepEqual(tlsOf({ tls_cipher_suites }).https.suites, [
      'ECDHE-RSA-AES128-GCM-SHA256',
      'ECDHE-ECDSA-AES256-GCM-SHA384',
    ]);
  });

  it('listens for HTTPS at addresses of its own, or where clients are answered', () => {
    const ports = { https: 8501 };
    assert.deepEqual(load({ ports }).config.listen.https, [{ host: '127.0.0.1', port: 8501 }]);
    const addresses = { https: '10.0.0.1' };
    const { listen } = load({ ports, addresses }).config;
    assert.deepEqual(listen.https, [{ host: '10.0.0.1', port: 8501 }]);
    assert.deepEqual(load({}).config.listen.https, []);
    assert.throws(() => load({ ports, addresses: { https: 'unix:///x' } }), /unix socket/);
    assert.throws(
      () => load({ ports: { http: 8501, https: 8501 } }),
      /already configured for HTTP/,
    );
  });

  it('names keys that do nothing here', () => {
    const { warnings } = load({
      enable_agent_tls_for_checks: true,
      tls: { grpc: { use_auto_cert: true } },
    });
    assert.match(warnings.join(), /enable_agent_tls_for_checks/);
    assert.match(warnings.join(), /tls\.grpc\.use_auto_cert/);
  });
});
