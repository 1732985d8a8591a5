/** Where the API server is, as a pod's surroundings and kubectl's files say it. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { accessOfPod } from '../../../kubernetes/api/access.ts';
import { ApiServer } from '../../../kubernetes/api/api-server.ts';
import { accessByKubeconfig } from '../../../kubernetes/api/kubeconfig.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { startApiServer } from '../../support/kubernetes/api-server.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'proconsul-kube-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const USER = { name: 'u', user: { token: 't' } };
const CLUSTER = { name: 'c', cluster: { server: 'https://api:6443/base' } };
const CONTEXT = { name: 'x', context: { cluster: 'c', user: 'u', namespace: 'shop' } };

function kubeconfig(name: string, over: object = {}): string {
  const whole = { clusters: [CLUSTER], users: [USER], contexts: [CONTEXT], 'current-context': 'x' };
  return file(name, JSON.stringify({ ...whole, ...over }));
}

describe('the access of a pod', () => {
  const env = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' };

  it('is by its account, whose files are read each time', () => {
    for (const [name, text] of [
      ['token', 'a\n'],
      ['ca.crt', 'CA'],
      ['namespace', 'shop'],
    ] as const)
      file(name, text);
    const access = accessOfPod(env, folder);
    assert.equal(access?.url.href, 'https://[fd00::1]/');
    assert.equal(access?.namespace, 'shop');
    assert.equal(access?.credentials().token, 'a');
    file('token', 'b');
    assert.equal(access?.credentials().token, 'b');
  });

  it('is none outside of one', () => {
    assert.equal(accessOfPod({}, folder), undefined);
  });

  it('says which file is missing', () => {
    file('namespace', '');
    assert.throws(() => accessOfPod(env, folder)?.credentials(), /cannot read .*token/);
  });
});

describe('a kubeconfig', () => {
  it('names a cluster, a user and a namespace by its context, in YAML too', async () => {
    const path = file(
      'config',
      'current-context: x\ncontexts: [{name: x, context: {cluster: c, user: u}}]\n' +
        'clusters:\n- name: c\n  cluster: {server: "https://api:6443", insecure-skip-tls-verify: true}\n' +
        'users:\n- name: u\n  user: {tokenFile: tok}\n',
    );
    file('tok', 'secret\n');
    const access = await accessByKubeconfig([path]);
    assert.equal(access.namespace, 'default');
    assert.deepEqual(access.credentials(), { token: 'secret', tls: { rejectUnauthorized: false } });
  });

  it('may be in several files, of which the first that says a thing counts', async () => {
    const first = file(
      'a',
      JSON.stringify({ 'current-context': 'x', users: [{ name: 'u', user: { token: 'first' } }] }),
    );
    const access = await accessByKubeconfig([first, kubeconfig('b')]);
    assert.equal(access.url.href, 'https://api:6443/base');
    assert.equal(access.credentials().token, 'first');
  });

  it('reaches a server: by the certificates that it has within, and below the path of the address', async () => {
    const server = await startApiServer();
    const cluster = {
      server: server.url,
      'certificate-authority-data': Buffer.from(server.authority.pair.cert).toString('base64'),
    };
    const path = kubeconfig('config', {
      clusters: [{ name: 'c', cluster }],
      users: [{ name: 'u', user: { token: 't1' } }],
    });
    const api = new ApiServer(await accessByKubeconfig([path]), new FakeClock());
    const { signal } = new AbortController();
    const { json } = await api.ask({ method: 'GET', path: '/api/v1/nodes' }, signal);
    assert.equal(json['kind'], 'NodeList');
    api.close();
  });

  for (const way of ['exec', 'auth-provider', 'username', 'as']) {
    it(`is refused by name where its user has ${way}: its requests would be nobody's`, async () => {
      const path = kubeconfig('config', { users: [{ name: 'u', user: { [way]: {} } }] });
      await assert.rejects(accessByKubeconfig([path]), new RegExp(`"${way}" is not taken`));
    });
  }

  it('is refused with what is wrong', async () => {
    const wrong = (over: object) => accessByKubeconfig([kubeconfig('config', over)]);
    await assert.rejects(wrong({ 'current-context': '' }), /names no current-context/);
    await assert.rejects(wrong({ 'current-context': 'y' }), /no context "y"/);
    await assert.rejects(wrong({ clusters: [] }), /no cluster "c"/);
    await assert.rejects(
      wrong({ clusters: [{ name: 'c', cluster: { server: 'nope' } }] }),
      /no URL: nope/,
    );
    await assert.rejects(accessByKubeconfig([file('broken', '{')]), /broken: /);
    await assert.rejects(accessByKubeconfig([join(folder, 'none')]), /cannot read/);
  });
});
