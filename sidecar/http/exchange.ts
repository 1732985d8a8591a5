/** One request and its answer: which way it goes, to which host, how often it is tried, and how it ends. */
import type { Hedging } from '../../lib/balance/hedging.ts';
import type { Host } from '../../lib/balance/host.ts';
import type { Cancel } from '../../lib/clock.ts';
import { messageOf } from '../../lib/errors.ts';
import { relay } from '../relay.ts';
import type { Target } from '../target.ts';
import type { Chosen } from '../upstream.ts';
import type { AnswerHead } from './answer-parser.ts';
import { Body } from './body.ts';
import type { ExchangeParts } from './exchange-parts.ts';
import { type Fields, fieldIn } from './fields.ts';
import { type Keyed, keyOf } from './hash-key.ts';
import type { Head } from './head.ts';
import { changed } from './header-changes.ts';
import { type Beside, HedgedTry } from './hedged-try.ts';
import { whenIdle } from './idleness.ts';
import { askedBy, type Incoming } from './incoming.ts';
import {
  answerLocally,
  failed,
  type LocalAnswer,
  NO_HOST,
  NO_ROUTE,
  OVERFLOW,
  STALLED,
  TOO_LATE,
} from './local-answers.ts';
import { Repeats } from './repeats.ts';
import { type Failure, isUntouched } from './retry-rules.ts';
import { sentBy, type Way, wayOf } from './routes.ts';
import { type Asked, Try, type TryOwner } from './try.ts';

/** As in Envoy, where nobody says how long: until the head of the answer, so that streams may go on. */
const ANSWER_MS = 15_000;
/** Before the same host is asked once more, doubled each time. */
const BACKOFF_MS = 25;

export class Exchange {
  readonly #parts: ExchangeParts;
  readonly #incoming: Incoming;
  readonly #begun: number;
  readonly #body: Body | undefined;
  readonly #tried = new Set<Host>();
  #way: Way | undefined;
  #head: Head;
  #keyed: Keyed = { key: undefined, cookie: '' };
  #try: Asked | undefined;
  readonly #repeats: Repeats;
  #hasAnswered = false;
  #isOver = false;
  #isSent: boolean;
  #received = 0;
  #status = 0;
  #cancel: Cancel = () => undefined;
  #cancelWait: Cancel = () => undefined;
  #cancelIdle: Cancel = () => undefined;
  #give: () => void = () => undefined;
  /** The place of a second or further try. */
  #giveAgain: () => void = () => undefined;

