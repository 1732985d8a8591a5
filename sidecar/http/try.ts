/** A request at one host: from the lease of a connection to the end of the answer, or to nobody wanting it. */
import type { Socket } from 'node:net';
import type { Host } from '../../lib/balance/host.ts';
import type { Clock } from '../../lib/clock.ts';
import { messageOf, ProconsulError } from '../../lib/errors.ts';
import { hostPort } from '../../lib/ip.ts';
import type { Target } from '../target.ts';
import type { AnswerHead } from './answer-parser.ts';
import type { Body } from './body.ts';
import type { Buffered } from './buffers.ts';
import type { Fields } from './fields.ts';
import type { Head } from './head.ts';
import type { Failure } from './retry-rules.ts';
import type { Connection, Sending, Taking } from './sending.ts';

/** Whose request it is; told nothing after `abort`. */
export interface TryOwner {
  answered(head: AnswerHead, isLast: boolean): void;
  data(chunk: Buffer): void;
  ended(trailers: Fields): void;
  failed(failure: Failure): void;
  upgraded(head: AnswerHead, called: Socket, rest: Buffer): void;
}

/** What an exchange has under way: one try, or two beside each other. */
export interface Asked {
  /** Of the host. */
  readonly address: string;
  start(head: Head, body: Body | undefined): void;
  isFault(status: number): boolean;
  /** How the host did: once, the first counts. */
  judge(ok: boolean): void;
  pause(): void;
  resume(): void;
  abort(): void;
  /** Nothing more is told. */
  over(): void;
}

export interface TryOptions {
  readonly target: Target;
  readonly host: Host;
  readonly clock: Pick<Clock, 'monotonic'>;
  /** The caller's. */
  readonly buffered: Buffered;
  readonly owner: TryOwner;
}

export class Try implements Asked, Taking {
  readonly #options: TryOptions;
  readonly #begun: number;
  readonly #end: () => void;
  #sending: Sending | undefined;
  #body: Body | undefined;
  #isJudged = false;
  #isOver = false;

  constructor(options: TryOptions) {
    this.#options = options;
    const { target, host, clock } = options;
    this.#begun = clock.monotonic();
    this.#end = target.balancer.begin(host);
  }

  get buffered(): Buffered {
    return this.#options.buffered;
  }

  get address(): string {
    const { address, port } = this.#options.host.endpoint;
    return hostPort(address, port);
  }

  start(head: Head, body: Body | undefined): void {
    this.#body = body;
    const { target, host } = this.#options;
    const leased = target.connectionsOf(host).lease(() => !this.#isOver);
    if (leased instanceof Promise) {
      leased.then(
        (connection) => this.#send(connection, head),
        (error: unknown) => this.#notConnected(error),
      );
    } else this.#send(leased, head);
  }

  isFault(status: number): boolean {
    return this.#options.target.isFault(status);
  }

  judge(ok: boolean): void {
    if (this.#isJudged) return;
    this.#isJudged = true;
    const { target, host, clock } = this.#options;
    target.balancer.judge(host, { ok, ms: clock.monotonic() - this.#begun });
  }

  /** Another host was faster: whoever hangs is else never known to be slow. */
  outrun(): void {
    if (this.#isJudged) return;
    this.#isJudged = true;
    const { target, host, clock } = this.#options;
    target.balancer.judge(host, { ok: undefined, ms: clock.monotonic() - this.#begun });
  }

  pause(): void {
    this.#sending?.pause();
  }

  resume(): void {
    this.#sending?.resume();
  }

  abort(): void {
    this.over();
    this.#sending?.abort();
  }

  over(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#end();
  }

  answered(head: AnswerHead, isLast: boolean): void {
    if (this.#isOver) return;
    this.#options.target.answered(this.#options.host, head.status);
    this.#options.owner.answered(head, isLast);
  }

  data(chunk: Buffer): void {
    if (!this.#isOver) this.#options.owner.data(chunk);
  }

  ended(trailers: Fields): void {
    if (!this.#isOver) this.#options.owner.ended(trailers);
  }

  failed(failure: Failure): void {
    if (this.#isOver) return;
    const { kind, isStale } = failure;
    // Where this process has no room, or a connection was at its end, the host is not to blame.
    if (kind !== 'overflow' && !(kind === 'refused' && isStale)) this.judge(false);
    this.over();
    this.#options.owner.failed(failure);
  }

  drained(): void {
    if (!this.#isOver) this.#body?.drained();
  }

  upgraded(head: AnswerHead, socket: Socket, rest: Buffer): void {
    if (this.#isOver) socket.destroy();
    else {
      this.judge(true);
      this.#options.owner.upgraded(head, socket, rest);
    }
  }

  #send(connection: Connection, head: Head): void {
    if (this.#isOver) {
      connection.back();
      return;
    }
    this.#sending = connection.send(head, this);
    this.#body?.sendTo(this.#sending);
  }

  #notConnected(error: unknown): void {
    if (!(error instanceof ProconsulError)) throw error;
    const isOwn = error.code === 'busy';
    this.failed({ kind: isOwn ? 'overflow' : 'connect', message: messageOf(error) });
  }
}
