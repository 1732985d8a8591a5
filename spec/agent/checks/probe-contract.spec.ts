/**
 * What every kind of check promises, whatever it meets: within its time it is critical, in words and
 * within a bound; it holds nothing open afterwards; and the process lives.
 */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { CheckSet } from '../../../agent/checks/check-set.ts';
import type { ContainerProbe } from '../../../agent/checks/kinds/kind.ts';
import { KINDS } from '../../../agent/checks/kinds/kinds.ts';
import { passing } from '../../../agent/checks/probing/probe.ts';
import {
  type CheckSpec,
  checkDefinition,
  checkFromConfig,
  checkType,
} from '../../../agent/definitions/check-spec.ts';
import { LocalState } from '../../../agent/state/local-state.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { seededRandom } from '../../support/fakes/seeded-random.ts';
import { HOSTILE, stopHostileServers } from '../../support/servers/hostile-servers.ts';
import { until } from '../../support/until.ts';

const MAX_OUTPUT = 4096;
/** The output, and what a probe says around it. */
const MAX_BYTES = MAX_OUTPUT + 2048 + 100;

const TIMEOUT_MS = 2000;
/** What a server on this machine has to say it has said by then. */
const PATIENCE_MS = 150;

/** Each kind that reaches something over the network, aimed at a target. */
const NETWORK: readonly ((target: string) => Partial<CheckSpec>)[] = [
  (target) => ({ HTTP: `http://${target}/health` }),
  (target) => ({ HTTP: `https://${target}/`, Method: 'POST', Body: 'x', TLSSkipVerify: true }),
  (target) => ({ TCP: target }),
  (target) => ({ TCP: target, TCPUseTLS: true, TLSSkipVerify: true }),
  (target) => ({ UDP: target }),
  (target) => ({ GRPC: target }),
  (target) => ({ GRPC: `${target}/web`, GRPCUseTLS: true, TLSSkipVerify: true }),
  (target) => ({ H2PING: target, H2PingUseTLS: false }),
  (target) => ({ H2PING: target, TLSSkipVerify: true }),
];

const sh = (line: string): Partial<CheckSpec> => ({ Args: ['sh', '-c', line] });

const PROGRAMS: readonly Partial<CheckSpec>[] = [
  sh('yes 100%'),
  sh('cat /dev/zero'),
  sh('head -c 100000 /dev/urandom; exit 2'),
  sh("trap '' TERM INT; while :; do :; done"),
  sh('exec 1>&- 2>&-; sleep 100'),
  sh('kill -9 $$'),
  { Args: [''] },
  { Args: ['/'] },
  { Args: ['echo', 'a\0b'] },
  { Args: ['a\0b'] },
  { Args: ['/no/such/program'] },
  { Args: ['echo', 'x'.repeat(300_000)] },
  { OSService: '--help; exit 0' },
  { OSService: '\0' },
];

/** A container runtime that does what none may. */
const RUNTIME: ContainerProbe = ({ containerId }, maxOutputBytes) => {
  if (containerId === 'throws-early') throw new Error('100% thrown');
  return (signal) => {
    if (containerId === 'throws') throw new Error('100% thrown');
    if (containerId === 'rejects') return Promise.reject('not even an error');
    if (containerId === 'chatters') return Promise.resolve(passing('é'.repeat(maxOutputBytes * 9)));
    if (containerId === 'hangs') return new Promise(() => undefined);
    return new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(new Error('over')), { once: true });
    });
  };
};

const CONTAINERS = ['throws-early', 'throws', 'rejects', 'hangs', 'waits'].map((id) => ({
  DockerContainerID: id,
  Args: ['true'],
}));

