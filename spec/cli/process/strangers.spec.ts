import assert from 'node:assert/strict';
import { strangersGuard } from '../../../cli/process/strangers.ts';
import { loadConfig } from '../../../lib/config/load.ts';
import { fakeConfigHost } from '../../support/fakes/fake-config-host.ts';
import { httpRequest } from '../../support/fakes/http-request.ts';

function guardUnder(hcl = '') {
  const argv = ['-dev', '-bind=127.0.0.1', '-hcl', hcl];
  const { http, dns } = loadConfig({ argv, host: fakeConfigHost() }).config;
  return strangersGuard(http, { hostname: 'box.example.net', domains: [dns.domain] });
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
  it('may ask for any name: who comes that way could ask himself', () => {
    guardUnder()(asked('consul.example.com', '10.1.2.3'));
  });
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
