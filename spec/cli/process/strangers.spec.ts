import assert from 'node:assert/strict';
import { asksForNoToken, originsFor, strangersGuard } from '../../../cli/process/strangers.ts';
import { loadConfig } from '../../../lib/config/load.ts';
import { fakeConfigHost } from '../../support/fakes/fake-config-host.ts';
import { httpRequest } from '../../support/fakes/http-request.ts';

function guardUnder(hcl = '', looksAtBrowsers = true) {
  const argv = ['-dev', '-bind=127.0.0.1', '-hcl', hcl];
  const { http, dns } = loadConfig({ argv, host: fakeConfigHost() }).config;
  const names = { hostname: 'box.example.net', domains: [dns.domain] };
  return strangersGuard(http, names, originsFor(looksAtBrowsers));
}

const asked = (host: string | undefined, remoteAddress = '127.0.0.1') =>
  httpRequest({ headers: host === undefined ? {} : { host }, remoteAddress });

describe('a request over loopback', () => {
  const guard = guardUnder();

  for (const host of [
    'rebound.example.com:8500',
    'rebound.example.com',
    'REBOUND.Example.COM.:8500',
    'localhost.example.com',
    '127.0.0.1.example.com',
    '127.0.0.1.nip.io:8500',
    'evil.local.com',
    'consul.evil.com',
  ]) {
    it(`is refused that asks for ${host}`, () => {
      for (const address of ['127.0.0.1', '127.8.8.8', '::1', '::ffff:127.0.0.1']) {
        assert.throws(
          () => guard(asked(host, address)),
          /is not known to mean this machine: see http_config.allowed_hosts/,
        );
      }
    });
  }

  for (const host of [
    undefined,
    '127.0.0.1:8500',
    '[::1]:8500',
    '[::1]',
    'localhost:8500',
    'app.localhost',
    'consul',
    'consul:8500',
    'consul.service.consul:8500',
    'box.example.net',
    'registry.internal',
    'box.local',
    '',
  ]) {
    it(`is taken that asks for ${host}`, () => guard(asked(host)));
  }

  it('may ask for the names of http_config.allowed_hosts', () => {
    const own = guardUnder('http_config { allowed_hosts = ["a.example.com", "*.corp.example"] }');
    own(asked('a.example.com:8500'));
    own(asked('b.corp.example'));
    assert.throws(() => own(asked('b.example.com')), /not known/);
    assert.throws(() => own(asked('corp.example.com')), /not known/);
    guardUnder('http_config { allowed_hosts = ["*"] }')(asked('b.example.com'));
  });
});

describe('a request from elsewhere', () => {
  const CHROME = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36';
  const from = (remoteAddress: string, host: string, more: Record<string, string> = {}) =>
    httpRequest({ headers: { host, 'user-agent': CHROME, ...more }, remoteAddress });
  const NEAR = [
    '172.17.0.1',
    '::ffff:172.17.0.1',
    '10.1.2.3',
    '192.168.1.2',
    'fe80::1%eth0',
    'fd00::1',
  ];
  const guard = guardUnder();

  for (const address of NEAR) {
    it(`may ask for no stranger's name, where a browser sends it: ${address}`, () => {
      assert.throws(() => guard(from(address, 'rebound.example.com:8500')), /is not known to mean/);
      const named = { 'user-agent': 'x', 'sec-fetch-site': 'same-origin' };
      assert.throws(
        () => guard(from(address, 'rebound.example.com', named)),
        /is not known to mean/,
      );
      for (const host of ['localhost:8500', 'consul:8500', '10.1.2.3:8500', 'box.example.net']) {
        guard(from(address, host));
      }
      guardUnder('http_config { allowed_hosts = ["*.example.com"] }')(
        from(address, 'a.example.com'),
      );
    });

    it(`may ask for any name, where a program sends it: ${address}`, () => {
      const windows =
        'Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1.22621.1';
      for (const agent of ['curl/8.0', 'Go-http-client/1.1', 'node', '', windows]) {
        const headers = { 'user-agent': agent, 'accept-language': '*', 'sec-fetch-mode': 'cors' };
        guard(from(address, 'consul.example.com', headers));
      }
      guard(asked('consul.example.com', address));
    });
  }

  it('may ask for any name where tokens are asked for, or it comes from where a stranger may too', () => {
    guardUnder('', false)(from('172.17.0.1', 'consul.example.com'));
    guard(from('203.0.113.7', 'consul.example.com'));
    guard(from('2001:4860::1', 'consul.example.com'));
  });
});

describe('access control', () => {
  for (const [hcl, asksForNone] of [
    ['', true],
    ['acl { enabled = false }', true],
    ['acl { enabled = true }', true],
    ['acl { enabled = true default_policy = "allow" }', true],
    ['acl { enabled = true default_policy = "deny" }', false],
  ] as const) {
    it(`${asksForNone ? 'asks for no token' : 'asks for tokens'} as "${hcl}" says it`, () => {
      const argv = ['-dev', '-bind=127.0.0.1', '-hcl', hcl];
      const { config } = loadConfig({ argv, host: fakeConfigHost() });
      assert.equal(asksForNoToken(config), asksForNone);
    });
  }
});

describe("a write from a browser's page", () => {
  const write = (headers: Record<string, string>) =>
    httpRequest({ method: 'PUT', headers: { host: '127.0.0.1:8500', ...headers } });
  const guard = guardUnder();

  it('is refused where the page was served elsewhere', () => {
    for (const origin of ['https://evil.com', 'null', 'http://127.0.0.1:8501', '']) {
      assert.throws(() => guard(write({ origin })), /may not write here/);
    }
  });

  it('is taken where the page was served here, or where there is no page', () => {
    guard(write({ origin: 'http://127.0.0.1:8500' }));
    guard(write({}));
  });

  it('is taken from the pages that the configuration lets read', () => {
    const header = (origin: string) =>
      `http_config { response_headers { access-control-allow-origin = "${origin}" } }`;
    guardUnder(header('*'))(write({ origin: 'https://ops.example.com' }));
    const one = guardUnder(header('https://ops.example.com'));
    one(write({ origin: 'https://ops.example.com' }));
    assert.throws(() => one(write({ origin: 'https://evil.com' })), /may not write here/);
  });

  it('does not hinder reading: an answer is not for the page without CORS', () => {
    guard(httpRequest({ headers: { host: '127.0.0.1:8500', origin: 'https://evil.com' } }));
  });
});
