/** The services that clients of xDS call, over gRPC. Loaded when the first of them comes. */

import type { Duplex } from 'node:stream';
import {
  type Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerOptions,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { messageOf, ProconsulError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Kind } from '../resource.ts';
import type { Views } from '../views.ts';
import type { Worlds } from '../worlds.ts';
import { type DeltaRequest, DeltaSubscription } from './delta-subscription.ts';
import { Health } from './health.ts';
import { Pace } from './pace.ts';
import { Refusals } from './refusals.ts';
import { addressIn, Shares } from './shares.ts';
import { Standing } from './standing.ts';
import { type AnyRequest, Stream, type StreamOptions } from './stream.ts';
import { type WholeRequest, WholeSubscription } from './whole-subscription.ts';
import { HEALTH, SERVICES, Wire } from './wire.ts';

export interface ServingOptions {
  readonly views: Views;
  readonly worlds: Worlds;
  readonly logger: Logger;
  /** Whether the state may be shown; until then nobody is answered. */
  readonly isReady: () => boolean;
  readonly counts: ServingCounts;
}

/** Of all streams of a process. */
export interface ServingCounts {
  streams: number;
  answers: number;
  refusals: number;
}

/** Of a process; each takes some ten kilobytes, and more by what it asks for. */
export const MAX_STREAMS = 10_000;
/** Names of ten thousand clusters. */
const MAX_REQUEST_BYTES = 1024 * 1024;

const OPTIONS: ServerOptions = {
  'grpc.max_receive_message_length': MAX_REQUEST_BYTES,
  'grpc.max_send_message_length': -1,
  // As Consul's.
  'grpc.max_concurrent_streams': 2048,
  // A client that is gone without a word is noticed.
  'grpc.keepalive_time_ms': 30_000,
  'grpc.keepalive_timeout_ms': 20_000,
  'grpc.enable_channelz': 0,
};

/** Once for a process: to read the schema takes a quarter of a second of its processor. */
const WIRE = new Wire();

type Call<Request> = ServerDuplexStream<Request, Buffer>;
type Whole = AnyRequest & WholeRequest;
type Delta = AnyRequest & DeltaRequest;

interface Serves<Request extends AnyRequest> {
  readonly kind: Kind | undefined;
  readonly form: StreamOptions<Request>['form'];
}

export class Serving {
  readonly #options: ServingOptions;
  readonly #server = new Server(OPTIONS);
  readonly #injector;
  readonly #health: Health;
  readonly #pace = new Pace();
  readonly #shares = new Shares(MAX_STREAMS);
  readonly #refusals: Refusals;
  readonly #standing: Standing;
  readonly #streams = new Set<{ review(): Promise<void> }>();

  constructor(options: ServingOptions) {
    this.#options = options;
    this.#refusals = new Refusals(options.counts, options.logger);
    this.#standing = new Standing(options.logger);
    this.#health = new Health(options.isReady, Object.keys(SERVICES));
    for (const [name, { kind, whole, delta }] of Object.entries(SERVICES)) {
      this.#add(name, {
        [whole]: (call: Call<Whole>) => this.#serve<Whole>(call, { kind, form: WholeSubscription }),
        [delta]: (call: Call<Delta>) => this.#serve<Delta>(call, { kind, form: DeltaSubscription }),
      });
    }
    this.#add(HEALTH, this.#health.methods);
    this.#injector = this.#server.createConnectionInjector(ServerCredentials.createInsecure());
  }

  /** A connection on which HTTP/2 is spoken. */
  take(connection: Duplex): void {
    this.#injector.injectConnection(connection);
  }

  /** To be called from time to time: tokens change, and so does whether the state may be shown. */
  async review(): Promise<void> {
    this.#health.review();
    this.#refusals.review();
    this.#standing.review(this.#options.views.waiting);
    for (const stream of this.#streams) await stream.review();
  }

  stop(): void {
    this.#injector.destroy();
    this.#server.forceShutdown();
  }

  /** Requests are read by the schema; answers of streams are bytes already. */
  #add(name: string, methods: UntypedServiceImplementation): void {
    const definition = Object.keys(methods).map((method) => {
      const defined = WIRE.method(name, method);
      const isReady = name !== HEALTH;
      return [
        method,
        isReady ? { ...defined, responseSerialize: (answer: Buffer) => answer } : defined,
      ];
    });
    this.#server.addService(Object.fromEntries(definition), methods);
  }

  #serve<Request extends AnyRequest>(call: Call<Request>, serves: Serves<Request>): void {
    const { counts, isReady, views, worlds, logger } = this.#options;
    const refuse = (error: unknown) => void call.emit('error', refusal(error));
    call.on('error', () => undefined);
    if (!isReady())
      return void refuse(new ProconsulError('unavailable', 'the state is not known yet'));
    const address = addressIn(call.getPeer());
    const giveBack = this.#shares.take(address);
    if (giveBack === undefined) {
      const why = `more than ${MAX_STREAMS} streams, or than half of that from one address`;
      return void refuse(new ProconsulError('busy', why));
    }
    const stream = new Stream<Request>({
      ...serves,
      ...{ wire: WIRE, pace: this.#pace, counts, views, worlds, logger },
      refusals: this.#refusals,
      ...{ token: tokenIn(call.metadata), address },
      write: (answer, done) => void call.write(answer, done),
      refuse,
    });
    counts.streams++;
    this.#streams.add(stream);
    let isOver = false;
    const over = () => {
      if (isOver) return;
      isOver = true;
      counts.streams--;
      giveBack();
      this.#streams.delete(stream);
      stream.stop();
    };
    call.on('close', over);
    call.on('cancelled', over);
    call.on('error', over);
    call.on('end', () => {
      over();
      call.end();
    });
    // What it asks is read once it is known who asks.
    const take = (request: Request) => {
      call.pause();
      stream.take(request, () => void call.resume());
    };
    stream.enter().then(() => void call.on('data', take), refuse);
  }
}

function tokenIn(metadata: Metadata): string {
  const [token = ''] = metadata.get('x-consul-token');
  return String(token);
}

const STATUSES = {
  unavailable: status.UNAVAILABLE,
  busy: status.RESOURCE_EXHAUSTED,
  forbidden: status.PERMISSION_DENIED,
  invalid: status.INVALID_ARGUMENT,
} as const satisfies Partial<Record<ProconsulError['code'], status>>;

function refusal(error: unknown): Error & { readonly code: status; readonly details: string } {
  const code = error instanceof ProconsulError ? error.code : 'internal';
  const known: Partial<Record<ProconsulError['code'], status>> = STATUSES;
  const details = error instanceof ProconsulError ? error.message : 'internal error';
  return Object.assign(new Error(messageOf(error)), {
    code: known[code] ?? status.INTERNAL,
    details,
  });
}
