import assert from 'node:assert/strict';
import { checkOf } from '../../../agent/containers/check-attributes.ts';

const target = { address: '10.0.0.1', port: 8080, containerId: 'abc' };

function read(attributes: Readonly<Record<string, string>>, address = target.address) {
  return checkOf(new Map(Object.entries(attributes)), { ...target, address });
}

const INTERVAL = { Interval: '10s' };

const KINDS = [
  ['HTTP asks the path of the service', { check_http: '/ok' }, { HTTP: 'http://10.0.0.1:8080/ok' }],
  ['HTTP adds a slash that is missing', { check_http: 'ok' }, { HTTP: 'http://10.0.0.1:8080/ok' }],
  [
    'HTTP_METHOD is its method',
    { check_http: '/', check_http_method: 'HEAD' },
    { HTTP: 'http://10.0.0.1:8080/', Method: 'HEAD' },
  ],
  [
    'HTTPS asks by TLS, with its own method and trust',
    { check_https: '/', check_https_method: 'HEAD', check_tls_skip_verify: 'true' },
    { HTTP: 'https://10.0.0.1:8080/', Method: 'HEAD', TLSSkipVerify: true },
  ],
  ['TCP connects', { check_tcp: 'true' }, { TCP: '10.0.0.1:8080' }],
  ['GRPC asks the service', { check_grpc: 'true' }, { GRPC: '10.0.0.1:8080' }],
  [
    'GRPC_USE_TLS does so by TLS',
    { check_grpc: 'true', check_grpc_use_tls: 'true', check_tls_skip_verify: 'true' },
    { GRPC: '10.0.0.1:8080', GRPCUseTLS: true, TLSSkipVerify: true },
  ],
  [
    'SCRIPT knows the address and the port',
    { check_script: 'nc $SERVICE_IP $SERVICE_PORT | grep OK' },
    { Args: ['sh', '-c', 'nc 10.0.0.1 8080 | grep OK'] },
  ],
  [
    'DOCKER runs in the container',
    { check_docker: 'true' },
    { Args: ['sh', '-c', 'true'], DockerContainerID: 'abc' },
  ],
  [
    'CMD runs in the container',
    { check_cmd: '/check' },
    { Args: ['sh', '-c', '/check'], DockerContainerID: 'abc' },
  ],
] as const;

describe('SERVICE_CHECK_*', () => {
  for (const [title, attributes, check] of KINDS) {
    it(title, () => {
      assert.deepEqual(read(attributes), { check: { ...check, ...INTERVAL }, problems: [] });
    });
  }

  it('TTL waits to be told', () => {
    assert.deepEqual(read({ check_ttl: '30s' }).check, { TTL: '30s' });
  });

  it('none are no check', () => {
    assert.deepEqual(read({ check_interval: '5s' }), { check: undefined, problems: [] });
  });

  it('INTERVAL, TIMEOUT, INITIAL_STATUS and DEREGISTER_AFTER hold for each', () => {
    const { check } = read({
      check_tcp: 'true',
      check_interval: '15s',
      check_timeout: '1s',
      check_initial_status: 'passing',
      check_deregister_after: '10m',
    });
    assert.deepEqual(check, {
      TCP: '10.0.0.1:8080',
      Interval: '15s',
      Timeout: '1s',
      Status: 'passing',
      DeregisterCriticalServiceAfter: '10m',
    });
  });

  it('of several kinds are the first in registrator’s order', () => {
    const all = {
      check_grpc: '1',
      check_tcp: '1',
      check_ttl: '5s',
      check_https: '/',
      check_http: '/a',
    };
    assert.equal(read(all).check?.HTTP, 'http://10.0.0.1:8080/a');
    assert.equal(read({ check_tcp: '1', check_ttl: '5s' }).check?.TTL, '5s');
  });

  it('that mean nothing are said, and the rest holds', () => {
    const { check, problems } = read({
      check_tcp: '1',
      check_interval: 'soon',
      check_timeout: '-1s',
      check_initial_status: 'fine',
    });
    assert.deepEqual(check, { TCP: '10.0.0.1:8080', Interval: '10s' });
    assert.deepEqual(problems, [
      'check_interval cannot be "soon"',
      'check_timeout cannot be "-1s"',
      'check_initial_status cannot be "fine"',
    ]);
    assert.deepEqual(read({ check_ttl: 'x' }), {
      check: undefined,
      problems: ['check_ttl cannot be "x"'],
    });
  });

  it('put an IPv6 address into brackets', () => {
    assert.equal(read({ check_http: '/' }, 'fd00::1').check?.HTTP, 'http://[fd00::1]:8080/');
  });
});
