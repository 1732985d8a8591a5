/** The services that clients of xDS call, over gRPC. Loaded when the first of them comes. */
import type { Socket } from 'node:net';
import type { Clock } from '../../lib/clock.ts';
import { ProconsulError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Fields } from '../../sidecar/http/fields.ts';
import type { Kind } from '../resource.ts';
import type { Views } from '../views.ts';
import type { Worlds } from '../worlds.ts';
import { type DeltaRequest, DeltaSubscription } from './delta-subscription.ts';
import { type Call, STATUS, type Status } from './grpc-call.ts';
import { type Answers, firstOf, GrpcServer } from './grpc-server.ts';
import { Health } from './health.ts';
import { type Reading, Readings } from './readings.ts';
import { Refusals } from './refusals.ts';
import { Shares } from './shares.ts';
import { Standing } from './standing.ts';
import { type AnyRequest, Stream, type StreamOptions } from './stream.ts';
import { type WholeRequest, WholeSubscription } from './whole-subscription.ts';
import { type Method, read, SERVICES, Wire } from './wire.ts';

export interface ServingOptions {
  readonly views: Views;
  readonly worlds: Worlds;
  readonly clock: Clock;
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

/** Of a process; each takes some kilobytes, and more by what it asks for. */
export const MAX_STREAMS = 10_000;

/** What a request takes of a turn, beside what it asks for. */
const MESSAGE = 0.05;
const BYTES_A_UNIT = 4096;

/** Once for a process: to read the schema takes a quarter of a second of its processor. */
const WIRE = new Wire();

type Whole = AnyRequest & WholeRequest;
type Delta = AnyRequest & DeltaRequest;

interface Serves<Request extends AnyRequest> {
  readonly kind: Kind | undefined;
  readonly form: StreamOptions<Request>['form'];
  readonly method: Method;
}

export class Serving {
  readonly #options: ServingOptions;
  readonly #server: GrpcServer;
  readonly #health: Health;
  readonly #shares: Shares;
  readonly #readings = new Readings();
  readonly #refusals: Refusals;
  readonly #standing: Standing;
  readonly #streams = new Set<{ review(): Promise<void> }>();

  constructor(options: ServingOptions) {
    this.#options = options;
    const { isReady, counts, logger, clock } = options;
    this.#refusals = new Refusals(counts, logger);
    this.#standing = new Standing(logger);
    this.#shares = new Shares({ most: MAX_STREAMS, of: 'streams', logger });
    this.#health = new Health({ isReady, logger, wire: WIRE, services: Object.keys(SERVICES) });
    const methods = new Map<string, Answers>(this.#health.methods);
    for (const [name, { kind, whole, delta }] of Object.entries(SERVICES)) {
      const [one, other] = [WIRE.method(name, whole), WIRE.method(name, delta)];
      methods.set(one.path, (call, fields) =>
        this.#serve<Whole>(call, fields, { kind, form: WholeSubscription, method: one }),
      );
      methods.set(other.path, (call, fields) =>
        this.#serve<Delta>(call, fields, { kind, form: DeltaSubscription, method: other }),
      );
    }
    this.#server = new GrpcServer({ methods, clock, logger });
  }

  /** A connection on which HTTP/2 is spoken. */
  take(connection: Socket): void {
    this.#server.take(connection);
  }

  /** To be called from time to time: tokens change, and so does whether the state may be shown. */
  async review(): Promise<void> {
    this.#server.review();
    this.#shares.review();
    this.#health.review();
    this.#refusals.review();
    this.#standing.review(this.#options.views.waiting);
    for (const stream of this.#streams) await stream.review();
  }

  stop(): void {
    this.#server.stop();
  }

  #serve<Request extends AnyRequest>(call: Call, fields: Fields, serves: Serves<Request>): void {
    const { counts, isReady, views, worlds, clock, logger } = this.#options;
    const refuse = (error: unknown) => call.end(...refusal(error));
    if (!isReady()) {
      refuse(new ProconsulError('unavailable', 'the state is not known yet'));
      return;
    }
    const { address } = call;
    const giveBack = this.#shares.take(address, () => call.giveWay());
    if (giveBack === undefined) {
      const why = `more than ${MAX_STREAMS} streams, or than half of that from one address`;
      refuse(new ProconsulError('busy', why));
      return;
    }
    const { kind, form, method } = serves;
    const stream = new Stream<Request>({
      ...{ kind, form, wire: WIRE, pace: views.pace, counts, views, worlds, clock, logger },
      refusals: this.#refusals,
      ...{ token: firstOf(fields, 'x-consul-token'), address },
      write: (answer, done) => call.write(answer, done),
      refuse,
    });
    counts.streams++;
    this.#streams.add(stream);
    const messages = this.#messagesOf(call, stream, method);
    call.taker = {
      message: messages.came,
      ended: () => call.end(STATUS.ok),
      over: () => {
        counts.streams--;
        giveBack();
        this.#streams.delete(stream);
        stream.stop();
        messages.over();
      },
    };
    // What it asks is read once it is known who asks.
    call.pause();
    stream.enter().then(() => call.resume(), refuse);
  }

  /** One at a time. */
  #messagesOf<Request extends AnyRequest>(call: Call, stream: Stream<Request>, method: Method) {
    let reading: Reading | undefined;
    const take = (said: Reading) => {
      const bytes = said.take();
      if (bytes === undefined) return;
      const request = read(bytes, method) as Request | undefined;
      if (request === undefined) call.end(STATUS.invalid, 'a request cannot be read');
      else {
        stream.take(request, () => {
          said.over();
          call.resume();
        });
      }
    };
    const came = (bytes: Buffer) => {
      call.pause();
      // To read it takes the longer the longer it is, whoever sends it.
      const units = MESSAGE + bytes.length / BYTES_A_UNIT;
      reading = this.#readings.enter(call.address, bytes, (begun) => {
        reading = begun;
        stream.inTurn(units, () => take(begun));
      });
    };
    return { came, over: () => reading?.over() };
  }
}

const STATUSES = {
  unavailable: STATUS.unavailable,
  busy: STATUS.busy,
  forbidden: STATUS.forbidden,
  invalid: STATUS.invalid,
} as const satisfies Partial<Record<ProconsulError['code'], Status>>;

function refusal(error: unknown): [status: Status, details: string] {
  if (!(error instanceof ProconsulError)) return [STATUS.internal, 'internal error'];
  const known: Partial<Record<ProconsulError['code'], Status>> = STATUSES;
  return [known[error.code] ?? STATUS.internal, error.message];
}
