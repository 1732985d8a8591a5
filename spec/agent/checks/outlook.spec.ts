/** How the checks of external nodes are looked at. */
import assert from 'node:assert/strict';
import { Outlook } from '../../../agent/checks/outlook.ts';
import type { Look } from '../../../agent/checks/probing/probe.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { seededRandom } from '../../support/fakes/seeded-random.ts';
import { serveHttp } from '../../support/servers/http-servers.ts';
import { until } from '../../support/until.ts';

/** Nothing listens there: it is a privileged port that no machine of ours uses. */
const CLOSED_PORT = 1;

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

/** Takes every request and answers none. */
async function serveHanging() {
  let open = 0;
  const { host } = await serveHttp((_, response) => {
    open++;
    response.once('close', () => open--);
  });
  return { host, open: () => open };
}

function start(maxOutputBytes = 4096) {
  const clock = new FakeClock();
  const outlook = new Outlook({
    clock,
    random: seededRandom(1),
    maxOutputBytes: () => maxOutputBytes,
  });
  const looks: Look[] = [];
  const found = (look: Look) => void looks.push(look);
  const watch = (node: string, Definition: Readonly<Record<string, unknown>>) => {
    const stop = outlook.watchCheck(node, { Definition }, found);
    stops.push(stop);
    return stop;
  };
  const knock = (address: string, ...ports: number[]) =>
    stops.push(outlook.watchNode({ node: 'ext1', address, ports }, found));
  const first = async () => {
    await clock.advance(1000);
    await until(() => looks.length > 0);
    return looks[0];
  };
  return { clock, outlook, looks, watch, knock, first };
}

