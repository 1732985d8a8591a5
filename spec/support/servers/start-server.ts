/** A registry server of a spec's own: memory log, fake clock, seeded chance, a port of its own. */

import {
  type Agent as HttpAgent,
  request as httpRequest,
  type IncomingHttpHeaders,
} from 'node:http';
import type { AccessControl } from '../../../lib/acl/rights.ts';
import { createApp } from '../../../lib/http/app.ts';
import type { Audit } from '../../../lib/http/audit.ts';
import { FastPath } from '../../../lib/http/fast/fast-path.ts';
import { Listener } from '../../../lib/http/listener.ts';
import type { Waits } from '../../../lib/http/waits.ts';
import { decodeJson } from '../../../lib/json.ts';
import { MAX_JSON_BODY_BYTES, MAX_KV_VALUE_BYTES } from '../../../lib/limits.ts';
import { type Logger, silentLogger } from '../../../lib/logger.ts';
import { MemoryLeases } from '../../../server/cluster/memory-leases.ts';
import type { ConnectRules } from '../../../server/connect/authority.ts';
import type { Lookout } from '../../../server/external/lookout.ts';
import type { WriteLimits } from '../../../server/http/deps.ts';
import type { EventLog } from '../../../server/log/event-log.ts';
import { MemoryLog } from '../../../server/log/memory-log.ts';
import { SealedLog } from '../../../server/log/sealed/sealed-log.ts';
import type { SealedPayloads } from '../../../server/log/sealed/sealed-payloads.ts';
import { type AclRules, Server } from '../../../server/server.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { seededRandom } from '../fakes/seeded-random.ts';
import { FAST_PATH } from '../seed.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** With bigints where a number would lose digits. */
  readonly json: unknown;
  readonly index: number;
}

export interface Sent {
  readonly body?: string | Buffer | object;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** To keep connections; without it each request has its own. */
  readonly agent?: HttpAgent;
}

export interface TestServer {
  readonly clock: FakeClock;
  readonly server: Server;
  readonly port: number;
  /** Turned off by FAST_PATH=off, with which bin/test runs the specs of HTTP once more. */
  readonly fastPath: FastPath;
  /** How many requests Node's parser has seen; the fast path answered the others. */
  readonly parsed: () => number;
  readonly get: (path: string, sent?: Sent) => Promise<Answer>;
  readonly put: (path: string, body?: Sent['body'], sent?: Sent) => Promise<Answer>;
  readonly del: (path: string) => Promise<Answer>;
  readonly ask: (method: string, path: string, sent?: Sent) => Promise<Answer>;
}

const running: (() => Promise<void>)[] = [];

/** Mocha's root hook, set up by spec/support/hooks.ts: whatever a spec started ends with it. */
export async function stopServers(): Promise<void> {
  for (const stop of running.splice(0)) await stop();
}

/** The last that was begun ends first. */
export function atEnd(stop: () => Promise<void>): void {
  running.unshift(stop);
}

interface StartOptions {
  readonly logger?: Logger;
  readonly wrap?: (log: EventLog) => EventLog;
  readonly start?: (server: Server) => Promise<void>;
  readonly limits?: WriteLimits;
  /** Its log is sealed by these. */
  readonly payloads?: SealedPayloads;
  readonly access?: AccessControl;
  readonly acl?: AclRules;
  readonly lookout?: Lookout;
  readonly connect?: ConnectRules;
  readonly waits?: Waits;
  readonly measuresPlaces?: boolean;
  /** Of its chance: several servers of one log have one each. */
  readonly seed?: number;
  readonly audit?: (server: Server, clock: FakeClock) => Audit;
}

export function startServer(
  logger?: Logger,
  wrap?: StartOptions['wrap'],
  start?: StartOptions['start'],
  limits?: WriteLimits,
): Promise<TestServer> {
  return startServerWith({
    ...(logger && { logger }),
    ...(wrap && { wrap }),
    ...(start && { start }),
    ...(limits && { limits }),
  });
}

function logOf(clock: FakeClock, payloads: SealedPayloads | undefined): EventLog {
  if (payloads === undefined) return new MemoryLog({ clock });
  return new SealedLog(new MemoryLog({ clock, payloads }), payloads);
}

export async function startServerWith(options: StartOptions): Promise<TestServer> {
  const {
    logger = silentLogger,
    wrap = (log: EventLog) => log,
    start = (each: Server) => each.start(),
    limits = { kvValueBytes: MAX_KV_VALUE_BYTES, txnBytes: MAX_JSON_BODY_BYTES },
    access,
    payloads,
    acl,
    connect,
  } = options;
  const clock = new FakeClock();
  const random = seededRandom(options.seed ?? 1);
  const server = new Server({
    storage: { log: wrap(logOf(clock, payloads)), payloads, leases: new MemoryLeases(clock) },
    system: { clock, random, logger },
    self: {
      id: random.uuid(),
      node: 'n1',
      datacenter: 'dc1',
      domain: 'consul.',
      address: '127.0.0.1:8300',
    },
    rules: {
      sessionTtlMinMs: 10_000,
      limits,
      reconnectTimeoutMs: 72 * 3600_000,
      agentless: { outputMs: 300_000, deregisterMinMs: 60_000, lookout: options.lookout },
      ...(access && { access }),
      ...(acl && { acl }),
      ...(connect && { connect }),
      measuresPlaces: options.measuresPlaces ?? true,
    },
    onFatal: (error) => {
      throw error;
    },
  });
  await start(server);
  const { waits } = options;
  const fastPath = new FastPath({ waits });
  const fast = FAST_PATH ? fastPath : undefined;
  const audit = options.audit?.(server, clock);
  const app = createApp(
    { routes: server.routes(), access: server.deps.access },
    { guards: waits ? [waits.admit] : [], ...(fast && { fastPath: fast }), audit, logger },
  );
  let parsed = 0;
  const listener = new Listener({
    listener: (message, response) => {
      parsed++;
      app(message, response);
    },
    shortcut: fast,
    at: { host: '127.0.0.1', port: 0 },
    limits: { connectionsPerAddress: () => 0 },
  });
  await listener.start();
  running.push(async () => {
    const closed = listener.stop();
    await server.stop();
    await closed;
  });
  const { port } = listener;
  const ask = (method: string, path: string, sent: Sent = {}) => send(port, method, path, sent);
  return {
    clock,
    server,
    port,
    fastPath,
    parsed: () => parsed,
    ask,
    get: (path, sent) => ask('GET', path, sent),
    put: (path, body, sent) =>
      ask('PUT', path, { ...sent, ...(body === undefined ? {} : { body }) }),
    del: (path) => ask('DELETE', path),
  };
}

/** The path goes out byte for byte: a URL class would tidy up what a spec wants untidy. */
export function send(port: number, method: string, path: string, sent: Sent): Promise<Answer> {
  const { body, headers = {}, signal, agent = false } = sent;
  const isText = body === undefined || typeof body === 'string' || Buffer.isBuffer(body);
  const data = isText ? body : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { host: '127.0.0.1', port, method, path, agent, headers, signal },
      (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(parts).toString();
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text,
            get json() {
              return decodeJson(text);
            },
            index: Number(response.headers['x-consul-index'] ?? 0),
          });
        });
      },
    );
    request.on('error', reject);
    request.end(data);
  });
}
