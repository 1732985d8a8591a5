import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { unpackTar } from 'modern-tar';
import { packFolder } from '../../lib/archive/files.ts';
import { tapLog } from '../../lib/log-tap.ts';
import { createLogger } from '../../lib/logger.ts';
import { startAgent } from '../support/servers/agents.ts';
import { runWords } from '../support/servers/command-line.ts';
import { serveHttp } from '../support/servers/http-servers.ts';
import { until } from '../support/until.ts';

let top = '';
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'proconsul-debug-'));
});
afterEach(() => rmSync(top, { recursive: true }));

/** An agent with a secret in each place that takes one. */
async function startWithSecrets() {
  const logger = createLogger({ level: 'err', json: false });
  const started = await startAgent(
    `acl { tokens { agent = "canary-a" default = "canary-b" } }
     service { name = "web" port = 80 token = "canary-c"
       check { http = "http://127.0.0.1:1/" interval = "1h" header { Authorization = ["canary-d"] } } }`,
    { logger, process: { logTap: (wanted, listen) => tapLog(logger, wanted, listen) } },
  );
  const { port } = await serveHttp(started.app);
  return { ...started, logger, port };
}

/** As in a process of its own: the command line is loaded by `import()`. */
async function captureOf(port: number, folder: string, clock: Clock) {
  const { DebugCapture, TARGETS } = await import('../../cli/debug-capture.ts');
  const { createApiClient } = await import('../../cli/api-client.ts');
  const target = { scheme: 'http', address: `127.0.0.1:${port}`, headers: {}, tls: {} } as Target;
  const client = (signal: AbortSignal) => createApiClient({ target, query: [], signal });
  const { signal } = new AbortController();
  const options = { client, folder, targets: TARGETS, intervalMs: 5000, clock, signal };
  return new DebugCapture(options);
}

type Clock = Awaited<ReturnType<typeof startAgent>>['clock'];
type Target = import('../../cli/api-options.ts').ApiTarget;

describe('what `debug` gathers', () => {
  it('is the agent once, and metrics, log and profiles by the interval, without a secret', async () => {
    const { clock, logger, port } = await startWithSecrets();
    const folder = join(top, 'x');
    const capture = await captureOf(port, folder, clock);
    await capture.once();
    let isOver = false;
    const interval = capture.interval('1').then(() => {
      isOver = true;
    });
    await until(async () => {
      logger.debug('agent: said meanwhile');
      await clock.advance(250);
      return isOver;
    });
    await interval;
    assert.deepEqual(readdirSync(folder).sort(), ['1', 'agent.json', 'cluster.json', 'host.json']);
    assert.deepEqual(readdirSync(join(folder, '1')).sort(), [
      'heap.heapprofile',
      'metrics.json',
      'proconsul.log',
      'profile.cpuprofile',
      'resources.json',
      'trace.json',
    ]);
    // Servers have these, and there is none here.
    assert.deepEqual(
      capture.failures.map((each) => each.split(':', 1)[0]),
      ['usage.json', 'health.json'],
    );
    assert.match(readFileSync(join(folder, '1', 'proconsul.log'), 'utf8'), /said meanwhile/);
    const files = readdirSync(folder, { recursive: true }).map((path) =>
      join(folder, String(path)),
    );
    for (const file of files.filter((path) => statSync(path).isFile())) {
      assert.doesNotMatch(readFileSync(file, 'utf8'), /canary/, file);
      assert.equal(statSync(file).mode & 0o077, 0, file);
    }
    logger.close();
  });

  it('is packed as it is, and over nothing that is there', async () => {
    const { clock, port, logger } = await startWithSecrets();
    const folder = join(top, 'x');
    await (await captureOf(port, folder, clock)).once();
    const archive = join(top, 'x.tar.gz');
    await packFolder(folder, 'x', archive);
    const unzipped = Readable.from([readFileSync(archive)]).pipe(createGunzip());
    const bytes: Buffer[] = [];
    for await (const part of unzipped) bytes.push(part as Buffer);
    const entries = await unpackTar(Buffer.concat(bytes));
    assert.deepEqual(
      entries.map(({ header }) => header.name),
      ['x/agent.json', 'x/cluster.json', 'x/host.json'],
    );
    assert.equal(
      Buffer.from(entries[2]?.data ?? []).toString(),
      readFileSync(join(folder, 'host.json'), 'utf8'),
    );
    await assert.rejects(packFolder(folder, 'x', archive), { code: 'EEXIST' });
    logger.close();
  });
});

describe('proconsul debug', () => {
  const REFUSED: readonly (readonly [string, RegExp])[] = [
    ['nonsense', /^==> debug: Too many arguments provided, expected 0\n$/],
    ['-duration=1s', /^==> Capture validation failed: duration must be longer than 10s\n$/],
    ['-interval=1s', /^==> Capture validation failed: interval must be longer than 5s\n$/],
    ['-interval=soon', /interval is no duration: soon\n$/],
    ['-duration=10s', /duration must be longer than the interval\n$/],
    ['-capture=nope', /^==> Capture validation failed: target not found: nope\n$/],
    ['-http-addr=127.0.0.1:1', /^error querying target agent: /],
  ];
  for (const [flags, complaint] of REFUSED) {
    it(`refuses ${flags}, and writes nothing`, async () => {
      const { code, err } = await runWords(['debug', `-output=${join(top, 'x')}`, flags]);
      assert.equal(code, 1);
      assert.match(err, complaint);
      assert.deepEqual(readdirSync(top), []);
    });
  }

  it('writes over nothing', async () => {
    const { code, err } = await runWords(['debug', `-output=${top}`]);
    assert.equal(code, 1);
    assert.match(err, /output already exists/);
  });
});
