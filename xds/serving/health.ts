/** grpc.health.v1: whether this port's services may be called. */
import {
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { addressIn, Shares } from './shares.ts';

interface Asked {
  readonly service: string;
}

interface Said {
  readonly status: 'SERVING' | 'NOT_SERVING' | 'SERVICE_UNKNOWN';
}

type Watching = ServerWritableStream<Asked, Said>;

/** Who watches costs a stream each. */
const MAX_WATCHING = 1000;

export class Health {
  readonly #isReady: () => boolean;
  readonly #services: ReadonlySet<string>;
  readonly #shares = new Shares(MAX_WATCHING);
  /** With what each was told last. */
  readonly #watching = new Map<Watching, Said['status']>();

  /** Of the services of these names, and of '', which is all of them. */
  constructor(isReady: () => boolean, services: readonly string[]) {
    this.#isReady = isReady;
    this.#services = new Set(['', ...services]);
  }

  get methods(): UntypedServiceImplementation {
    return {
      Check: (call: ServerUnaryCall<Asked, Said>, answer: sendUnaryData<Said>) => {
        const { service } = call.request;
        const said = this.#of(service);
        if (said !== 'SERVICE_UNKNOWN') answer(null, { status: said });
        else answer({ code: status.NOT_FOUND, details: 'unknown service' });
      },
      List: (_: ServerUnaryCall<object, object>, answer: sendUnaryData<object>) => {
        const all = [...this.#services].map((name) => [name, { status: this.#of(name) }]);
        answer(null, { statuses: Object.fromEntries(all) });
      },
      Watch: (call: Watching) => this.#watch(call),
    };
  }

  /** Tells those who watch what has changed. */
  review(): void {
    for (const [call, told] of this.#watching) {
      const said = this.#of(call.request.service);
      // Who reads slowly is told later what it is then.
      if (said !== told && !call.writableNeedDrain) this.#tell(call, said);
    }
  }

  #watch(call: Watching): void {
    call.on('error', () => undefined);
    const giveBack = this.#shares.take(addressIn(call.getPeer()));
    if (giveBack === undefined) {
      const details = `more than ${MAX_WATCHING} watch already, or than half of that from one address`;
      call.destroy(Object.assign(new Error(details), { code: status.RESOURCE_EXHAUSTED, details }));
      return;
    }
    const over = () => {
      this.#watching.delete(call);
      giveBack();
    };
    for (const end of ['close', 'cancelled', 'error']) call.on(end, over);
    this.#tell(call, this.#of(call.request.service));
  }

  #tell(call: Watching, said: Said['status']): void {
    this.#watching.set(call, said);
    call.write({ status: said });
  }

  #of(service: string): Said['status'] {
    if (!this.#services.has(service)) return 'SERVICE_UNKNOWN';
    return this.#isReady() ? 'SERVING' : 'NOT_SERVING';
  }
}
