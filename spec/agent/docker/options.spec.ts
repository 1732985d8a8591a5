import assert from 'node:assert/strict';
import { dockerClient } from '../../../agent/docker/docker-api.ts';
import { parseDockerOptions } from '../../../agent/docker/options.ts';

const around = { hostname: 'n1', address: '10.0.0.1' };

describe('the docker block', () => {
  it('may be empty', () => {
    for (const block of [undefined, {}, [{}]]) {
      assert.deepEqual(parseDockerOptions(block, around), {
        host: 'unix:///var/run/docker.sock',
        caFile: '',
        certFile: '',
        keyFile: '',
        hostname: 'n1',
        address: '10.0.0.1',
        forceAddress: false,
        internal: false,
        explicit: false,
        optIn: false,
        useIpFromLabel: '',
        tags: [],
        deregister: 'always',
        cleanup: false,
        resyncMs: 60_000,
        deregisterDelayMs: 1000,
      });
    }
  });

  it('says times in seconds, as registrator, or as durations', () => {
    const { resyncMs } = parseDockerOptions({ resync: 30 }, around);
    const { deregisterDelayMs } = parseDockerOptions({ deregister_delay: '0s' }, around);
    assert.deepEqual([resyncMs, deregisterDelayMs], [30_000, 0]);
  });

  it('compares now and then even where registrator would not', () => {
    assert.equal(parseDockerOptions({ resync: 0 }, around).resyncMs, 60_000);
  });

  for (const [block, message] of [
    [{ intern: true }, 'docker: unknown option "intern"'],
    [{ internal: 'yes' }, 'docker: internal must be true or false'],
    [{ ip: 1 }, 'docker: ip must be a string'],
    [{ tags: [1] }, 'docker: tags must be a string or a list of strings'],
    [{ deregister: 'sometimes' }, 'docker: deregister must be "always", "on-success" or "never"'],
    [{ resync: 'soon' }, 'docker: resync must be a duration, such as "30s"'],
    [{ resync: -1 }, 'docker: resync must be a duration, such as "30s"'],
    ['on', 'docker: must be a block'],
  ] as const) {
    it(`refuses ${JSON.stringify(block)}`, () => {
      assert.throws(() => parseDockerOptions(block, around), { code: 'invalid', message });
    });
  }
});

describe('docker { host }', () => {
  const connect = (block: object) => dockerClient(parseDockerOptions(block, around)).modem;

  it('is a socket, or an address', () => {
    const modem = (host: string) => connect({ host }) as unknown as Record<string, unknown>;
    assert.equal(modem('unix:///run/d.sock')['socketPath'], '/run/d.sock');
    const { protocol, host, port } = modem('tcp://10.1.1.1');
    assert.deepEqual([protocol, host, port], ['http', '10.1.1.1', 2375]);
    assert.equal(modem('https://docker.local')['port'], 2376);
  });

  for (const host of ['/var/run/docker.sock', 'ssh://x', 'x']) {
    it(`is not ${host}`, () => {
      const text = `docker: host ${JSON.stringify(host)}`;
      const message = `${text} must begin with unix://, tcp://, http:// or https://`;
      assert.throws(() => connect({ host }), { code: 'invalid', message });
    });
  }

  it('needs its files', () => {
    const block = { host: 'tcp://10.1.1.1', ca_file: '/nowhere/ca.pem' };
    assert.throws(() => connect(block), { message: 'docker: cannot read /nowhere/ca.pem' });
  });
});
