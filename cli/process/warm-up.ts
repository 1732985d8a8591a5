/**
 * V8 compiles what is asked often, so the first thousands of writes that a process takes cost it twice what those
 * cost that follow. A server that has begun therefore has some asked of servers in memory that nobody else can
 * reach, and throws those away: see docs/decisions/warm-up.md.
 */
import type { Socket } from 'node:net';
import { describeChain } from '../../lib/errors.ts';
import { createApp } from '../../lib/http/app.ts';
import { FastPath } from '../../lib/http/fast/fast-path.ts';
import { Listener } from '../../lib/http/listener.ts';
import { MAX_JSON_BODY_BYTES, MAX_KV_VALUE_BYTES } from '../../lib/limits.ts';
import { silentLogger } from '../../lib/logger.ts';
import type { System } from '../../lib/system.ts';
import { isTraced } from '../../lib/tracing.ts';
import { MemoryLeases } from '../../server/cluster/memory-leases.ts';
import { FileLog } from '../../server/log/file/file-log.ts';
import { Server } from '../../server/server.ts';
import { nowhere } from './nowhere.ts';
import { destroyPairs, socketPairs } from './socket-pairs.ts';

/** More of them save hardly anything more. */
const REQUESTS = 2000;
/** By the second one V8 learns what is one server's, and what is any server's. */
const SERVERS = 2;
const CLIENTS = 8;
/** Instances that are registered again and again. */
const INSTANCES = 200;
/** What others have written meanwhile has done the same. */
const WRITES_OF_OTHERS = 200;
const MAX_MS = 10_000;
/** As Go's clients write a head, curl, and Node: V8 knows the headers of each by a form of their own. */
const HEADERS = [
  'User-Agent: Go-http-client/1.1\r\nContent-Type: application/json\r\nAccept-Encoding: gzip\r\n',
  'User-Agent: curl/8\r\nAccept: */*\r\n',
  'Connection: keep-alive\r\n',
];

export interface WarmUpDeps {
  readonly system: System;
  /** How many writes the process's own server has applied. */
  readonly applied: () => number;
  readonly requests?: number;
}

export class WarmUp {
  readonly #deps: WarmUpDeps;
  readonly #ending = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #asked = 0;

  constructor(deps: WarmUpDeps) {
    this.#deps = deps;
  }

  /** How many requests were answered. */
  get asked(): number {
    return this.#asked;
  }

  /** Begins it, and waits for nothing. What cannot be done is left. */
  start(): void {
    // Nobody is to see spans of it.
    if (isTraced()) return;
    const { clock, logger } = this.#deps.system;
    const cancel = clock.after(MAX_MS, () => this.#ending.abort());
    this.#running = this.#run()
      .catch((error: unknown) => logger.debug(`server: not warm: ${describeChain(error)}`))
      .finally(cancel);
  }

  /** Resolves when it is over. */
  over(): Promise<void> {
    return this.#running;
  }

  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { applied, requests = REQUESTS } = this.#deps;
    const { signal } = this.#ending;
    const others = applied() + WRITES_OF_OTHERS;
    const wants = () => !signal.aborted && applied() < others;
    for (let n = 1; n <= SERVERS && wants(); n++) {
      await this.#askOne((asked) => wants() && asked < (requests * n) / SERVERS);
    }
  }

  async #askOne(wants: (asked: number) => boolean): Promise<void> {
    const { signal } = this.#ending;
    const server = serverInMemory(this.#deps.system, () => this.#ending.abort());
    const pairs = await socketPairs(CLIENTS, signal);
    const end = () => destroyPairs(pairs);
    signal.addEventListener('abort', end);
    try {
      await server.start();
      const listener = listenerOf(server);
      for (const { theirs } of pairs) listener.server.emit('connection', theirs);
      let next = this.#asked;
      const asking = pairs.map(async ({ own }) => {
        const client = new Client(own);
        while (wants(next)) {
          await client.ask(requestOf(next++));
          this.#asked++;
        }
      });
      await Promise.all(asking);
    } finally {
      signal.removeEventListener('abort', end);
      end();
      await server.stop();
    }
  }
}

function serverInMemory({ clock, random }: System, onFatal: () => void): Server {
  const log = new FileLog({ folder: '', clock, logger: silentLogger, onFatal, disk: nowhere() });
  return new Server({
    storage: { log, leases: new MemoryLeases(clock) },
    system: { clock, random, logger: silentLogger },
    self: {
      ...{ id: random.uuid(), node: 'warm', address: '127.0.0.1:8300' },
      ...{ datacenter: 'dc1', domain: 'consul.' },
    },
    rules: {
      sessionTtlMinMs: MAX_MS,
      limits: { kvValueBytes: MAX_KV_VALUE_BYTES, txnBytes: MAX_JSON_BODY_BYTES },
      reconnectTimeoutMs: MAX_MS,
      agentless: { outputMs: MAX_MS, deregisterMinMs: MAX_MS },
    },
    onFatal,
  });
}

/** It listens nowhere, and is handed its connections. */
function listenerOf(server: Server): Listener {
  const shortcut = new FastPath();
  const options = { fastPath: shortcut, logger: silentLogger };
  return new Listener({
    at: { host: '', port: 0 },
    listener: createApp({ routes: server.routes() }, options),
    limits: { connectionsPerAddress: () => 0 },
    shortcut,
  });
}

/** Mostly registrations, which take most. */
function requestOf(n: number): string {
  const i = n % INSTANCES;
  const service = `warm-${i % 50}`;
  if (n % 8 === 6) return put(`/v1/kv/warm/${i}`, `value-${n}`, n);
  if (n % 8 === 7)
    return `GET /v1/health/service/${service}?passing HTTP/1.1\r\nHost: warm\r\n\r\n`;
  const ServiceID = `warm-${i}`;
  const Service = { ID: ServiceID, Service: service, Tags: ['v1'], Port: 8000 + n };
  const Check = { CheckID: `check-${i}`, Name: 'check', Status: 'passing', ServiceID };
  const body = { Node: `node-${i % 50}`, Address: '192.0.2.1', Service, Check };
  return put('/v1/catalog/register', JSON.stringify(body), n);
}

function put(target: string, body: string, n: number): string {
  const head = `PUT ${target} HTTP/1.1\r\nHost: warm\r\n${HEADERS[n % HEADERS.length]}`;
  return `${head}Content-Length: ${body.length}\r\n\r\n${body}`;
}

/** One request after another. Their answers are small, and come in one piece. */
class Client {
  readonly #socket: Socket;
  #answered: () => void = () => undefined;
  #failed: (error: Error) => void = () => undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', () => this.#answered());
    socket.on('close', () => this.#failed(brokenOff()));
  }

  ask(request: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#answered = resolve;
      this.#failed = reject;
      if (this.#socket.destroyed) reject(brokenOff());
      else this.#socket.write(request);
    });
  }
}

function brokenOff(): Error {
  return new Error('the connection has ended');
}
