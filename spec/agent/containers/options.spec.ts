import assert from 'node:assert/strict';
import { dockerOptions } from '../../../agent/containers/options.ts';
import { DockerConnection } from '../../../agent/containers/runtimes/docker-connection.ts';
import { loadConfig } from '../../../lib/config/load.ts';
import { fakeConfigHost } from '../../support/fakes/fake-config-host.ts';
import { DOCKER_CONFIG, optionsOf } from '../../support/servers/containers.ts';

const around = { hostname: 'n1', address: '10.0.0.1' };

describe('dockerOptions', () => {
  it('fills in the machine’s name, the agent’s address and the usual socket', () => {
    const { hostname, address, forceAddress, endpoint } = dockerOptions(DOCKER_CONFIG, around);
    assert.deepEqual([hostname, address, forceAddress], ['n1', '10.0.0.1', false]);
    assert.equal(endpoint, 'unix:///var/run/docker.sock');
  });

  it('takes DOCKER_HOST where no endpoint is given', () => {
    const dockerHost = 'tcp://10.1.1.1:2375';
    assert.equal(dockerOptions(DOCKER_CONFIG, { ...around, dockerHost }).endpoint, dockerHost);
    const config = { ...DOCKER_CONFIG, endpoint: 'unix:///x' };
    assert.equal(dockerOptions(config, { ...around, dockerHost }).endpoint, 'unix:///x');
  });

  it('splits tags at commas, as registrator does', () => {
    const config = { ...DOCKER_CONFIG, tags: ['a,b', 'c\\,d'] };
    assert.deepEqual(dockerOptions(config, around).tags, ['a', 'b', 'c,d']);
  });
});

describe('docker { endpoint, tls }', () => {
  const target = (config: Parameters<typeof optionsOf>[0]) =>
    new DockerConnection(optionsOf(config)).target;

  it('is a socket, or an address', () => {
    assert.equal(target({ endpoint: 'unix:///run/d.sock' })['socketPath'], '/run/d.sock');
    const { protocol, host, port } = target({ endpoint: 'tcp://10.1.1.1' });
    assert.deepEqual([protocol, host, port], ['http:', '10.1.1.1', 2375]);
    assert.equal(target({ endpoint: 'https://docker.local' })['port'], 2376);
  });

  it('is no address of SSH, and says what to do instead', () => {
    const message =
      'docker.endpoint: "ssh://x" is reached over SSH, which is not built: forward its socket, and name that';
    assert.throws(() => target({ endpoint: 'ssh://x' }), { code: 'invalid', message });
  });

  for (const endpoint of ['/var/run/docker.sock', 'x']) {
    it(`is not ${endpoint}`, () => {
      const message = `docker.endpoint: ${JSON.stringify(endpoint)} must begin with unix://, tcp://, http:// or https://`;
      assert.throws(() => target({ endpoint }), { code: 'invalid', message });
    });
  }

  it('needs its files', () => {
    const tls = { caFile: '/nowhere/ca.pem', certFile: '', keyFile: '' };
    const message = 'docker.tls: cannot read /nowhere/ca.pem';
    assert.throws(() => target({ endpoint: 'tcp://10.1.1.1', tls }), { code: 'invalid', message });
  });
});

describe('the docker block', () => {
  const load = (docker: object) =>
    loadConfig({
      argv: ['-dev', '-docker', '-config-file=/etc/d.json'],
      host: fakeConfigHost({ files: { '/etc/d.json': JSON.stringify({ docker }) } }),
    }).config.docker;

  it('says what the watcher does', () => {
    const docker = load({
      opt_in: true,
      hostname: 'h',
      deregister: 'on-success',
      deregister_delay: '0s',
      tls: { ca_file: '/ca' },
    });
    assert.deepEqual([docker.enabled, docker.optIn, docker.hostname], [true, true, 'h']);
    assert.deepEqual([docker.deregister, docker.deregisterDelayMs], ['on-success', 0]);
    assert.deepEqual(docker.tls, { caFile: '/ca', certFile: '', keyFile: '' });
  });

  it('compares now and then even where registrator would not', () => {
    assert.equal(load({}).resyncMs, 60_000);
    assert.equal(load({ resync: '0s' }).resyncMs, 60_000);
  });

  it('takes registrator’s ttl, which changes nothing', () => {
    const options = (docker: object) => dockerOptions(load(docker), around);
    assert.deepEqual(options({ ttl: '60s', ttl_refresh: '30s' }), options({}));
  });

  it('refuses what it does not know', () => {
    assert.throws(() => load({ deregister: 'sometimes' }), { code: 'invalid' });
    assert.throws(() => load({ resync: 'soon' }), { code: 'invalid' });
  });
});
