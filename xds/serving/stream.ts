/**
 * One stream of a client: what it subscribes to of each kind, and what it is told of it. At most one answer is
 * on its way to whoever reads slowly; meanwhile nothing is kept for it, and it is told then what there is by then.
 */
import type { Clock } from '../../lib/clock.ts';
import { cut } from '../../lib/cut.ts';
import { describeChain, messageOf, ProconsulError } from '../../lib/errors.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Pace } from '../pace.ts';
import { KINDS, type Kind, kindOf } from '../resource.ts';
import { NAME } from '../turns.ts';
import type { Member, Views } from '../views.ts';
import type { World } from '../world.ts';
import type { ClientNode, Worlds } from '../worlds.ts';
import { Order } from './order.ts';
import type { Refusals } from './refusals.ts';
import type { Dealings, Subscription } from './subscription.ts';
import type { Wire } from './wire.ts';

/** What requests of both forms have. */
export interface AnyRequest {
  readonly type_url: string;
  readonly node: ClientNode | null;
  readonly error_detail: { readonly message: string } | null;
  /** What it was told before, by this stream or another: of each form its own. */
  readonly version_info?: string;
  readonly response_nonce?: string;
  readonly initial_resource_versions?: Readonly<Record<string, string>>;
}

/** Of another stream. */
function hasSomething(request: AnyRequest): boolean {
  const { version_info = '', response_nonce = '', initial_resource_versions = {} } = request;
  const hasVersion = version_info !== '' && response_nonce === '';
  return hasVersion || Object.keys(initial_resource_versions).length > 0;
}

export interface StreamOptions<Request extends AnyRequest> {
  /** Of a service for one kind; undefined where each request says it. */
  readonly kind: Kind | undefined;
  readonly form: new (dealings: Dealings) => Subscription<Request>;
  readonly token: string;
  /** Where the client is. */
  readonly address: string;
  readonly wire: Wire;
  readonly pace: Pick<Pace, 'soon' | 'end'>;
  readonly counts: { answers: number };
  readonly refusals: Pick<Refusals, 'take'>;
  readonly views: Views;
  readonly worlds: Worlds;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Calls once the answer is on its way. */
  readonly write: (answer: Buffer, done: () => void) => void;
  /** Ends it, with why. */
  readonly refuse: (error: unknown) => void;
}

const NAMES_AT_ONCE = 16;
/** To look at so many is as much as to tell a stream one thing. */
const NAMES_WORTH = 128;
/** Of what was never told to anybody: each takes some fifty microseconds, as much as to look at many. */
const WRITTEN_AT_ONCE = 64;
const WRITTEN_WORTH = 32;
/** To let go of one takes some microseconds: before the next ones a turn looks at the time. */
const LET_GO_AT_ONCE = 128;
/** Of what a client says that it is, in log lines. */
const MAX_SAID = 500;

export class Stream<Request extends AnyRequest> {
  readonly #options: StreamOptions<Request>;
  readonly #subscriptions = new Map<Kind, Subscription<Request>>();
  readonly #order: Order;
  #member: Member | undefined;
  #world: World | undefined;
  #node = '';
  /** Of which there may be something to tell. */
  readonly #due = new Set<Kind>();
  /** What is written down in several turns. */
  readonly #unwritten = new Map<Kind, Iterator<void>>();
  #nonces = 0;
  /** What was looked at since it was called. */
  #weighed = 0;
  #isWriting = false;
  /** A request, and all names anew. */
  #taking = 0;
  /** Something was to be told meanwhile. */
  #isHeldUp = false;
  #isDue = false;
  #isOver = false;
  /** Who it was before, and still has names. */
  readonly #left = new Set<Member>();

