import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { tlsFolder } from '../../support/certificates.ts';
import { runWords } from '../../support/servers/command-line.ts';

const run = (words: string) => runWords(`tls ${words}`.split(' '));
const certificate = (file: string) => new X509Certificate(readFileSync(file));

describe('proconsul tls', () => {
  const before = process.cwd();
  beforeEach(() => process.chdir(tlsFolder()));
  afterEach(() => process.chdir(before));

  it('makes an authority, whose key is for its owner alone, and writes over none', async () => {
    const { code, out } = await run('ca create');
    assert.equal(code, 0);
    assert.equal(out, '==> Saved consul-agent-ca.pem\n==> Saved consul-agent-ca-key.pem\n');
    const ca = certificate('consul-agent-ca.pem');
    assert.equal(ca.ca && ca.verify(ca.publicKey), true);
    assert.match(ca.subject, /CN=Consul Agent CA \d+$/);
    assert.equal(days(ca), 1825);
    assert.equal(statSync('consul-agent-ca-key.pem').mode & 0o777, 0o600);
    const again = await run('ca create');
    assert.deepEqual([again.code, again.err], [1, 'consul-agent-ca.pem already exists.\n']);
    assert.equal(readFileSync('consul-agent-ca.pem', 'utf8').includes('BEGIN'), true);
  });

  it('makes certificates of servers, agents and people', async () => {
    await run('ca create -domain=acme');
    const ca = certificate('acme-agent-ca.pem');
    for (const [flags, file, names, usages] of [
      ['-server', 'dc1-server-acme-0', 'server.dc1.acme|localhost|127.0.0.1', 2],
      ['-server -node=s1 -days=7', 'dc1-server-acme-1', 's1.server.dc1.acme|server.dc1.acme', 2],
      ['-client -dc=dc2', 'dc2-client-acme-0', 'client.dc2.acme|localhost|127.0.0.1', 2],
      ['-cli', 'dc1-cli-acme-0', 'cli.dc1.acme|localhost', 0],
      [
        '-client -additional-dnsname=a.b -additional-ipaddress=::1',
        'dc1-client-acme-0',
        'a.b|0:0',
        2,
      ],
    ] as const) {
      const { out, err } = await run(`cert create -domain=acme ${flags}`);
      const saved = `==> Saved ${file}.pem\n==> Saved ${file}-key.pem\n`;
      assert.equal(out, `==> Using acme-agent-ca.pem and acme-agent-ca-key.pem\n${saved}`);
      assert.equal(err.includes('WARNING'), flags.startsWith('-server'));
      const made = certificate(`${file}.pem`);
      assert.equal(made.checkIssued(ca) && made.verify(ca.publicKey), true);
      for (const name of names.split('|')) assert.ok(made.subjectAltName?.includes(name), name);
      assert.equal(made.keyUsage?.length ?? 0, usages);
      assert.equal(statSync(`${file}-key.pem`).mode & 0o777, 0o600);
    }
    assert.equal(days(certificate('dc1-server-acme-1.pem')), 7);
  });

  it('vouches for no name that its authority may not vouch for', async () => {
    await run('ca create -name-constraint -additional-name-constraint=x.example');
    assert.equal((await run('cert create -server')).code, 0);
    assert.equal((await run('cert create -cli -additional-dnsname=a.x.example')).code, 0);
    const { code, err } = await run('cert create -client -additional-dnsname=ax.example');
    assert.equal(code, 1);
    assert.match(err, /DNS name "ax\.example" is not permitted by any constraint\n$/);
  });

  it('signs with an authority that others made', async () => {
    const folder = new URL('../../support/servers/docker-tls/', import.meta.url);
    writeFileSync('stranger.pem', readFileSync(new URL('ca.pem', folder)));
    await run('ca create');
    const { err } = await run('cert create -client -ca=stranger.pem');
    assert.equal(err, "the key is not that of the authority's certificate\n");
  });

  it('refuses what makes no sense, and leaves no file behind', async () => {
    await run('ca create');
    for (const [words, why] of [
      ['cert create', 'Please provide either -server, -client, or -cli'],
      ['cert create -server -client', 'Please provide either -server, -client, or -cli'],
      ['cert create -client -node=a', '-node requires -server'],
      ['cert create -client -days=0', '-days must be at least 1'],
      ['cert create -client -additional-ipaddress=x', 'invalid ip address: x'],
      ['cert create -client -ca=none.pem', 'Error reading CA: open none.pem: no such file'],
      ['cert create -client -key=none.pem', 'Error reading CA key: open none.pem: no such file'],
      ['cert create -client -key=consul-agent-ca.pem', 'no private key can be read'],
      ['cert create -client -ca=consul-agent-ca-key.pem', 'no certificate can be read'],
      ['ca create -domain=b -days=-1', '-days must be at least 1'],
    ] as const) {
      const { code, err } = await run(words);
      assert.equal(code, 1, words);
      assert.ok(err.includes(why), `${words}: ${err}`);
      assert.ok(!err.includes('BEGIN'));
    }
    const made = (await run('cert create -client')).out;
    assert.match(made, /dc1-client-consul-0\.pem/);
  });
});

function days({ validFrom, validTo }: X509Certificate): number {
  return Math.round((Date.parse(validTo) - Date.parse(validFrom)) / (24 * 3600_000));
}
