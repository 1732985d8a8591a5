import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { createServer as createHttp2 } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { createServer as createTls } from 'node:tls';
import { kindOf } from '../../../agent/checks/kinds/kinds.ts';
import type { Probe } from '../../../agent/checks/probing/probe.ts';
import { type CheckSpec, checkFromConfig } from '../../../agent/definitions/check-spec.ts';
import { TestAuthority } from '../../support/certificates.ts';
import { serveHttp } from '../../support/servers/http-servers.ts';
import { until } from '../../support/until.ts';

/** Nothing listens there: it is a privileged port that no machine of ours uses. */
const CLOSED = '127.0.0.1:1';

function probeOf(given: Partial<CheckSpec>, { untrusted = true, timeoutMs = 300 } = {}): Probe {
  const spec = checkFromConfig(given);
  const context = { maxOutputBytes: 4096, timeoutMs, untrusted, containerProbe: undefined };
  return kindOf(spec)?.probe?.(spec, context) ?? assert.fail('nobody looks at it');
}

function look(probe: Probe, signal = new AbortController().signal) {
  return probe(signal);
}

describe('the HTTP probe', () => {
  const http = (HTTP: string, more: Partial<CheckSpec> = {}) => probeOf({ HTTP, ...more });

  it('is passing for 2xx, warning for 429, else critical, and quotes the answer, but no password', async () => {
    let status = 200;
    const { host } = await serveHttp((_, response) => response.writeHead(status).end('hello'));
    const url = `http://me:SECRET@${host}/`;
    assert.deepEqual(await look(http(url)), {
      status: 'passing',
      output: `HTTP GET http://me:***@${host}/: 200 OK Output: hello`,
    });
    status = 429;
    assert.deepEqual(await look(http(url)), {
      status: 'warning',
      output: `HTTP GET http://me:***@${host}/: 429 Too Many Requests Output: hello`,
    });
    status = 503;
    assert.equal((await look(http(url))).status, 'critical');
  });

  it('sends method, headers and body, and says who asks', async () => {
    const seen: unknown[] = [];
    const { host } = await serveHttp((request, response) => {
      const { method, headers } = request;
      seen.push(method, headers['user-agent'], headers['x-a'], headers.host);
      request.on('data', (part: Buffer) => seen.push(part.toString()));
      request.on('end', () => response.end());
    });
    const headers = { 'X-A': ['1', '2'], Host: ['web.example'] };
    await look(http(`http://${host}/`, { Method: 'POST', Header: headers, Body: 'ping' }));
    assert.deepEqual(seen, ['POST', 'Consul Health Check', '1, 2', 'web.example', 'ping']);
  });

  it('sends no second request in the body of a first one, whatever the method', async () => {
    const seen: unknown[] = [];
    const { host } = await serveHttp((request, response) => {
      seen.push(`${request.method} ${request.url}`);
      request.resume().once('end', () => response.end());
    });
    const Body = 'GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n';
    for (const Method of ['GET', 'DELETE', 'OPTIONS']) {
      await look(http(`http://${host}/`, { Method, Body, Header: { Connection: ['keep-alive'] } }));
    }
    assert.deepEqual(seen, ['GET /', 'DELETE /', 'OPTIONS /']);
  });

  it('is critical where a body has no end, and stops reading it', async () => {
    const { host } = await serveHttp((_, response) => {
      const part = 'x'.repeat(64 * 1024);
      const more = () => {
        while (!response.destroyed && response.write(part));
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    });
    const { status, output } = await look(http(`http://${host}/`));
    assert.deepEqual(
      [status, output],
      ['critical', `Get "http://${host}/": body beyond 16777216 bytes`],
    );
  });

  it('keeps the last 4 KB of a body, cut where a character begins', async () => {
    const { host } = await serveHttp((_, response) => response.end(`${'é'.repeat(4000)}!`));
    const { status, output } = await look(http(`http://${host}/`));
    const [, body] = output.split('Output: ');
    assert.deepEqual([status, body], ['passing', `${'é'.repeat(2047)}!`]);
  });

  it('follows a redirect on the same server, but not to another one when it is not trusted', async () => {
    const asked: string[] = [];
    const inner = await serveHttp((_, response) => {
      asked.push('inner');
      response.end('secret');
    });
    const outer = await serveHttp((request, response) => {
      if (request.url === '/ok') response.end('moved here');
      else if (request.url === '/same') response.writeHead(302, { Location: '/ok' }).end();
      else response.writeHead(302, { Location: `http://${inner.host}/` }).end();
    });
    const same = await look(http(`http://${outer.host}/same`));
    assert.match(same.output, /200 OK Output: moved here$/);
    const other = await look(http(`http://${outer.host}/other`));
    assert.deepEqual([other.status, asked], ['critical', []]);
    const trusted = await look(
      probeOf({ HTTP: `http://${outer.host}/other` }, { untrusted: false }),
    );
    assert.deepEqual([trusted.status, asked], ['passing', ['inner']]);
  });

  it('calls a redirect that says no place an error, and a 307 of that kind an answer', async () => {
    const { host } = await serveHttp((request, response) =>
      response.writeHead(Number(request.url?.slice(1))).end('hello'),
    );
    const of = async (status: number) => (await look(http(`http://${host}/${status}`))).output;
    const error = `Get "http://${host}/301": 301 response missing Location header`;
    assert.equal(await of(301), error);
    assert.match(await of(307), /^HTTP GET .*: 307 Temporary Redirect Output: hello$/);
    assert.match(await of(304), /^HTTP GET .*: 304 Not Modified Output: /);
  });

  it('asks for the same again at 307 and 308, and for a page with GET at the others', async () => {
    const seen: string[] = [];
    const { host } = await serveHttp((request, response) => {
      const to = /^\/(\d+)$/.exec(request.url ?? '')?.[1];
      if (to !== undefined) return void response.writeHead(Number(to), { Location: '/end' }).end();
      let body = '';
      request.on('data', (part: Buffer) => {
        body += part.toString();
      });
      request.on('end', () => {
        seen.push(`${request.method} ${body} ${request.headers['content-type']}`);
        response.end();
      });
    });
    for (const status of [301, 302, 303, 307, 308]) {
      const Header = { 'Content-Type': ['text/x'] };
      await look(http(`http://${host}/${status}`, { Method: 'PUT', Body: 'ping', Header }));
    }
    const get = 'GET  undefined';
    const put = 'PUT ping text/x';
    assert.deepEqual(seen, [get, get, get, put, put]);
  });

  it('tells another host nothing that was meant for the first', async () => {
    const seen: unknown[] = [];
    const other = await serveHttp((request, response) => {
      const { authorization, cookie, host, 'x-a': own } = request.headers;
      seen.push(authorization, cookie, host === other.host, own);
      response.end();
    });
    const { host } = await serveHttp((_, response) =>
      response.writeHead(307, { Location: `http://${other.host}/` }).end(),
    );
    const Header = {
      Authorization: ['Basic eA=='],
      Cookie: ['a=b'],
      Host: ['web.example'],
      'X-A': ['1'],
    };
    await look(probeOf({ HTTP: `http://${host}/`, Header }, { untrusted: false }));
    assert.deepEqual(seen, [undefined, undefined, true, '1']);
  });

  it('refuses link-local addresses when it is not trusted', async () => {
    for (const host of ['169.254.169.254', '[::ffff:169.254.169.254]', '[fe80::1]']) {
      const { status, output } = await look(http(`http://${host}/latest/meta-data`));
      assert.equal(status, 'critical');
      assert.match(output, /link-local/);
    }
  });

  it('says in Go’s words that nobody listens', async () => {
    const { status, output } = await look(http(`http://${CLOSED}/`));
    assert.equal(status, 'critical');
    assert.equal(
      output,
      `Get "http://${CLOSED}/": dial tcp ${CLOSED}: connect: connection refused`,
    );
  });

  it('ends when its time is over', async () => {
    const { host, server } = await serveHttp(() => undefined);
    const time = new AbortController();
    const looking = look(http(`http://${host}/`), time.signal);
    let asked = false;
    server.once('request', () => {
      asked = true;
    });
    await until(() => asked);
    time.abort();
    assert.match((await looking).output, /context deadline exceeded/);
  });
});

describe('the TCP probe', () => {
  it('is passing where something listens', async () => {
    const { host } = await serveHttp(() => undefined);
    assert.deepEqual(await look(probeOf({ TCP: host })), {
      status: 'passing',
      output: `TCP connect ${host}: Success`,
    });
  });

  it('is critical where nothing listens', async () => {
    assert.deepEqual(await look(probeOf({ TCP: CLOSED })), {
      status: 'critical',
      output: `dial tcp ${CLOSED}: connect: connection refused`,
    });
  });

  it('is critical where the target has no port', async () => {
    const { status, output } = await look(probeOf({ TCP: 'web' }));
    assert.deepEqual(
      [status, output],
      ['critical', 'dial tcp: address web: missing port in address'],
    );
  });

  it('with tcp_use_tls takes a server for well only once TLS is spoken with one that is trusted', async () => {
    const authority = await TestAuthority.create();
    const named: string[] = [];
    const server = createTls({
      ...(await authority.issue({ names: ['web'] })),
      SNICallback: (name, done) => {
        named.push(name);
        done(null);
      },
    });
    server.on('tlsClientError', () => undefined);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const TCP = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const at = (more: Partial<CheckSpec>) =>
      look(probeOf({ TCP, TCPUseTLS: true, ...more }, { timeoutMs: 5000 }));
    assert.deepEqual(await at({ TLSSkipVerify: true, TLSServerName: 'web' }), {
      status: 'passing',
      output: `TCP connect ${TCP}: Success`,
    });
    assert.deepEqual(named, ['web']);
    // Nobody has said that its authority is to be trusted.
    const refused = await at({ TLSServerName: 'web' });
    assert.equal(refused.status, 'critical');
    assert.match(refused.output, /self-signed certificate|unable to verify/);
    server.close();
  });

  it('with tcp_use_tls takes no server for well that speaks none', async () => {
    const { host: TCP } = await serveHttp((_, response) => response.end());
    const plain = { TCP, TCPUseTLS: true, TLSSkipVerify: true };
    assert.equal((await look(probeOf(plain, { timeoutMs: 5000 }))).status, 'critical');
  });
});

describe('the UDP probe', () => {
  it('is passing where something listens and says nothing', async () => {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    const target = `127.0.0.1:${socket.address().port}`;
    const { status, output } = await look(probeOf({ UDP: target }));
    socket.close();
    assert.deepEqual([status, output], ['passing', `UDP connect ${target}: Success`]);
  });

  it('is critical where the port is refused', async () => {
    assert.equal((await look(probeOf({ UDP: CLOSED }))).status, 'critical');
  });
});

describe('the gRPC and H2 probes', () => {
  /** A server of grpc.health.v1 that answers with one status; closed by the caller. */
  async function serveHealth(status: number, code = '0') {
    const asked: string[] = [];
    const server = createHttp2();
    server.on('stream', (stream, headers) => {
      const parts: Buffer[] = [];
      stream.on('data', (part: Buffer) => parts.push(part));
      stream.on('end', () => {
        const message = Buffer.concat(parts).subarray(5);
        asked.push(`${headers[':path']} ${message.subarray(2).toString()}`);
        stream.respond(
          { ':status': 200, 'content-type': 'application/grpc' },
          { waitForTrailers: true },
        );
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': code }));
        stream.end(Buffer.from([0, 0, 0, 0, 2, 0x08, status]));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const target = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const close = () => new Promise((resolve) => server.close(resolve));
    return { target, asked, close };
  }

  it('ask the health service by the name behind the slash', async () => {
    const { target, asked, close } = await serveHealth(1);
    const found = await look(probeOf({ GRPC: `${target}/web` }));
    assert.deepEqual(found, { status: 'passing', output: `gRPC check ${target}/web: success` });
    assert.deepEqual(asked, ['/grpc.health.v1.Health/Check web']);
    assert.equal((await look(probeOf({ H2PING: target, H2PingUseTLS: false }))).status, 'passing');
    await close();
  });

  it('are critical when it does not serve, or answers with an error', async () => {
    const down = await serveHealth(2);
    assert.equal((await look(probeOf({ GRPC: down.target }))).status, 'critical');
    await down.close();
    const unknown = await serveHealth(1, '5');
    const { output } = await look(probeOf({ GRPC: unknown.target }));
    assert.match(output, /^rpc error: code = NotFound/);
    await unknown.close();
  });

  it('are critical where nothing listens', async () => {
    const { output } = await look(probeOf({ GRPC: CLOSED }));
    assert.equal(
      output,
      `rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing dial tcp ${CLOSED}: connect: connection refused"`,
    );
    assert.equal((await look(probeOf({ H2PING: CLOSED, H2PingUseTLS: false }))).status, 'critical');
  });
});