const BAD_TARGETS = [
  'localhost',
  ':',
  ':0',
  'a b:80',
  '127.0.0.1:x',
  '127.0.0.1:99999',
  '127.0.0.1:-1',
  '[::1:80',
  '[::1]80',
  '::1:80',
  '[%]:1',
  '%zz:80',
  'nul\0:80',
  'é\u{1f600}:1',
  '169.254.169.254:80',
  '[fe80::1]:80',
  '[::ffff:a9fe:a9fe]:80',
  '//:80',
  'unix:///etc/passwd:1',
  `${'long.'.repeat(2000)}:80`,
  '127.0.0.1:1',
];

describe('every kind of check', () => {
  afterEach(stopHostileServers);

  /** Lets one check look once, to its timeout if need be. */
  async function lookOnce(given: Partial<CheckSpec>) {
    const local = new LocalState();
    const clock = new FakeClock();
    const checks = new CheckSet({
      local,
      clock,
      // The first look is at once.
      random: { ...seededRandom(1), next: () => 0 },
      maxOutputBytes: () => MAX_OUTPUT,
      containerProbe: RUNTIME,
      nodes: { own: 'n1', checksOf: () => new Promise(() => undefined) },
    });
    const spec = checkFromConfig({
      CheckID: 'c',
      Name: JSON.stringify(given).slice(0, 80),
      Interval: 60e9,
      Timeout: TIMEOUT_MS * 1e6,
      Status: 'warning',
      ...given,
    });
    const check = { definition: checkDefinition(spec), spec, token: '', source: 'api' as const };
    local.putCheck(check);
    checks.start(check);
    const found = () => local.checks.get('c')?.definition ?? assert.fail('it is gone');
    return { clock, checks, found, isOver: () => found().Status !== 'warning' };
  }

  type Looking = Awaited<ReturnType<typeof lookOnce>>;

  /** Begins the look; its time is over only when the spec says so. */
  async function begin(given: Partial<CheckSpec>): Promise<Looking> {
    const looking = await lookOnce(given);
    await looking.clock.advance(0);
    return looking;
  }

  /** Most looks end by what they meet; the time of the others is over after a while. */
  async function end({ clock, isOver, found }: Looking): Promise<void> {
    await until(isOver, undefined, PATIENCE_MS).catch(() => clock.advance(TIMEOUT_MS + 100));
    await until(isOver, () => `the look at ${JSON.stringify(found())} does not end`);
  }

  function assertCritical({ found }: Looking, what: string): void {
    const { Status, Output } = found();
    assert.equal(Status, 'critical', `${what}: ${Output}`);
    assert.notEqual(Output.trim(), '', `${what} says nothing`);
    const bytes = Buffer.byteLength(Output);
    assert.ok(bytes <= MAX_BYTES, `${what}: ${bytes} bytes`);
    assert.ok(!Output.includes('\ufffd') || what.includes('random'), `${what}: cut in a character`);
  }

  it('is covered here', () => {
    const aimed = NETWORK.map((aim) => aim('x:1'));
    const covered = [...aimed, ...PROGRAMS, ...CONTAINERS].map((c) =>
      checkType(checkFromConfig(c)),
    );
    const probed = KINDS.filter(({ probe }) => probe !== undefined).map(({ type }) => type);
    assert.deepEqual([...new Set(covered)].sort(), [...probed].sort());
  });

  for (const { name, serve } of HOSTILE) {
    it(`holds against a server: ${name}`, async () => {
      const server = await serve();
      const looks = NETWORK.map((aim) => ({ given: aim(server.host) }));
      for (const { given } of looks) {
        const { total } = server.connections();
        const looking = await begin(given);
        const what = `${checkType(checkFromConfig(given))} at a server: ${name}`;
        if (given.UDP === undefined) {
          await until(() => looking.isOver() || server.connections().total > total);
        }
        await end(looking);
        // That a connection can be made is all that these ask.
        const { Status } = looking.found();
        if (Status !== 'passing') assertCritical(looking, what);
        else assert.ok(given.TCP ?? given.H2PING ?? given.HTTP ?? given.UDP, what);
        looking.checks.stop();
      }
      await until(
        () => server.connections().open === 0,
        () => `${server.connections().open} connections are open`,
      );
    });
  }

  it('reaches no link-local address, however it is written', async () => {
    const written = ['169.254.169.254', '2852039166', '0xa9fea9fe', '0251.0376.0251.0376'];
    const inSix = [
      '::ffff:169.254.169.254',
      '::ffff:a9fe:a9fe',
      '64:ff9b::a9fe:a9fe',
      'fe80::1%lo',
    ];
    const hosts = [...written, '169.254.43518', ...inSix.map((address) => `[${address}]`)];
    for (const host of hosts) {
      for (const aim of NETWORK) {
        const looking = await begin(aim(`${host}:80`));
        await until(looking.isOver, () => `${JSON.stringify(aim(host))} was not refused at once`);
        assertCritical(looking, host);
        const { Output } = looking.found();
        assert.match(Output, /link-local|invalid character in host name/, Output);
        looking.checks.stop();
      }
    }
  });

  it('holds against a UDP server that answers garbage', async () => {
    const socket = createSocket('udp4');
    socket.on('message', (_, { port, address }) =>
      socket.send(Buffer.alloc(9000, 0xff), port, address),
    );
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    const looking = await begin({ UDP: `127.0.0.1:${socket.address().port}` });
    await until(looking.isOver);
    assert.equal(looking.found().Status, 'passing');
    looking.checks.stop();
    socket.close();
  });

  it('is critical at a target that is none', async () => {
    for (const target of BAD_TARGETS) {
      for (const aim of NETWORK) {
        const given = aim(target);
        const looking = await begin(given);
        await end(looking);
        const quiet = given.UDP !== undefined && looking.found().Status === 'passing';
        if (!quiet) assertCritical(looking, `${JSON.stringify(given).slice(0, 100)}`);
        looking.checks.stop();
      }
    }
  });

  it('is critical where HTTP itself cannot be spoken', async () => {
    const bad: readonly Partial<CheckSpec>[] = [
      { HTTP: 'nourl' },
      { HTTP: 'ftp://x/' },
      { HTTP: 'http://a b/' },
      { HTTP: 'http://127.0.0.1:1/', Method: 'BA D' },
      { HTTP: 'http://127.0.0.1:1/', Header: { 'x y': ['1'] } },
      { HTTP: 'http://127.0.0.1:1/', Header: { x: ['a\nb'] } },
      { HTTP: 'http://127.0.0.1:1/', Header: { Host: [] } },
      { HTTP: 'http://127.0.0.1:1/', Header: { 'Content-Length': ['-5'] }, Body: 'x' },
      { HTTP: `http://127.0.0.1:1/${'u'.repeat(1 << 19)}` },
    ];
    for (const given of bad) {
      const looking = await begin(given);
      await end(looking);
      assertCritical(looking, JSON.stringify(given).slice(0, 100));
      looking.checks.stop();
    }
  });

  for (const given of PROGRAMS) {
    const name = JSON.stringify(given).slice(0, 60).replaceAll('\\u0000', 'NUL');
    it(`holds against a program: ${name}`, async () => {
      const looking = await begin(given);
      if (given.Args?.[0] !== 'sh') await until(looking.isOver);
      await end(looking);
      assertCritical(looking, name);
      looking.checks.stop();
    });
  }

  it('holds against a container runtime that throws, rejects, hangs or chatters', async () => {
    for (const given of CONTAINERS) {
      const looking = await begin(given);
      await end(looking);
      assertCritical(looking, given.DockerContainerID);
      looking.checks.stop();
    }
    const looking = await begin({ DockerContainerID: 'chatters', Args: ['true'] });
    await until(looking.isOver);
    assert.ok(Buffer.byteLength(looking.found().Output) <= MAX_BYTES);
    looking.checks.stop();
  });

  it('holds where the other node never answers', async () => {
    const looking = await begin({ Interval: 0, AliasNode: 'other' });
    await looking.clock.advance(11_000);
    assertCritical(looking, 'an alias');
    looking.checks.stop();
  });
});
