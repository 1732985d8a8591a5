/**
 * Endpoint discovery for Envoy and for clients of gRPC, of whatever agent or server it is in: it asks that as a
 * client does, and knows nothing else of it. Nothing of gRPC is loaded before the first client comes.
 */
import type { Socket } from 'node:net';
import type { AccessControl } from '../lib/acl/rights.ts';
import type { Cancel } from '../lib/clock.ts';
import type { Route } from '../lib/http/route.ts';
import type { Metric } from '../lib/metrics/metric.ts';
import type { System } from '../lib/system.ts';
import type { DoorOptions } from '../lib/tls/handshakes.ts';
import { GrpcListener, type ListenAddress } from './listener.ts';
import type { AskAgent } from './questions.ts';
import { Polls, restRoutes } from './rest.ts';
import type { Serving, ServingOptions } from './serving/serve.ts';
import { Views } from './views.ts';
import { Worlds, type WorldsOptions } from './worlds.ts';
import { xdsMetrics } from './xds-metrics.ts';

export interface XdsOptions {
  readonly ask: AskAgent;
  /** Who a token is; '' is whoever brings none. */
  readonly access: AccessControl;
  readonly place: WorldsOptions;
  /** Whether the state may be shown. */
  readonly isReady: () => boolean;
  /** As of views. */
  readonly caughtUp: () => Promise<boolean>;
  readonly system: System;
  readonly listens: readonly Listens[];
  /** Loads what speaks gRPC; called when the first client comes. */
  readonly load: (options: ServingOptions) => Promise<Serving>;
  /** Of one address. */
  readonly maxConnections: () => number;
}

export interface Listens {
  readonly at: ListenAddress;
  readonly door: DoorOptions | undefined;
}

/** After which tokens are looked at again, and whether the state may be shown. */
const REVIEW_MS = 1000;

export class Xds {
  readonly #options: XdsOptions;
  readonly #views: Views;
  readonly #worlds: Worlds;
  readonly #polls: Polls;
  readonly #listeners: readonly GrpcListener[];
  readonly #counts = { streams: 0, answers: 0, refusals: 0 };
  #serving: Promise<Serving> | undefined;
  #cancelReview: Cancel = () => undefined;
  #isOver = false;

  constructor(options: XdsOptions) {
    this.#options = options;
    this.#views = new Views(options);
    this.#worlds = new Worlds(options.place);
    const { maxConnections, listens, system } = options;
    const [views, worlds] = [this.#views, this.#worlds];
    this.#polls = new Polls({ views, worlds, maxConnections, ...system });
    const take = (socket: Socket) => void this.#take(socket);
    this.#listeners = listens.map((each) => new GrpcListener({ ...each, maxConnections, take }));
  }

  get ports(): readonly number[] {
    return this.#listeners.map(({ port }) => port);
  }

  /** Rejects where an address cannot be had. */
  async bind(): Promise<void> {
    for (const listener of this.#listeners) {
      await listener.start();
      this.#options.system.logger.info(`xds: listens at ${listener.where}`);
    }
  }

  /** Of the HTTP API: endpoints for those who poll. */
  routes(): readonly Route[] {
    return restRoutes(this.#polls);
  }

  metrics(): readonly Metric[] {
    return xdsMetrics({ counts: this.#counts, views: this.#views, polls: this.#polls });
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    this.#cancelReview();
    this.#polls.stop();
    this.#views.stop();
    const closed = Promise.all(this.#listeners.map((each) => each.stop()));
    (await this.#serving)?.stop();
    await closed;
  }

  async #take(socket: Socket): Promise<void> {
    this.#serving ??= this.#load();
    const serving = await this.#serving;
    if (this.#isOver) socket.destroy();
    else if (!socket.destroyed) serving.take(socket);
  }

  async #load(): Promise<Serving> {
    const [views, worlds, counts] = [this.#views, this.#worlds, this.#counts];
    const { load, isReady, system } = this.#options;
    const { clock, logger } = system;
    const serving = await load({ views, worlds, counts, isReady, clock, logger });
    this.#reviewLater(serving);
    return serving;
  }

  #reviewLater(serving: Serving): void {
    if (this.#isOver) return;
    this.#cancelReview = this.#options.system.clock.after(REVIEW_MS, () => {
      this.#views.review();
      void serving.review().finally(() => this.#reviewLater(serving));
    });
  }
}
