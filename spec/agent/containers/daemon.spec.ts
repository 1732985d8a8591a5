/** The watcher and the exec probe against a real Docker daemon. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect } from 'node:net';
import { createServer, type Server } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { execProbe } from '../../../agent/containers/exec-probe.ts';
import { Docker } from '../../../agent/containers/runtimes/docker.ts';
import { ContainerWatcher } from '../../../agent/containers/watcher.ts';
import { systemClock } from '../../../lib/clock.ts';
import type { DockerConfig } from '../../../lib/config/config.ts';
import { systemRandom } from '../../../lib/random.ts';
import { MemoryRegistrations } from '../../support/fakes/memory-registrations.ts';
import { optionsOf } from '../../support/servers/containers.ts';
import { describeWithDocker, type PrivateDocker } from '../../support/servers/docker.ts';
import { until } from '../../support/until.ts';

let running: ContainerWatcher[] = [];

afterEach(async () => {
  for (const watcher of running) await watcher.stop();
  running = [];
});

function watch(
  daemon: Pick<PrivateDocker, 'host'>,
  config: Partial<DockerConfig> = {},
  registrations = new MemoryRegistrations(),
) {
  const options = optionsOf({ endpoint: daemon.host, ...config });
  const watcher = new ContainerWatcher({
    runtime: new Docker(options),
    registrations,
    options,
    clock: systemClock,
    random: systemRandom,
    log: () => undefined,
  });
  running.push(watcher);
  watcher.start();
  const untilIds = async (...ids: string[]) => {
    const wanted = JSON.stringify(ids);
    await until(
      () => JSON.stringify(registrations.ids) === wanted,
      () => `${JSON.stringify(registrations.ids)} instead of ${wanted}`,
    );
  };
  const untilCheck = async (id: string, status: string | undefined) => {
    await until(
      () => registrations.check(id)?.Status === status,
      () => registrations.check(id)?.Status,
    );
  };
  return { registrations, watcher, untilIds, untilCheck };
}

describeWithDocker('the watcher at a Docker daemon', (docker) => {
  it('registers published ports, and removes them when the container stops', async () => {
    const { registrations, untilIds } = watch(docker());
    await docker().run('web', {
      ports: { '80/tcp': '18080', '53/udp': '10053' },
      env: ['SERVICE_80_NAME=www', 'SERVICE_REGION=us2'],
    });
    await untilIds('host:web:53:udp', 'host:web:80');
    const web = registrations.get('host:web:80');
    assert.deepEqual([web?.Name, web?.Address, web?.Port], ['www', '192.168.1.102', 18080]);
    assert.equal(web?.Meta['region'], 'us2');
    assert.equal(registrations.get('host:web:53:udp')?.Name, 'tiny-53');
    await docker().client.getContainer('web').stop();
    await untilIds();
  });

  it('registers the port that Docker chose, and where it was bound', async () => {
    const { registrations, untilIds } = watch(docker());
    await docker().run('web', { ports: { '80/tcp': '127.0.0.1:' } });
    await untilIds('host:web:80');
    const web = registrations.get('host:web:80');
    assert.equal(web?.Address, '127.0.0.1');
    assert.ok((web?.Port ?? 0) > 1024);
  });

  it('registers internal addresses, host networks and another container’s network', async () => {
    const { registrations, untilIds } = watch(docker(), { internal: true });
    const id = await docker().run('pod', { expose: ['80/tcp'] });
    await docker().run('member', { image: 'exposes-81', network: `container:${id}` });
    await docker().run('host', { expose: ['82/tcp'], network: 'host' });
    await untilIds('host:host:82', 'host:member:81', 'host:pod:80');
    const pod = registrations.get('host:pod:80');
    const member = registrations.get('host:member:81');
    assert.match(pod?.Address ?? '', /^172\./);
    assert.deepEqual([member?.Address, member?.Port], [pod?.Address, 81]);
    assert.equal(registrations.get('host:host:82')?.Address, '192.168.1.102');
  });

  it('follows a network that is connected', async () => {
    const { registrations, untilIds } = watch(docker(), { internal: true });
    const network = await docker().client.createNetwork({ Name: 'a-net' });
    await docker().run('web', { expose: ['80/tcp'], labels: { 'proconsul.network': 'a-net' } });
    await untilIds('host:web:80');
    const before = registrations.get('host:web:80')?.Address;
    await network.connect({ Container: 'web' });
    await until(() => registrations.get('host:web:80')?.Address !== before);
    await docker().clear();
    await network.remove();
  });
});

describeWithDocker('the watcher at a Docker daemon, as containers change', (docker) => {
  it('makes a HEALTHCHECK and a pause into a check', async () => {
    const { untilIds, untilCheck } = watch(docker());
    const health = ['sh', '-c', 'test ! -e /bad'];
    await docker().run('web', { ports: { '80/tcp': '' }, health });
    await untilIds('host:web:80');
    await untilCheck('docker:host:web:80', 'passing');
    await docker().client.getContainer('web').pause();
    await untilCheck('docker:host:web:80', 'critical');
    await docker().client.getContainer('web').unpause();
    await untilCheck('docker:host:web:80', 'passing');
  });

  it('moves nothing when a container is restarted, and keeps one that keeps restarting', async () => {
    const { registrations, untilIds } = watch(docker(), { deregisterDelayMs: 10_000 });
    await docker().run('web', { ports: { '80/tcp': '18080' } });
    await untilIds('host:web:80');
    await docker().client.getContainer('web').restart();
    await docker().run('next', { ports: { '80/tcp': '' } });
    await untilIds('host:next:80', 'host:web:80');
    assert.deepEqual(registrations.done, ['register host:web:80', 'register host:next:80']);

    const other = watch(docker(), { deregisterDelayMs: 100 });
    const cmd = ['sh', '-c', 'sleep 0.2; exit 1'];
    await docker().run('bad', { ports: { '80/tcp': '' }, restart: 'always', cmd });
    await other.untilCheck('docker:host:bad:80', 'critical');
    assert.ok(!other.registrations.done.includes('deregister host:bad:80'));
  });

  it('follows a rename, --rm and a container recreated under its name', async () => {
    const { registrations, untilIds } = watch(docker());
    await docker().run('aa', { ports: { '80/tcp': '' }, remove: true });
    await untilIds('host:aa:80');
    await docker().client.getContainer('aa').rename({ name: 'bb' });
    await untilIds('host:bb:80');
    await docker().client.getContainer('bb').kill();
    await untilIds();
    const id = await docker().run('aa', { ports: { '80/tcp': '' } });
    await until(() => registrations.get('host:aa:80')?.Meta['container-id'] === id);
  });

  it('makes up for what happened while it was not there', async () => {
    const registrations = new MemoryRegistrations();
    const first = watch(docker(), {}, registrations);
    await docker().run('old', { ports: { '80/tcp': '' } });
    await first.untilIds('host:old:80');
    await first.watcher.stop();
    await docker().client.getContainer('old').remove({ force: true });
    await docker().run('new', { ports: { '80/tcp': '' } });
    await watch(docker(), {}, registrations).untilIds('host:new:80');
  });
});

describeWithDocker('the watcher at a Docker daemon that is restarted', (docker) => {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    it(`is true again after the daemon was ended by ${signal} and started`, async () => {
      const { untilIds } = watch(docker());
      await docker().run('stays', { ports: { '80/tcp': '' }, restart: 'always' });
      await docker().run('goes', { ports: { '80/tcp': '' } });
      await untilIds('host:goes:80', 'host:stays:80');
      await docker().stopDaemon(signal);
      await docker().startDaemon();
      assert.deepEqual(await docker().ps(), ['stays']);
      await untilIds('host:stays:80');
    });
  }
});

describeWithDocker('a Docker daemon behind TLS', (docker) => {
  const file = (name: string) =>
    fileURLToPath(new URL(`../../support/servers/docker-tls/${name}`, import.meta.url));
  let proxy: Server;
  let endpoint = '';

  before(async () => {
    const socketPath = docker().host.slice('unix://'.length);
    const own = {
      cert: readFileSync(file('server.pem')),
      key: readFileSync(file('server-key.pem')),
    };
    const options = { ...own, ca: readFileSync(file('ca.pem')), requestCert: true };
    proxy = createServer(options, (client) => {
      const daemon = connect(socketPath);
      client.on('error', () => daemon.destroy()).pipe(daemon);
      daemon.on('error', () => client.destroy()).pipe(client);
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    endpoint = `tcp://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  });

  after(() => {
    proxy.close();
  });

  it('is watched by who shows a certificate of its authority', async () => {
    const tls = {
      caFile: file('ca.pem'),
      certFile: file('client.pem'),
      keyFile: file('client-key.pem'),
    };
    const { untilIds } = watch({ host: endpoint }, { tls });
    await docker().run('web', { ports: { '80/tcp': '' } });
    await untilIds('host:web:80');
  });

  it('answers nobody else', async () => {
    const tls = { caFile: file('ca.pem'), certFile: '', keyFile: '' };
    await assert.rejects(
      new Docker(optionsOf({ endpoint, tls })).list(new AbortController().signal),
    );
  });
});

describeWithDocker('execProbe at a Docker daemon', (docker) => {
  const never = new AbortController().signal;
  const probe = (containerId: string, args: readonly string[], max?: number) =>
    execProbe(new Docker(optionsOf({ endpoint: docker().host })), { containerId, args }, max);

  for (const [exitCode, status] of [
    [0, 'passing'],
    [1, 'warning'],
    [2, 'critical'],
  ] as const) {
    it(`is ${status} when the command ends with ${exitCode}`, async () => {
      await docker().run('web');
      const look = probe('web', ['sh', '-c', `echo out; echo err >&2; exit ${exitCode}`]);
      const result = await look(never);
      assert.equal(result.status, status);
      assert.deepEqual(result.output.split('\n').sort(), ['', 'err', 'out']);
    });
  }

  it('keeps the end of the output, and says how much that is', async () => {
    await docker().run('web');
    const look = probe(
      'web',
      ['sh', '-c', 'for i in 1 2 3 4 5 6 7 8 9; do echo 1234567; done'],
      20,
    );
    assert.equal(
      (await look(never)).output,
      'Captured 20 of 72 bytes\n...\n567\n1234567\n1234567\n',
    );
  });

  it('rejects when the container is not there', async () => {
    await assert.rejects(probe('none', ['true'])(never), /no such container/i);
  });

  it('settles when it is told to, though the command goes on', async () => {
    await docker().run('web');
    const abort = new AbortController();
    const result = probe('web', ['sh', '-c', 'sleep 60'])(abort.signal);
    const { client } = docker();
    await until(async () => {
      const { Processes } = (await client.getContainer('web').top()) as { Processes: string[][] };
      return Processes.some((line) => line.at(-1) === 'sleep 60');
    });
    abort.abort();
    await assert.rejects(result);
  });

  for (const id of ['x; id', '../json', '', '$(id)', 'a/b', '-x']) {
    it(`refuses the container id ${JSON.stringify(id)} without asking anyone`, async () => {
      await assert.rejects(probe(id, ['true'])(never), { code: 'invalid' });
    });
  }
});
