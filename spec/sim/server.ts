/** A registry server of the world: its machine with what is on its disk, and the process on it now. */
import { Outlook } from '../../agent/checks/outlook.ts';
import { introductionRoutes } from '../../agent/http/introduction.ts';
import { OwnBeat } from '../../cli/process/own-beat.ts';
import { describeChain } from '../../lib/errors.ts';
import { createApp } from '../../lib/http/app.ts';
import { FastPath } from '../../lib/http/fast/fast-path.ts';
import { Listener } from '../../lib/http/listener.ts';
import { anyone } from '../../lib/http/right.ts';
import type { Route } from '../../lib/http/route.ts';
import { param } from '../../lib/http/takes.ts';
import { MAX_JSON_BODY_BYTES, MAX_KV_VALUE_BYTES } from '../../lib/limits.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Beat } from '../../lib/membership.ts';
import type { CheckStatus } from '../../lib/model.ts';
import { parseKey } from '../../lib/seal/key.ts';
import type { Keyring } from '../../lib/seal/keyring.ts';
import { MemoryLeases } from '../../server/cluster/memory-leases.ts';
import { eurekaRouter } from '../../server/eureka/application.ts';
import { FileLog } from '../../server/log/file/file-log.ts';
import { parseRedisUrl } from '../../server/log/redis/link/options.ts';
import { RedisLog } from '../../server/log/redis/log/redis-log.ts';
import { BallotFile } from '../../server/log/redis/repair/ballot-file.ts';
import { SealedLog } from '../../server/log/sealed/sealed-log.ts';
import { SealedPayloads } from '../../server/log/sealed/sealed-payloads.ts';
import { Server, type Storage } from '../../server/server.ts';
import { type Complaint, loggerOf } from './complaints.ts';
import { DESK_TARGET } from './desk.ts';
import type { History } from './history.ts';
import { BLAMED_MS, SimDisk, STARTED_AGAIN_MS } from './world/disk.ts';
import type { Machine } from './world/machine.ts';
import type { Network } from './world/network.ts';
import type { World } from './world/world.ts';

const HTTP_PORT = 8500;
const SESSION_TTL_MIN_MS = 1000;
/** A Redis is given up by then; a disk is waited for. */
const [PENDING_MS, NEVER_MS] = [2000, Number.POSITIVE_INFINITY];
const RECONNECT_MS = 72 * 3600_000;
/** Of what checks say. */
const OUTPUT_BYTES = 4096;
/** So small that a run of a minute goes beyond them. */
const RING = { minMs: 3000, minEntries: 50, maxBytes: 1024 * 1024 };
const SEGMENTS = { segmentBytes: 64 * 1024, allocateBytes: 16 * 1024 };

/** Who brings a token has its rights; who brings none may do anything, so that others need none. */
export const MANAGEMENT = '99999999-0000-4000-8000-000000000000';
const ACCESS = {
  defaultPolicy: 'allow',
  initialManagement: MANAGEMENT,
  keyListPolicy: false,
  reportsFiltered: false,
  dataDir: '',
} as const;

export interface SimServerOptions {
  readonly world: World;
  readonly network: Network;
  readonly history: History;
  /** Whether tokens say who may do what. */
  readonly hasAccess: boolean;
  /** The key that seals the log to begin with; undefined where it is in the clear. */
  readonly key: string | undefined;
  /** Of the Redis; undefined for a log in files. */
  readonly url: string | undefined;
  readonly number: number;
  readonly servers: number;
}

export class SimServer {
  readonly machine: Machine;
  readonly port: number;
  /** What it logged at ERROR. */
  readonly complaints: Complaint[] = [];
  readonly #disk: SimDisk;
  readonly #options: SimServerOptions;
  readonly #id: string;
  /** Since when nobody answers there; undefined while it runs. */
  downSince: number | undefined;
  /** Called once, when it has one key less on its disk. */
  onForgotten: () => void = () => undefined;
  /** As on its disk: it is written and synced in one go, before anything is sealed under it. */
  #keyring: Keyring | undefined;
  #process: Server | undefined;
  #beats: OwnBeat | undefined;
  #listener: Listener | undefined;