  constructor(options: StreamOptions<Request>) {
    this.#options = options;
    const of = (kind: Kind) => this.#subscriptions.get(kind);
    this.#order = new Order({
      ...{ of, clock: options.clock, wake: () => this.#allSoon() },
      isUsedAlone: () => this.#world?.isUsedAlone === true,
    });
  }

  /** Before anything is taken. Rejects with a ProconsulError where nobody knows the token. */
  async enter(): Promise<void> {
    const { views, token, address } = this.#options;
    const member = await views.enter(token, address, this.#member);
    if (this.#isOver) member.leave();
    else this.#member = member;
  }

  /**
   * Never throws: what cannot be taken ends the stream. Calls once the next request may come: many names take many turns,
   * and nothing is told of a part of them, for what is missing would be taken away.
   */
  take(request: Request, done: () => void): void {
    if (!this.#isOver) this.#takeAll(this.#beginTaking(request), done);
  }

  #takeAll(steps: Iterator<void> | undefined, done: () => void): void {
    this.#taking++;
    let most = 1;
    const take = () => {
      if (steps !== undefined && this.#takeSome(steps, most)) {
        most = NAMES_AT_ONCE;
        return this.inTurn(NAME * NAMES_AT_ONCE, take);
      }
      this.#taking--;
      this.#allDue();
      if (this.#isHeldUp) this.#tell();
      else this.#soon();
      done();
    };
    take();
  }

  /** Calls once there is room for that in a turn, or it is over. */
  inTurn(units: number, then: () => void): void {
    const { turns, account } = this.#member ?? {};
    const waiting = account && turns?.take(account, units, () => this.#isOver);
    if (waiting === undefined) then();
    else void waiting.turn.then(then);
  }

  #beginTaking(request: Request): Iterator<void> | undefined {
    try {
      return this.#taken(request);
    } catch (error) {
      this.#options.refuse(error);
      return undefined;
    }
  }

  /** Whether there are more. */
  #takeSome(steps: Iterator<void>, most: number): boolean {
    try {
      for (let taken = 0; taken < most; taken++) {
        if (this.#isOver || steps.next().done === true) return false;
      }
      return true;
    } catch (error) {
      this.#options.refuse(error);
      return false;
    }
  }

  /** The token may come to something else by now. */
  async review(): Promise<void> {
    const before = this.#member;
    if (before === undefined || before.caller.stands()) return;
    try {
      await this.enter();
    } catch (error) {
      // Who cannot be asked about is who he was.
      if (error instanceof ProconsulError && error.code !== 'forbidden') return;
      this.#options.refuse(error);
      return;
    }
    this.#seeAgain(before);
  }

  /** What it has is let go in several turns: a connection that breaks may be the end of a million names. */
  stop(): void {
    this.#isOver = true;
    this.#order.stop();
    const steps = this.#end();
    const some = () => {
      for (let ended = 0; ended < LET_GO_AT_ONCE; ended++) if (steps.next().done === true) return;
      later();
    };
    const later = () => this.#options.pace.end(some, this.#member?.account);
    later();
  }

  *#end(): Generator<void> {
    for (const each of this.#subscriptions.values()) yield* each.end();
    this.#subscriptions.clear();
    for (const each of this.#left) each.leave();
    this.#member?.leave();
  }

  /** In its turns, for which no other stream's token waits. */
  #seeAgain(before: Member): void {
    const isOther = !this.#isOver && this.#member?.view !== before.view;
    if (isOther) this.#takeAll(this.#again(), () => this.#leave(before));
    else this.#leave(before);
  }

  /** Names of one that is over are let go first: where nobody is left, a view ends with all that is in it at once. */
  #leave(before: Member): void {
    if (this.#isOver && this.#subscriptions.size > 0) this.#left.add(before);
    else before.leave();
  }

  *#again(): Generator<void> {
    for (const each of this.#subscriptions.values()) yield* each.again();
  }

  #taken(request: Request): Iterator<void> | undefined {
    const { node, error_detail: fault } = request;
    if (node !== null && this.#world === undefined) {
      this.#node = cut(node.id, MAX_SAID);
      this.#world = this.#options.worlds.of(node);
    }
    if (fault !== null) {
      const { refusals, address } = this.#options;
      const { type_url: type } = request;
      refusals.take({ address, client: this.#node, type, why: fault.message });
    }
    const kind = this.#options.kind ?? kindOf(request.type_url);
    // Of a kind that is not served there is nothing, and nobody is to wait for more than that.
    if (kind === undefined) return undefined;
    if (hasSomething(request)) this.#member?.comesWithSomething();
    const subscription = this.#subscriptions.get(kind) ?? this.#begin(kind);
    if (fault === null) subscription.taken(Number(request.response_nonce));
    return subscription.take(request);
  }

  #begin(kind: Kind): Subscription<Request> {
    const { form, wire, worlds } = this.#options;
    this.#world ??= worlds.of({ id: '' });
    const world = this.#world;
    const changed = (name: string) => {
      begun.changed(name);
      this.#due.add(kind);
      this.#soon();
    };
    const entered = () => {
      if (this.#member !== undefined) return this.#member;
      throw new ProconsulError('internal', 'nobody has entered');
    };
    const begun = new form({
      ...{ kind, wire },
      subscribe: (name) => entered().subscribeTo(world.resources(kind, name), changed, name),
      account: () => entered().account,
      nextNonce: () => ++this.#nonces,
      order: this.#order,
      onDropped: (names) => {
        for (const each of ['endpoints', 'routes'] as const) {
          this.#subscriptions.get(each)?.forget(names);
          this.#due.add(each);
        }
      },
    });
    this.#subscriptions.set(kind, begun);
    return begun;
  }

  /** Once for all that changes in a turn. */
  readonly #soon = (): void => {
    if (this.#isDue || this.#isOver) return;
    this.#isDue = true;
    const tell = () => {
      this.#weighed = 0;
      this.#tell();
      return 1 + this.#weighed / NAMES_WORTH;
    };
    this.#options.pace.soon(tell, this.#member?.account ?? this);
  };

  #allSoon(): void {
    this.#allDue();
    this.#soon();
  }

  #allDue(): void {
    for (const kind of this.#subscriptions.keys()) this.#due.add(kind);
  }

  readonly #tell = (): void => {
    if (this.#isWriting || this.#isOver) return;
    this.#isHeldUp = this.#taking > 0;
    if (this.#isHeldUp) return;
    this.#isDue = false;
    for (const kind of KINDS) {
      if (!this.#due.has(kind)) continue;
      if (!this.#isWritten(kind)) {
        this.#soon();
        return;
      }
      this.#due.delete(kind);
      const answer = this.#answerOf(kind);
      if (answer === undefined) continue;
      // What is held up may have waited for this.
      if (this.#order.isHolding) this.#allDue();
      this.#due.delete(kind);
      this.#isWriting = true;
      // What else there is to tell comes after it.
      this.#isDue = true;
      this.#options.counts.answers++;
      this.#options.write(answer, () => {
        this.#isWriting = false;
        this.#tell();
      });
      return;
    }
  };

  /** Whether there is nothing in what comes next that was never told to anybody. */
  #isWritten(kind: Kind): boolean {
    const begun = this.#unwritten.get(kind);
    const steps = begun ?? this.#subscriptions.get(kind)?.written();
    if (steps === undefined) return true;
    this.#unwritten.set(kind, steps);
    try {
      for (let written = 0; written < WRITTEN_AT_ONCE; written++) {
        if (steps.next().done !== true) {
          this.#weighed += WRITTEN_WORTH;
          continue;
        }
        this.#unwritten.delete(kind);
        // Something may have changed meanwhile that it had passed.
        return begun === undefined;
      }
      return false;
    } catch (error) {
      this.#unwritten.delete(kind);
      this.#cannotTell(kind, error);
      return false;
    }
  }

  #answerOf(kind: Kind): Buffer | undefined {
    try {
      const subscription = this.#subscriptions.get(kind);
      this.#weighed += subscription?.weight ?? 0;
      return subscription?.next();
    } catch (error) {
      this.#cannotTell(kind, error);
      return undefined;
    }
  }

  /** A message that the schema does not take is a defect of ours, and no other stream's affair. */
  #cannotTell(kind: Kind, error: unknown): void {
    const line = `xds: ${kind} cannot be told: ${describeChain(error)}`;
    this.#options.logger.error(line, { client: this.#node, error: messageOf(error) });
    this.#options.refuse(error);
  }
}
