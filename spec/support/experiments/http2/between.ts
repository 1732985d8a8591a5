/** The sidecar in memory: callers on one side, one host on the other, by HTTP/2 both ways. */
import type { Socket } from 'node:net';
import { CIRCUIT_KINDS } from '../../../../lib/balance/circuit.ts';
import type { Clock } from '../../../../lib/clock.ts';
import { ProconsulError } from '../../../../lib/errors.ts';
import type { Random } from '../../../../lib/random.ts';
import type { AccessLine } from '../../../../sidecar/access-log.ts';
import type { Ask } from '../../../../sidecar/follow.ts';
import { HttpCallers } from '../../../../sidecar/http/callers.ts';
import { Exchange } from '../../../../sidecar/http/exchange.ts';
import { Upstream } from '../../../../sidecar/upstream.ts';
import { plainUpstream } from '../../../../sidecar/upstream-rules.ts';
import { boundlessBuffers } from '../../fakes/boundless-buffers.ts';
import { RecordingLogger } from '../../fakes/recording-logger.ts';

const INSTANCES = [
  {
    Node: { Node: 'm', Address: '127.0.0.1' },
    Service: {
      ID: 'a',
      Service: 'web',
      Address: '',
      Port: 80,
      Weights: { Passing: 1, Warning: 1 },
    },
    Checks: [],
  },
];

export interface BetweenOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** A connection to the host. */
  readonly dial: () => Socket;
}

export class Between {
  readonly #callers: HttpCallers;
  readonly #ending = new AbortController();
  readonly #buffers = boundlessBuffers();
  readonly lines: AccessLine[] = [];
  readonly upstream: Upstream;
  readonly #followed: Promise<void>;

  constructor({ clock, random, dial }: BetweenOptions) {
    // It has told all by the first answer, and nothing changes.
    const ask: Ask = ({ query }, signal) => {
      if (!query.some(([name]) => name === 'index'))
        return Promise.resolve({ index: '1', json: INSTANCES });
      return new Promise((_, reject) =>
        signal.addEventListener('abort', () => reject(new ProconsulError('unavailable', 'over'))),
      );
    };
    const wanted = {
      service: 'web',
      policy: 'round-robin',
      protocol: 'http2',
      zone: '',
      maxConnections: 1000,
    } as const;
    const rules = {
      ...plainUpstream(wanted, () => () => Promise.resolve(dial())),
      hasChain: false,
    };
    this.upstream = new Upstream(rules, { ask, clock, random }, new RecordingLogger());
    this.#followed = this.upstream.follow(this.#ending.signal);
    const parts = {
      ...{ upstream: this.upstream, clock, random },
      rules: { tries: 3, patienceMs: 5000, idleMs: 0, streamIdleMs: 0 },
      log: (line: AccessLine) => void this.lines.push(line),
    };
    this.#callers = new HttpCallers({
      serve: (incoming) => new Exchange(incoming, parts).start(),
      ...{ clock, buffers: this.#buffers, idleMs: 0, streamIdleMs: 0 },
    });
  }

  take(socket: Socket): void {
    this.#callers.accept(socket);
  }

  async stop(): Promise<void> {
    this.#callers.end();
    this.#ending.abort();
    await this.#followed;
  }

  /** What is under way, by its name: at the end nothing is. */
  get left(): readonly string[] {
    const { circuit, targets } = this.upstream;
    const taken = CIRCUIT_KINDS.filter((kind) => kind !== 'connections' && circuit.taken(kind) > 0);
    const active = targets.flatMap(({ balancer }) =>
      balancer.hosts.filter(({ active: n }) => n > 0),
    );
    const kept = this.#buffers.bytes === 0 ? [] : [`${this.#buffers.bytes} bytes`];
    return [...taken, ...active.map(() => 'a request at a host'), ...kept];
  }
}