  constructor(options: SimServerOptions) {
    this.#options = options;
    const { world, number } = options;
    this.machine = world.machine(`s${number}`);
    this.port = HTTP_PORT + number;
    this.#disk = new SimDisk(world, this.machine);
    this.#id = `00000000-0000-4000-8000-00000000000${number}`;
    const { key } = options;
    if (key === undefined) return;
    this.#keyring = { version: 0, keys: [parseKey(key)], retired: [], removed: [] };
  }

  /** The keys that it would begin with, if it were started again. */
  get keptKeys(): readonly string[] {
    const { keys = [], retired = [] } = this.#keyring ?? {};
    return [...keys, ...retired].map(({ text }) => text);
  }

  /** The process, for verdicts that look inside. */
  get process(): Server | undefined {
    return this.#process;
  }

  async start(): Promise<void> {
    const { world } = this.#options;
    await world.on(this.machine, () => this.#begin());
  }

  /** kill -9, and another process a while later; where the power went too, with what was synced. */
  restart(downMs: number, losesPower = false): void {
    const { world, network } = this.#options;
    network.killed(this.machine, losesPower ? downMs : 0);
    world.kill(this.machine);
    this.#disk.crash(losesPower);
    this.#process = undefined;
    this.downSince ??= world.now;
    world.at(this.machine, downMs, () => void this.#begin().catch((error) => this.#failed(error)));
  }

  /** It cannot go on: where its disk is to blame it ends, and somebody starts it again. */
  #failed(error: unknown): void {
    const { world } = this.#options;
    if (this.#disk.failedAt < world.now - BLAMED_MS) {
      world.fail(error);
      return;
    }
    world.say(`${this.machine.name} ends: ${describeChain(error)}`);
    this.restart(STARTED_AGAIN_MS);
  }

  get disk(): SimDisk {
    return this.#disk;
  }

  /** The power goes between a write and the n-th sync from here, the one that is to make it durable. */
  losePowerAtSync(n: number, downMs: number): void {
    this.#disk.beforeSync(n, () => this.restart(downMs, true));
  }

  /** As by SIGTERM. */
  async stop(): Promise<void> {
    await this.#options.world.on(this.machine, async () => {
      this.#beats?.stop();
      await Promise.all([this.#process?.stop(), this.#listener?.stop()]);
    });
  }

  /** How many clients wait for a change. */
  get waiting(): number {
    return this.#process?.answers.waiting ?? 0;
  }

  get openFiles(): number {
    return this.#disk.openFiles;
  }

  /** By itself, as one that is due. */
  saveSnapshot(): void {
    const { world } = this.#options;
    world.at(this.machine, 0, () => this.#process?.saveSnapshotSoon());
  }

  async #begin(): Promise<void> {
    const { world, number, history, hasAccess, url } = this.#options;
    const clock = world.clockOf(this.machine);
    const logger = loggerOf(world, this.machine, this.complaints);
    const payloads = this.#payloads(logger);
    const plain = this.#storage(logger, payloads, () => server.saveSnapshotSoon());
    const sealed = payloads === undefined ? plain.log : new SealedLog(plain.log, payloads);
    const log = history.watched(sealed, this.machine, url === undefined ? NEVER_MS : PENDING_MS);
    const system = { clock, random: world.random, logger };
    const lookout = new Outlook({ ...system, maxOutputBytes: () => OUTPUT_BYTES });
    const server = new Server({
      storage: { ...plain, log, payloads },
      system,
      self: {
        id: this.#id,
        node: this.machine.name,
        datacenter: 'dc1',
        domain: 'consul.',
        address: `10.0.0.${number}:8300`,
      },
      rules: {
        sessionTtlMinMs: SESSION_TTL_MIN_MS,
        limits: { kvValueBytes: MAX_KV_VALUE_BYTES, txnBytes: MAX_JSON_BODY_BYTES },
        reconnectTimeoutMs: RECONNECT_MS,
        agentless: { outputMs: 300_000, deregisterMinMs: 60_000, lookout },
        ...(hasAccess && { acl: ACCESS }),
      },
      onFatal: (error) => this.#failed(error),
    });
    this.#process = server;
    server.notifier.takeOver([DESK_TARGET]);
    await server.start();
    this.#beats = new OwnBeat({
      beat: this.#beat(),
      take: (beat) => server.members.beat(beat),
      clock,
      logger,
      on: { unknown: () => undefined, refused: (error) => world.fail(error) },
    });
    await this.#beats.start();
    await this.#listen(server, logger);
    this.downSince = undefined;
  }

  /** As a start of the process would have it: of what was kept nothing but the keys. */
  #payloads(logger: Logger): SealedPayloads | undefined {
    if (this.#keyring === undefined) return undefined;
    const { keys, retired } = this.#keyring;
    return new SealedPayloads({
      datacenter: 'dc1',
      keyring: { version: 0, keys: [...keys, ...retired], retired: [], removed: [] },
      keep: (kept) => {
        const before = this.keptKeys.length;
        this.#keyring = kept;
        if (this.keptKeys.length < before) this.onForgotten();
      },
      refusesPlain: true,
      seals: true,
      logger,
    });
  }

  #storage(
    logger: Logger,
    payloads: SealedPayloads | undefined,
    onSnapshotNeeded: () => void,
  ): Storage {
    const { world, url, servers } = this.#options;
    const clock = world.clockOf(this.machine);
    if (url === undefined) {
      const log = new FileLog({
        folder: '/log',
        clock,
        logger,
        onFatal: (error) => this.#failed(error),
        ...(payloads && { payloads }),
        disk: {
          fileSystem: this.#disk,
          lock: async () => async () => undefined,
          limits: SEGMENTS,
        },
      });
      return { log, leases: new MemoryLeases(clock) };
    }
    const log = new RedisLog({
      redis: parseRedisUrl(url),
      self: {
        datacenter: 'dc1',
        server: this.machine.name,
        servers,
        ballots: new BallotFile('/data'),
        ...(payloads && { payloads }),
      },
      clock,
      logger,
      on: { snapshotNeeded: onSnapshotNeeded },
      bounds: { ring: RING },
    });
    return { log, leases: log.leases };
  }

  async #listen(server: Server, logger: Logger): Promise<void> {
    const self = { ID: this.#id, Node: this.machine.name, Datacenter: 'dc1' };
    const servers = () => server.members.servers();
    const { access } = server;
    const paths = server.eurekaPaths();
    const eureka = eurekaRouter({ paths, access, guards: [], logger });
    const fastPath = new FastPath();
    const routes = [
      ...server.routes(),
      beats(server, 'pass', 'passing'),
      beats(server, 'warn', 'warning'),
      ...introductionRoutes({ ...self, servers }),
    ];
    this.#listener = new Listener({
      listener: createApp({ routes, access, mounted: [eureka] }, { fastPath, logger }),
      shortcut: fastPath,
      at: { host: '127.0.0.1', port: this.port },
      limits: { connectionsPerAddress: () => 0 },
    });
    await this.#listener.start();
  }

  /** Agents reach it where everybody does: on this network a port says which machine is meant. */
  #beat(): Beat {
    return {
      ID: this.#id,
      Node: this.machine.name,
      Datacenter: 'dc1',
      Address: `10.0.0.${this.#options.number}`,
      LanPort: this.port,
      Tags: { role: 'consul', port: String(this.port) },
    };
  }
}

/** What the agent of the server's node does with a beat of what it does not know. */
function beats(server: Server, how: string, status: CheckStatus): Route {
  return {
    method: 'PUT',
    path: `/v1/agent/check/${how}/`,
    rest: 'check',
    params: { node: param.text('whose check it is'), note: param.text('its output') },
    right: anyone,
    does: 'takes a beat',
    handle: async (request) => {
      const node = request.params.get('node');
      const output = request.params.get('note');
      const said = { id: request.rest, node, status, output } as const;
      return { status: (await server.reports().report(request, said)) ? 200 : 404 };
    },
  };
}
