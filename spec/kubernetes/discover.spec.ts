/** Pods as addresses to join, by what go-discover's users write. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { discoverArgs, podAddresses } from '../../kubernetes/discover.ts';
import { FakeClock } from '../support/fakes/fake-clock.ts';
import { startApiServer } from '../support/kubernetes/api-server.ts';
import type { KubeObject } from '../support/kubernetes/objects.ts';

interface PodOver {
  readonly namespace?: string;
  readonly phase?: string;
  readonly ready?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
}

function pod(name: string, podIP: string, over: PodOver = {}): KubeObject {
  const {
    namespace = 'default',
    phase = 'Running',
    ready,
    annotations = {},
    labels = { app: 'p' },
  } = over;
  const ports = [{ name: 'serf', containerPort: 8301, hostPort: 18301 }];
  return {
    metadata: { name, namespace, annotations, labels },
    spec: { containers: [{ name: 'c', ports }] },
    status: {
      phase,
      podIP,
      hostIP: '172.16.0.1',
      ...(ready !== undefined && { conditions: [{ type: 'Ready', status: ready }] }),
    },
  };
}

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'proconsul-pods-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function found(pods: readonly KubeObject[], args = 'label_selector="app=p"', page?: object) {
  const server = await startApiServer();
  server.page = page;
  for (const each of pods) server.objects.create('pods', each);
  const caData = Buffer.from(server.authority.pair.cert).toString('base64');
  const path = join(folder, 'config');
  const config = {
    'current-context': 'x',
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    clusters: [
      { name: 'c', cluster: { server: server.url, 'certificate-authority-data': caData } },
    ],
    users: [{ name: 'u', user: { token: 't1' } }],
  };
  writeFileSync(path, JSON.stringify(config));
  const { signal } = new AbortController();
  return podAddresses(`provider=k8s ${args}`, {
    env: { KUBECONFIG: path },
    clock: new FakeClock(),
    signal,
  });
}

describe('retry_join with provider=k8s', () => {
  it('finds the pods of a selector in a namespace that run and are ready, as far as they say so', async () => {
    const pods = [
      pod('a', '10.1.0.1', { ready: 'True' }),
      pod('b', '10.1.0.2', { ready: 'False' }),
      pod('c', '10.1.0.3', { phase: 'Pending' }),
      pod('d', 'fd00::4'),
      pod('e', '10.1.0.5', { labels: { app: 'q' } }),
      pod('f', '10.1.0.6', { namespace: 'other' }),
    ];
    assert.deepEqual(await found(pods), ['10.1.0.1', 'fd00::4']);
    assert.deepEqual(await found(pods, 'namespace=other'), ['10.1.0.6']);
    assert.deepEqual(await found(pods, 'field_selector="metadata.name=e"'), ['10.1.0.5']);
  });

  it('takes the port that an annotation says, by number or name, and the address of the machine', async () => {
    const by = (said: string) => ({ annotations: { 'consul.hashicorp.com/auto-join-port': said } });
    const pods = [
      pod('a', 'fd00::1', by('serf')),
      pod('b', '10.1.0.2', by('9000')),
      pod('c', '10.1.0.3', by('no')),
    ];
    assert.deepEqual(await found(pods), ['[fd00::1]:8301', '10.1.0.2:9000', '10.1.0.3']);
    assert.deepEqual(await found(pods, 'host_network=true'), [
      '172.16.0.1:18301',
      '172.16.0.1:9000',
      '172.16.0.1',
    ]);
  });

  it('gives up a list without end', async () => {
    const page = { kind: 'PodList', metadata: { continue: 'more' }, items: [] };
    await assert.rejects(found([], '', page), /the list of pods has no end/);
  });

  it('reads quoted values, and refuses what it does not know', () => {
    const args = discoverArgs(
      'provider=k8s label_selector="app = a, role in (x,y)" namespace=shop',
    );
    assert.equal(args.get('label_selector'), 'app = a, role in (x,y)');
    assert.equal(args.get('namespace'), 'shop');
    assert.throws(() => discoverArgs('provider=k8s context=x'), /knows no context/);
    assert.throws(() => discoverArgs('provider=k8s stray'), /stray is no key=value/);
  });
});
