/** A whole Proconsul beside a real Docker daemon: from a label to another container's lookup. */
import assert from 'node:assert/strict';
import { describeWithDocker, type PrivateDocker } from '../../support/servers/docker.ts';
import { ProconsulProcess } from '../../support/servers/proconsul-process.ts';
import { until } from '../../support/until.ts';

/** What a container prints that runs one command beside Proconsul. */
async function outputOf(docker: PrivateDocker, cmd: readonly string[]): Promise<string> {
  const id = await docker.run(`c${performance.now()}`.replace('.', '-'), { cmd, network: 'host' });
  const container = docker.client.getContainer(id);
  await container.wait();
  // Without a terminal, each piece of output has a head of 8 bytes before it.
  const log = await container.logs({ stdout: true, stderr: false });
  await container.remove();
  let text = '';
  for (let at = 0; at < log.length; at += 8 + log.readUInt32BE(at + 4)) {
    text += log.subarray(at + 8, at + 8 + log.readUInt32BE(at + 4)).toString();
  }
  return text;
}

describeWithDocker(
  'Proconsul beside a Docker daemon',
  (docker) => {
    let proconsul: ProconsulProcess;

    before(async () => {
      proconsul = new ProconsulProcess(docker(), [
        '-hcl=ports { dns = 53 }',
        '-enable-script-checks',
        // Long enough for a restart on a busy machine.
        '-hcl=docker { deregister_delay = "10s" }',
      ]);
      await proconsul.start();
      await proconsul.untilReady();
    });

    after(async () => {
      await proconsul.kill();
    });

    async function untilServices(...ids: string[]): Promise<void> {
      let last: string[] = [];
      const equal = async () => {
        last = (await proconsul.services()).sort();
        return JSON.stringify(last) === JSON.stringify(ids);
      };
      await until(equal, () => `${JSON.stringify(last)} instead of ${JSON.stringify(ids)}`);
    }

    it('shows a container that its label’s check finds well to another container', async () => {
      await docker().run('web', {
        cmd: ['httpd', '-f', '-p', '80', '-h', '/www'],
        ports: { '80/tcp': '18080' },
        labels: {
          SERVICE_NAME: 'web',
          SERVICE_CHECK_HTTP: '/index.html',
          SERVICE_CHECK_INTERVAL: '1s',
        },
      });
      const url = 'http://127.0.0.1:8500/v1/health/service/web?passing';
      await until(async () => (await outputOf(docker(), ['wget', '-qO-', url])).includes('18080'));
      const [entry] = JSON.parse(await outputOf(docker(), ['wget', '-qO-', url])) as [
        { Service: { Address: string; Port: number }; Checks: { Type: string }[] },
      ];
      const { Address, Port } = entry.Service;
      const named = await outputOf(docker(), ['nslookup', 'web.service.consul', '127.0.0.1']);
      assert.match(named, new RegExp(`Name:\\s+web.service.consul\\s+Address: ${Address}`));
      const page = await outputOf(docker(), ['wget', '-qO-', `http://${Address}:${Port}/`]);
      assert.match(page, /hello/);
      assert.ok(entry.Checks.some(({ Type }) => Type === 'http'));
    });

    it('looks into a container with the check that its label asks for', async () => {
      await docker().run('app', {
        ports: { '80/tcp': '' },
        labels: {
          SERVICE_NAME: 'app',
          SERVICE_CHECK_DOCKER: 'test -e /ok',
          SERVICE_CHECK_INTERVAL: '1s',
        },
      });
      const untilStatus = async (wanted: string) => {
        let statuses: string[] = [];
        const reached = async () => {
          const checks = (await proconsul.get('/v1/health/checks/app')) as { Status: string }[];
          statuses = checks.map(({ Status }) => Status);
          return statuses.join() === wanted;
        };
        await until(reached, () => statuses);
      };
      await untilStatus('warning');
      const touch = await docker()
        .client.getContainer('app')
        .exec({ Cmd: ['sh', '-c', '> /ok'] });
      await touch.start({});
      await untilStatus('passing');
    });

    it('moves no index when a container is restarted', async () => {
      const indexOf = async () => {
        const entries = (await proconsul.get('/v1/catalog/service/same')) as [
          { ModifyIndex: number },
        ];
        return entries[0]?.ModifyIndex;
      };
      const labels = { SERVICE_NAME: 'same' };
      await docker().run('same', { ports: { '80/tcp': '18081' }, labels });
      await untilServices('host:same:80');
      const before = await indexOf();
      assert.ok(before !== undefined);
      await docker().client.getContainer('same').restart();
      // What comes later is registered: so the restart has been seen.
      await docker().run('later', { ports: { '80/tcp': '18082' } });
      await untilServices('host:later:80', 'host:same:80');
      assert.equal(await indexOf(), before);
    });

    it('makes up for what happened while it was not there', async () => {
      await docker().run('old', { ports: { '80/tcp': '' } });
      await untilServices('host:old:80');
      await proconsul.kill();
      await docker().client.getContainer('old').remove({ force: true });
      await docker().run('new', { ports: { '80/tcp': '' } });
      await proconsul.start();
      await proconsul.untilReady();
      await untilServices('host:new:80');
    });
  },
  90_000,
);