describe('a check of an external node', () => {
  it('is looked at within a second, then as often as it says', async () => {
    const { host } = await serveHttp((_, response) => response.end('fine'));
    const { clock, looks, watch, first } = start();
    watch('ext1', { HTTP: `http://${host}/`, Interval: '5s', Timeout: '1s' });
    assert.deepEqual(await first(), {
      status: 'passing',
      output: `HTTP GET http://${host}/: 200 OK Output: fine`,
    });
    // The second comes at any time of the interval, so that they spread.
    await clock.advance(4000);
    await clock.advance(1000);
    await until(() => looks.length >= 2 && clock.armed === 1);
    const before = looks.length;
    await clock.advance(5000);
    await until(() => looks.length === before + 1 && clock.armed === 1);
    await clock.advance(5000);
    await until(() => looks.length === before + 2);
  });

  it('may be of TCP, and has method and headers', async () => {
    const asked: unknown[] = [];
    const { host } = await serveHttp(({ method, headers }, response) => {
      asked.push(method, headers['x-a']);
      response.writeHead(429).end();
    });
    const http = start();
    http.watch('ext1', { HTTP: `http://${host}/`, Method: 'HEAD', Header: { 'X-A': ['1'] } });
    assert.equal((await http.first())?.status, 'warning');
    assert.deepEqual(asked.slice(0, 2), ['HEAD', '1']);
    const tcp = start();
    tcp.watch('ext1', { TCP: host });
    assert.equal((await tcp.first())?.status, 'passing');
  });

  it('reaches no link-local address, and says what is wrong with a definition', async () => {
    for (const [definition, why] of [
      [{ HTTP: 'http://169.254.169.254/' }, /link-local/],
      [{ TCP: '[fe80::1]:80' }, /link-local/],
      [{ HTTP: 'file:///etc/passwd' }, /unsupported protocol scheme/],
      [{ TCP: '127.0.0.1:1', TCPUseTLS: 'nonsense' }, /./],
      [{ TCP: '127.0.0.1:1', Interval: 'nonsense' }, /./],
    ] as const) {
      const { watch, first } = start();
      watch('ext1', definition);
      const look = await first();
      assert.equal(look?.status, 'critical');
      assert.match(look?.output ?? '', why);
    }
  });

  it('keeps no more of an output than it may, and none where none is kept', async () => {
    const { host } = await serveHttp((_, response) => response.end('x'.repeat(100_000)));
    for (const [max, expected] of [
      [4096, 6300],
      [0, 0],
    ] as const) {
      const { watch, first } = start(max);
      watch('ext1', { HTTP: `http://${host}/` });
      assert((await first())?.status === 'passing');
      assert(((await first())?.output.length ?? 1) <= expected);
    }
  });

  it('that hangs keeps none but those of its node waiting, sixteen at a time', async () => {
    const hanging = await serveHanging();
    const { host } = await serveHttp((_, response) => response.end('fine'));
    const { clock, looks, watch } = start();
    for (let i = 0; i < 40; i++) watch('bad', { HTTP: `http://${hanging.host}/`, Timeout: '5s' });
    for (let i = 0; i < 40; i++) watch('good', { HTTP: `http://${host}/` });
    await clock.advance(1000);
    await until(() => looks.length >= 40 && hanging.open() === 16);
    assert(looks.every(({ status }) => status === 'passing'));
    looks.length = 0;
    await clock.advance(5000);
    await until(() => looks.filter(({ status }) => status === 'critical').length >= 16);
    await until(() => hanging.open() === 16);
  });

  it('that hangs holds up those of other nodes for seconds, however many do', async () => {
    const hanging = await serveHanging();
    const { host } = await serveHttp((_, response) => response.end('fine'));
    const { clock, looks, watch } = start();
    for (let node = 0; node < 80; node++) {
      for (let i = 0; i < 16; i++) {
        watch(`bad-${node}`, { HTTP: `http://${hanging.host}/`, Interval: '5m', Timeout: '10m' });
      }
    }
    await clock.advance(1000);
    await until(() => hanging.open() === 512);
    watch('good', { HTTP: `http://${host}/`, Interval: '5m', Timeout: '1s' });
    for (let i = 0; i < 4 && looks.length === 0; i++) {
      await clock.advance(2000);
      // 512 quick ones, and as many that are known to be slow.
      await until(() => hanging.open() > 512 || looks.length > 0);
    }
    await until(() => looks.length > 0);
    assert.deepEqual(
      looks.map(({ status }) => status),
      ['passing'],
    );
    assert(hanging.open() <= 1024, `${hanging.open()}`);
  });

  it('gives its place back when it is stopped, and is not told of any more', async () => {
    const hanging = await serveHanging();
    const { clock, looks, watch } = start();
    const all = Array.from({ length: 40 }, () =>
      watch('ext1', { HTTP: `http://${hanging.host}/` }),
    );
    await clock.advance(1000);
    await until(() => hanging.open() === 16);
    for (const stop of all) stop();
    await until(() => hanging.open() === 0);
    assert.equal(clock.armed, 0);
    const { host } = await serveHttp((_, response) => response.end('fine'));
    watch('ext1', { HTTP: `http://${host}/` });
    await clock.advance(1000);
    await until(() => looks.length === 1);
    assert.equal(looks[0]?.status, 'passing');
  });
});

describe('whether an external node lives', () => {
  const ALIVE = { status: 'passing', output: 'Node alive or reachable' };

  it('follows from any answer at a port of its own', async () => {
    const { port } = await serveHttp(() => undefined);
    const accepted = start();
    accepted.knock('127.0.0.1', port);
    assert.deepEqual(await accepted.first(), ALIVE);
    const refused = start();
    refused.knock('127.0.0.1', CLOSED_PORT);
    assert.deepEqual(await refused.first(), ALIVE);
    const unknown = start();
    unknown.knock('127.0.0.1');
    assert.deepEqual(await unknown.first(), ALIVE);
  });

  it('is critical where nothing answers, and where it may not be asked', async () => {
    const nameless = start();
    nameless.knock('no-such-host.invalid', 80, 81);
    assert.deepEqual(await nameless.first(), {
      status: 'critical',
      output: 'Node not live or unreachable',
    });
    const forbidden = start();
    forbidden.knock('169.254.169.254', 80);
    assert.match((await forbidden.first())?.output ?? '', /link-local/);
  });
});
