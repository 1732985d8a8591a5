/**
 * etcd beside Proconsul: the same things asked of both, of each by its own protocol and by a client in C, h2load
 * for gRPC as wrk for HTTP; and what each pays for it in processor time, which a busy machine changes least.
 */
import { type ChildProcess, execFile, fork, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:http2';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { freePorts } from '../../spec/support/servers/free-ports.ts';
import { framed, putRequest, rangeRequest } from './etcd-messages.ts';
import { request } from './http.ts';
import { ticksOf } from './registry.ts';

const run = promisify(execFile);
const START_TIMEOUT_MS = 20_000;
const CLIENTS = 32;
const KEY = 'bench';
const VALUE = 'value-1234567';

export interface Etcd {
  readonly version: string;
  readonly port: number;
  ticks(): Promise<number>;
  putsPerSecond(seconds: number): Promise<number>;
  getsPerSecond(seconds: number): Promise<number>;
  /** From a put until the last of so many who watch its key has heard of it. */
  fanOutMs(watchers: number): Promise<number>;
  stop(): Promise<void>;
}

/** Undefined where it, or h2load, is not installed. */
export async function startEtcd(): Promise<Etcd | undefined> {
  const version = await run('etcd', ['--version']).then(
    ({ stdout }) => /etcd Version: (\S+)/.exec(stdout)?.[1] ?? '',
    () => undefined,
  );
  const hasClient = await run('h2load', ['--version']).then(
    () => true,
    () => false,
  );
  if (version === undefined || !hasClient) return undefined;
  const folder = await mkdtemp(path.join(tmpdir(), 'bench-etcd-'));
  const [port = 0, peers = 0] = await freePorts(2);
  const at = (each: number) => `http://127.0.0.1:${each}`;
  const child = spawn(
    'etcd',
    [
      ...['--data-dir', path.join(folder, 'data'), '--log-level', 'error'],
      ...['--listen-client-urls', at(port), '--advertise-client-urls', at(port)],
      ...['--listen-peer-urls', at(peers), '--initial-advertise-peer-urls', at(peers)],
      ...['--initial-cluster', `default=${at(peers)}`],
    ],
    { stdio: 'ignore' },
  );
  await isUp(port);
  const load = async (method: string, message: Buffer, seconds: number) => {
    const body = path.join(folder, method);
    await writeFile(body, framed(message));
    const { stdout } = await run('h2load', [
      ...['-t1', `-c${CLIENTS}`, '-m1', `--duration=${seconds}`, '-d', body],
      ...['-H', 'content-type: application/grpc', '-H', 'te: trailers'],
      `${at(port)}/etcdserverpb.KV/${method}`,
    ]);
    return Number(/finished in [\d.]+s, ([\d.]+) req\/s/.exec(stdout)?.[1]);
  };
  return {
    version,
    port,
    ticks: () => ticksOf(child.pid as number),
    putsPerSecond: (seconds) => load('Put', putRequest(KEY, VALUE), seconds),
    getsPerSecond: (seconds) => load('Range', rangeRequest(KEY), seconds),
    fanOutMs: (watchers) => fanOutMs(port, watchers),
    stop: async () => {
      await end(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function isUp(port: number): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MS;
  for (;;) {
    const answer = await request(port, 'GET', '/health').catch(() => undefined);
    if (answer?.text.includes('true') === true) return;
    if (performance.now() > deadline) throw new Error('etcd did not start');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}

async function fanOutMs(port: number, count: number): Promise<number> {
  const child = fork(path.join(import.meta.dirname, 'etcd-watchers.ts'));
  const said = () =>
    new Promise<{ lastAt?: string }>((resolve, reject) => {
      child.once('message', resolve);
      child.once('exit', () => reject(new Error('the watchers have ended')));
    });
  try {
    const waiting = said();
    child.send({ port, key: 'watched', count });
    await waiting;
    const done = said();
    const from = process.hrtime.bigint();
    await putOnce(port, 'watched', `at ${from}`);
    return Number(BigInt((await done).lastAt ?? 0) - from) / 1e6;
  } finally {
    child.removeAllListeners('exit');
    child.kill('SIGKILL');
  }
}

function putOnce(port: number, key: string, value: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const session = connect(`http://127.0.0.1:${port}`);
    session.once('error', reject);
    const stream = session.request({
      ':method': 'POST',
      ':path': '/etcdserverpb.KV/Put',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    stream.on('data', () => undefined);
    stream.once('error', reject);
    stream.once('end', () => {
      session.close();
      resolve();
    });
    stream.end(framed(putRequest(key, value)));
  });
}