  constructor(incoming: Incoming, parts: ExchangeParts) {
    this.#parts = parts;
    this.#incoming = incoming;
    this.#head = incoming.head;
    this.#begun = parts.clock.monotonic();
    const { body } = incoming;
    this.#isSent = body === undefined;
    if (body !== undefined) {
      const trailers = () => incoming.trailers();
      this.#body = new Body({ body, trailers }, () => this.#sent());
    }
    const { clock, rules, upstream } = parts;
    const { budget, circuit } = upstream;
    const by = { head: this.#head, body: this.#body, budget, circuit };
    this.#repeats = new Repeats({ ...by, clock, most: rules.tries });
    incoming.onGone(() => this.#gone());
    incoming.onDrained(() => this.#try?.resume());
  }

  start(): void {
    const { upstream, permits } = this.#parts;
    upstream.counts.calls++;
    if (permits === undefined) this.#ready();
    else void permits().then((permit) => this.#judged(permit));
  }

  /** Nobody is to hear more of it, on either side. */
  cut(): void {
    if (this.#isOver) return;
    this.#try?.abort();
    this.#incoming.abort();
    this.#finish('denied');
  }

  #judged(permit: Head | LocalAnswer): void {
    if (this.#isOver) return;
    if (permit === OVERFLOW) this.#refuse(OVERFLOW, 'too many requests');
    // It is not the service that answers.
    else if ('status' in permit) this.#answer(permit, 'denied');
    else {
      this.#head = permit;
      this.#ready();
    }
  }

  #ready(): void {
    const { upstream, clock, rules } = this.#parts;
    if (upstream.isKnown) this.#route();
    else void upstream.untilKnown(clock, rules.patienceMs).then(() => this.#route());
  }

  #route(): void {
    if (this.#isOver) return;
    const { upstream, random } = this.#parts;
    const { routing } = upstream;
    const way = routing && wayOf(routing, this.#head, random);
    if (routing === undefined) this.#refuse(NO_HOST, 'no host is known yet');
    else if (way === undefined) this.#refuse(NO_ROUTE, 'no route');
    else this.#take(way);
  }

  #take(way: Way): void {
    const { upstream, random } = this.#parts;
    const give = upstream.circuit.take('requests');
    if (give === undefined) {
      this.#refuse(OVERFLOW, 'too many requests');
      return;
    }
    this.#give = give;
    this.#way = way;
    upstream.budget.called(this.#begun);
    upstream.hedging?.called(this.#begun);
    const { route, part } = way;
    const hashing = upstream.hashingOf(part.end);
    this.#keyed = keyOf(hashing, this.#head, this.#incoming.from, () => random.uuid());
    this.#head = sentBy(way, this.#head);
    if (this.#isSent) this.#sent();
    const { streamIdleMs } = this.#parts.rules;
    if (route.idleMs !== undefined) this.#watch(route.idleMs, () => this.#late());
    else if (streamIdleMs > 0) this.#watch(streamIdleMs, () => this.#stalled());
    const chosen = this.#choose();
    if (chosen === undefined) this.#refuse(NO_HOST, 'no host is there');
    else this.#begin(chosen);
  }

  #choose(): Chosen | undefined {
    const { end } = (this.#way as Way).part;
    return this.#parts.upstream.choose(end, { key: this.#keyed.key, avoid: this.#tried });
  }

  #begin({ target, host }: Chosen): void {
    this.#tried.add(host);
    this.#repeats.tries++;
    const { clock, upstream } = this.#parts;
    const { buffered } = this.#incoming;
    const by = { target, host, clock, buffered, owner: this };
    const { hedging } = upstream;
    const beside = () => hedging && this.#beside(target, hedging);
    const isHedged = hedging !== undefined && this.#repeats.isHedgedBy(hedging);
    const next: Asked = isHedged ? new HedgedTry({ ...by, hedging, beside }) : new Try(by);
    this.#try = next;
    next.start(this.#head, this.#body);
  }

  /** Of the same target: a service that stands in for it may answer anything, and sooner. */
  #beside(target: Target, hedging: Hedging): Beside | undefined {
    const { circuit, counts } = this.#parts.upstream;
    const chosen = this.#choose();
    if (chosen?.target !== target || !this.#repeats.mayHedge(hedging)) return undefined;
    const give = circuit.take('retries');
    if (give === undefined) return undefined;
    this.#tried.add(chosen.host);
    this.#repeats.tries++;
    counts.hedged++;
    return { ...chosen, give };
  }

  /** What comes of a try. Those of which nothing is wanted any more tell nothing. */
  answered(head: AnswerHead, isLast: boolean): void {
    const { status, fields } = head;
    const grpcStatus = isLast ? fieldIn(fields, 'grpc-status') : undefined;
    const current = this.#try as Asked;
    current.judge(!current.isFault(status) && grpcStatus !== UNAVAILABLE);
    const { route } = this.#way as Way;
    if (this.#repeats.afterStatus(status, grpcStatus, route.retries)) {
      current.abort();
      this.#again({ kind: 'reset', message: `status ${status}` }, 'same');
      return;
    }
    this.#tell(() => {
      this.#pass(head, isLast);
      if (isLast) this.#finish('');
    });
  }

  data(chunk: Buffer): void {
    this.#received += chunk.length;
    if (!this.#incoming.write(chunk)) this.#try?.pause();
  }

  ended(trailers: Fields): void {
    this.#tell(() => {
      this.#incoming.end(trailers);
      this.#finish('');
    });
  }

  /** What a host says and Node does not send on ends this request, and not the process. */
  #tell(say: () => void): void {
    try {
      say();
    } catch (error) {
      this.#try?.abort();
      this.#incoming.abort();
      this.#finish(messageOf(error));
    }
  }

  failed(failure: Failure): void {
    if (this.#hasAnswered) {
      this.#incoming.abort();
      this.#finish(failure.message);
      return;
    }
    const how = this.#repeats.after(failure, (this.#way as Way).route.retries);
    if (how === undefined) this.#refuse(failed(failure), failure.message);
    else this.#again(failure, how);
  }

  upgraded(head: AnswerHead, called: Parameters<TryOwner['upgraded']>[1], rest: Buffer): void {
    const { status, fields, upgrade } = head;
    const { upstream, clock } = this.#parts;
    this.#hasAnswered = true;
    this.#status = status;
    this.#cancel();
    this.#cancelIdle();
    upstream.answered(status, clock.monotonic() - this.#begun);
    const { socket: caller, rest: early } = this.#incoming.upgrade(
      status,
      this.#answerFields(fields),
      upgrade,
    );
    if (early.length > 0) called.write(early);
    if (rest.length > 0) caller.write(rest);
    const { rules } = this.#parts;
    const streamIdleMs = (this.#way as Way).route.idleMs ?? rules.streamIdleMs;
    const idleMs = Math.min(rules.idleMs || streamIdleMs, streamIdleMs || rules.idleMs);
    void relay(caller, called, idleMs, this.#incoming.buffered).then(({ received, fault }) => {
      this.#received = received;
      this.#finish(fault);
    });
  }

  #pass({ status, fields, length }: AnswerHead, isLast: boolean): void {
    this.#hasAnswered = true;
    this.#body?.letGo();
    if (this.#timeoutMs === undefined) this.#cancel();
    const { upstream, clock } = this.#parts;
    upstream.answered(status, clock.monotonic() - this.#begun);
    this.#status = status;
    // RFC 9110, 8.6: one that says how long it is nevertheless may be waited for.
    const said = status === NO_CONTENT ? undefined : length;
    this.#incoming.answer(status, this.#answerFields(fields), said, isLast);
  }

  #answerFields(fields: Fields): Fields {
    const { route, part } = this.#way as Way;
    const mine = changed(changed(fields, part.answer), route.answer);
    const { cookie } = this.#keyed;
    return cookie === '' ? mine : [...mine, 'set-cookie', cookie];
  }

  #again(failure: Failure, how: 'other' | 'same'): void {
    const { upstream, clock } = this.#parts;
    this.#body?.detach();
    this.#try = undefined;
    this.#giveAgain();
    const other = this.#choose();
    const give = upstream.circuit.take('retries');
    if (give === undefined || (other === undefined && how === 'other')) {
      give?.();
      this.#refuse(failed(failure), failure.message);
      return;
    }
    this.#giveAgain = give;
    upstream.counts.retries++;
    if (other !== undefined) {
      this.#begin(other);
      return;
    }
    this.#tried.clear();
    const repeat = () => {
      const chosen = this.#isOver ? undefined : this.#choose();
      if (chosen !== undefined) this.#begin(chosen);
      else this.#refuse(failed(failure), failure.message);
    };
    // It was its connection that was at its end, and the host is there.
    if (isUntouched(failure) && failure.isStale) repeat();
    else this.#cancelWait = clock.after(BACKOFF_MS * 2 ** (this.#repeats.tries - 1), repeat);
  }

  /** All of the request has come: from here on it is the host's time. */
  #sent(): void {
    this.#isSent = true;
    if (this.#way === undefined || this.#isOver) return;
    const ms = this.#timeoutMs;
    if (ms === undefined && this.#hasAnswered) return;
    this.#cancel = this.#parts.clock.after(ms ?? ANSWER_MS, () => this.#late());
  }

  /** For all of the answer; undefined where nobody says. */
  get #timeoutMs(): number | undefined {
    const { route, part } = this.#way as Way;
    return route.timeoutMs ?? part.end.timeoutMs;
  }

  #watch(ms: number, tell: () => void): void {
    const moved = () => (this.#body?.bytes ?? 0) + this.#received;
    this.#cancelIdle = whenIdle(this.#parts.clock, ms, { moved, tell });
  }

  /** Nothing moves, either way, and nobody knows whose fault it is. */
  #stalled(): void {
    // How long a whole answer may take was said.
    if (this.#isSent && this.#timeoutMs !== undefined) return;
    this.#giveUp(STALLED);
  }

  #late(): void {
    this.#try?.judge(false);
    this.#giveUp(TOO_LATE);
  }

  #giveUp(answer: LocalAnswer): void {
    if (this.#isOver) return;
    this.#try?.abort();
    if (this.#hasAnswered) {
      this.#incoming.abort();
      this.#finish(answer.text);
    } else this.#refuse(answer, answer.text);
  }

  #gone(): void {
    if (this.#isOver) return;
    this.#try?.abort();
    this.#finish('the caller has gone');
  }

  #refuse(answer: LocalAnswer, fault: string): void {
    if (this.#isOver) return;
    const { upstream, clock } = this.#parts;
    upstream.counts.failed++;
    upstream.answered(answer.status, clock.monotonic() - this.#begun);
    this.#answer(answer, fault);
  }

  #answer(answer: LocalAnswer, fault: string): void {
    this.#hasAnswered = true;
    this.#status = answer.status;
    this.#tell(() => {
      this.#received = answerLocally(this.#incoming, answer);
      this.#finish(fault);
    });
  }

  #finish(fault: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancel();
    this.#cancelWait();
    this.#cancelIdle();
    this.#give();
    this.#giveAgain();
    this.#try?.over();
    this.#body?.discard();
    const { upstream, clock, log, over } = this.#parts;
    over?.();
    const sent = this.#body?.bytes ?? 0;
    upstream.counts.sent += sent;
    upstream.counts.received += this.#received;
    if (log === undefined) return;
    log({
      upstream: upstream.name,
      host: this.#try?.address ?? '',
      ...askedBy(this.#incoming),
      ...{
        status: this.#status,
        tries: this.#repeats.tries,
        sent,
        received: this.#received,
        fault,
      },
      ms: Math.round(clock.monotonic() - this.#begun),
    });
  }
}

const UNAVAILABLE = '14';
const NO_CONTENT = 204;
