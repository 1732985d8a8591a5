/** Sidecars in this process, on an agent or server of the spec, with a clock of their own. */
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import type { Clock } from '../../../lib/clock.ts';
import { messageOf, ProconsulError } from '../../../lib/errors.ts';
import { AccessLog, type AccessOutput } from '../../../sidecar/access-log.ts';
import { plainDial } from '../../../sidecar/dial.ts';
import type { Ask } from '../../../sidecar/follow.ts';
import type { Nearness } from '../../../sidecar/nearness.ts';
import { type Listened, Sidecar, type SidecarOptions } from '../../../sidecar/sidecar.ts';
import { Sockets } from '../../../sidecar/sockets.ts';
import { type DialTo, plainUpstream, type Wanted } from '../../../sidecar/upstream-rules.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { RecordingLogger } from '../fakes/recording-logger.ts';
import { seededRandom } from '../fakes/seeded-random.ts';
import { until } from '../until.ts';
import { stopBackends } from './backends.ts';
import { send } from './start-server.ts';

const running: (() => Promise<void>)[] = [];
const callers = new Set<Socket>();

export async function stopSidecars(): Promise<void> {
  for (const caller of callers) caller.destroy();
  callers.clear();
  for (const stop of running.splice(0)) await stop();
  await stopBackends();
}

if (typeof afterEach === 'function') afterEach(stopSidecars);

export function wanted(service: string, more: Partial<Wanted> = {}): Wanted {
  const by = { policy: 'round-robin', protocol: '', zone: '', maxConnections: 100 } as const;
  return { service, ...by, ...more };
}

/** How an upstream is called, once it is known by which clock. */
export type PlainUpstream = (clock: Clock) => Listened;

export function plain(
  service: string,
  more: Partial<Wanted> = {},
  nearness?: Nearness,
): PlainUpstream {
  const at = { host: '127.0.0.1', port: 0 };
  return (clock) => {
    const dialTo: DialTo = (_, connectMs = LIMITS.connectMs) => plainDial(clock, connectMs);
    return { at, ...plainUpstream(wanted(service, more), dialTo, nearness) };
  };
}

/** Of which all is read. */
export function accessOutput(write: (text: string) => void): AccessOutput {
  return { write, waiting: () => 0, unwritten: () => 0 };
}

export const LIMITS = {
  connectMs: 5000,
  idleMs: 60_000,
  tries: 3,
  drainMs: 10_000,
  maxConnections: 100,
  streamIdleMs: 300_000,
  maxBufferBytes: 512 * 1024 * 1024,
};

const REFUSED = { status: 403, text: 'ACL not found', index: undefined };

/** An agent that can be away, and refuse the token. */
export function agentAt(port: number, token = '') {
  const state = { isAway: false, isRefused: false };
  const headers = token === '' ? {} : { 'X-Consul-Token': token };
  const ask: Ask = async ({ path, query, body }, signal) => {
    if (state.isAway) throw new ProconsulError('unavailable', 'the agent is away');
    const pairs = query.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&');
    const sent = { signal, headers, ...(body !== undefined && { body: body.json }) };
    const answer = await send(port, body?.method ?? 'GET', `${path}?${pairs}`, sent).catch(
      (error: unknown) => {
        throw new ProconsulError('unavailable', messageOf(error));
      },
    );
    const { status, text, index } = state.isRefused ? REFUSED : answer;
    const code = status === 403 ? 'forbidden' : 'unavailable';
    if (status !== 200) throw new ProconsulError(code, `${status}: ${text}`);
    return { index: String(index || ''), json: text === '' ? undefined : answer.json };
  };
  return { state, ask };
}

interface HostShown {
  readonly id: string;
  readonly health: string;
  readonly failed: number;
}

export async function startSidecar(
  ask: Ask,
  upstreams: readonly PlainUpstream[],
  more: Partial<SidecarOptions> = {},
) {
  const clock = new FakeClock();
  const logger = new RecordingLogger();
  const lines: string[] = [];
  const sidecar = new Sidecar({
    admin: { host: '127.0.0.1', port: 0 },
    limits: LIMITS,
    agent: { ask, clock, random: seededRandom(1) },
    sockets: new Sockets(),
    logger,
    access: new AccessLog(accessOutput((text) => void lines.push(text))),
    ...more,
  });
  await sidecar.start();
  assert.deepEqual(await sidecar.serve(upstreams.map((each) => each(clock))), []);
  running.push(() => sidecar.stop(0));
  const admin = (path: string) => send(sidecar.adminPort, 'GET', path, {});
  const hosts = async (at = 0) => {
    const { json } = await admin('/hosts');
    return (json as { readonly hosts: readonly HostShown[] }[])[at]?.hosts ?? [];
  };
  /** Until so many of its hosts may be called. */
  const untilHealthy = (count: number, at = 0) =>
    until(async () => {
      const healthy = (await hosts(at)).filter(({ health }) => health === 'healthy').length;
      return healthy === count && (await admin('/ready')).status === 200;
    });
  return { sidecar, clock, logger, lines, admin, hosts, untilHealthy, port: sidecar.ports[0] ?? 0 };
}

/** A caller's connection, and all that came back so far. */
export function call(port: number) {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  callers.add(socket);
  const state = { text: '', ended: false, closed: false, error: '' };
  socket.on('data', (data: Buffer) => {
    state.text += data.toString('latin1');
  });
  socket.on('end', () => {
    state.ended = true;
  });
  socket.on('error', (error) => {
    state.error = (error as NodeJS.ErrnoException).code ?? error.message;
  });
  socket.on('close', () => {
    state.closed = true;
    callers.delete(socket);
  });
  return {
    socket,
    state,
    said: (text: string) =>
      until(
        () => state.text.includes(text),
        () => state,
      ),
  };
}

/** Whose name came back, or how the connection broke. */
export async function whoAnswers(port: number): Promise<string> {
  const { socket, state } = call(port);
  await until(
    () => state.text.includes('\n') || state.closed || state.ended,
    () => state,
  );
  socket.end();
  socket.destroy();
  return state.text.trim() || state.error || 'closed';
}

/** Until nobody is taken there any more. */
export function untilRefused(port: number): Promise<void> {
  return until(async () => {
    const { socket, state } = call(port);
    await until(() => !socket.connecting || state.closed);
    socket.destroy();
    return state.error === 'ECONNREFUSED';
  });
}
