/** One way to ask one query: what is answered to it now, and what those who wait for more share. */
import { keptBackHeader } from '../../lib/acl/kept-back.ts';
import { tokenNotFound } from '../../lib/acl/refusals.ts';
import type { Caller } from '../../lib/acl/rights.ts';
import type { Cancel } from '../../lib/clock.ts';
import type { Params } from '../../lib/http/params.ts';
import type { Awaiting, Pending, Place, Reply, Shared } from '../../lib/http/reply.ts';
import { errorReply, indexedErrorReply } from '../../lib/http/respond.ts';
import { Lately } from '../../lib/lately.ts';
import { WAIT_JITTER_FRACTION } from '../../lib/limits.ts';
import { hasRoom, type Looker } from '../../lib/looking.ts';
import { Work } from '../../lib/slices.ts';
import type { Answer, Wait, Waiter, Waiting } from '../query/live-answer.ts';
import { asked, type Query, type Question } from '../query/query.ts';
import type { Falling, Watched } from '../query/standing.ts';
import type { Consistency, Demand } from '../readiness.ts';
import type { ReadDeps } from './deps.ts';

export interface ReadRequest {
  readonly query: Query;
  readonly params: Params;
  /** Who asks, once the caller has fallen. */
  readonly callerNow: () => Caller | Promise<Caller>;
  readonly demand: Demand;
  /** Without its jitter; of index 0 where the client does not wait. */
  readonly wait: Wait;
  /** What its row says of the headers. */
  readonly read: {
    readonly saysConsistency?: boolean;
    readonly neverSaysLeader?: boolean;
    readonly saysBackend?: boolean;
    readonly cacheable?: boolean;
    readonly bareMissing?: boolean;
    readonly bareErrors?: boolean;
  };
}

/** What the headers say beside the answer's own index. */
interface Freshness {
  readonly consistency: Consistency;
  readonly knownLeader: boolean;
  readonly lastContactMs: number;
}

/** What a read keeps alive beside the answer's body: its query, parameters and headers, about. */
const READ_BYTES = 6 * 1024;

/** Of one who falls again and again while it is looked for what he may see. */
const MOST_ANEW = 8;

export class SharedRead {
  readonly deps: ReadDeps;
  readonly request: ReadRequest;
  readonly caller: Caller;
  readonly question: Question;

  constructor(deps: ReadDeps, request: ReadRequest, caller: Caller) {
    this.deps = deps;
    this.request = request;
    this.caller = caller;
    this.question = asked(request.query, caller.rights);
  }

  /**
   * Resolves when what is known then may be told, which is of a moment before: whatever stands by then stood at that
   * moment too. Undefined where it may be told at once.
   */
  ready(): Promise<void> | undefined {
    const { readiness } = this.deps;
    const { demand, wait } = this.request;
    return readiness.read(readiness.consistency(demand), () => undefined, wait) ?? undefined;
  }

  /**
   * The answer after a wait that an answer has ended. What this server has applied since it last asked nobody else
   * need have: a consistent read is as one that begins now, as in Consul.
   */
  afterWait(answer: Answer, asking: Looker): Answer | Promise<Answer> {
    if (this.request.demand.consistency !== 'consistent') return answer;
    return this.deps.readiness.read('consistent', () => this.inRoom(asking));
  }

  /** Whether the answer may be had in this turn: there already, or with room to evaluate it. */
  get isAtHand(): boolean {
    return hasRoom() || this.deps.answers.knows(this.question);
  }

  /** The answer as the state stands. */
  current(): Answer {
    return this.deps.answers.read(this.question);
  }

  /** The same, as soon as a turn has room for it. */
  inRoom(asking: Looker): Answer | Promise<Answer> {
    return this.deps.answers.readInRoom(this.question, asking);
  }

  freshness(): Freshness {
    return freshnessOf(this.deps, this.request.demand);
  }

  /** Every answer is kept, and none is older than it may be: only the first one is said to be new. */
  cachedReply(): Reply {
    const reply = this.reply();
    const hit = this.deps.answers.wasCached(this.question);
    if (!hit || reply.shared === undefined) return { ...reply, shared: undefined };
    return { ...reply, headers: { ...reply.headers, 'X-Cache': 'HIT', Age: '0' } };
  }

  reply(answer: Answer = this.current(), freshness = this.freshness()): Reply {
    const headers = {
      ...headersOf(answer, freshness, this.request),
      ...keptBackHeader(answer.isFiltered, this.caller),
    };
    return replyTo(answer, headers, this.request, new SharedAnswer(this, answer, freshness));
  }

  /** The answer to whoever the token stands for by now: a stranger, where it stands for nobody. */
  async anew(asking: Looker): Promise<Reply> {
    try {
      for (let looks = 0; looks < MOST_ANEW; looks++) {
        const caller = await this.request.callerNow();
        const read = new SharedRead(this.deps, this.request, caller);
        // Thousands may fall at one time.
        const told = await read.afterWait(await read.inRoom(asking), asking);
        // He may have fallen again while that was waited for.
        if (caller.stands()) return read.reply(told);
      }
      throw tokenNotFound();
    } catch (error) {
      return this.refusal(error);
    }
  }

  refusal(error: unknown): Reply {
    return this.request.read.bareErrors === true ? errorReply(error) : indexedErrorReply(error);
  }
}

/** A class, for an object that is written down with a getter has a shape of its own, which each request paid for. */
class SharedAnswer implements Shared {
  readonly #read: SharedRead;
  readonly #answer: Answer;
  readonly #freshness: Freshness;

  constructor(read: SharedRead, answer: Answer, freshness: Freshness) {
    this.#read = read;
    this.#answer = answer;
    this.#freshness = freshness;
  }

  get bytes(): number {
    const { body } = this.#answer;
    // Whoever keeps the answer has its body by then.
    return READ_BYTES + (body instanceof Work ? 0 : body.length);
  }

  ready(): Promise<void> | undefined {
    return this.#read.ready();
  }

  stands(): boolean {
    const { caller } = this.#read;
    return (
      this.#answer.stands && caller.stands() && isSame(this.#freshness, this.#read.freshness())
    );
  }

  anew(): Reply | undefined {
    const { caller, request } = this.#read;
    // Of one that waits it depends on the index, of one from a cache on what was said of it, and of a consistent one, under
    // a quorum, on who else has what it is made of.
    const isAgreed = this.#read.deps.readiness.isAgreed(request.demand.consistency);
    const isPlain = request.wait.seenIndex === 0 && !isCached(request) && !isAgreed;
    const mayTell = isPlain && caller.stands() && this.#read.isAtHand;
    return mayTell ? this.#read.reply() : undefined;
  }
}

interface Told {
  readonly freshness: Freshness;
  readonly reply: Reply;
}

export class PendingRead implements Pending {
  readonly #read: SharedRead;
  /**
   * What is told of an answer, while it is: an answer that had to make room must not live on with those who
   * wait, of whom there may always be some.
   */
  readonly #told = new Lately<Answer, Told>();

  constructor(read: SharedRead) {
    this.#read = read;
  }

  get bytes(): number {
    return READ_BYTES;
  }

  ready(): Promise<void> | undefined {
    return this.#read.ready();
  }

  stands(): boolean {
    const { caller, request } = this.#read;
    if (!caller.stands() || !this.#read.isAtHand) return false;
    return this.#read.current().index === request.wait.seenIndex;
  }

  join(awaiting: Awaiting): Place {
    const joined = new JoinedRead(this, this.#read, awaiting);
    joined.begin();
    return joined;
  }

  async now(asking: Looker): Promise<Reply> {
    const read = this.#read;
    const told = await read.afterWait(await read.inRoom(asking), asking);
    if (!read.caller.stands()) throw tokenNotFound();
    return read.reply(told);
  }

  /** Of a refusal, and of what another caller was told, its route knows how it goes on. */
  after(reply: Reply) {
    const { deps, request, caller } = this.#read;
    const index = reply.headers?.['X-Consul-Index'];
    if (reply.shared === undefined || index === undefined || !caller.stands()) return undefined;
    const wait = { ...request.wait, seenIndex: Number(index) };
    const next = new SharedRead(deps, { ...request, wait }, caller);
    return { index, pending: new PendingRead(next) };
  }

  /** One and the same to all who are told the same, so that its bytes are made once. */
  replyOnce(answer: Answer): Reply {
    const freshness = this.#read.freshness();
    const told = this.#told.get(answer);
    if (told !== undefined && isSame(told.freshness, freshness)) return told.reply;
    const reply = this.#read.reply(answer, freshness);
    this.#told.set(answer, { freshness, reply });
    return reply;
  }
}

/** One who waits for the answer to a read, as one caller. */
class JoinedRead implements Waiter, Falling, Place, Looker {
  readonly seenIndex: number;
  readonly waitMs: number;
  readonly #pending: PendingRead;
  readonly #read: SharedRead;
  readonly #awaiting: Awaiting;
  #watched: Watched | undefined;
  #waiting: Waiting | undefined;
  #leaveLine: Cancel | undefined;
  #isOver = false;
  #isFallen = false;

  constructor(pending: PendingRead, read: SharedRead, awaiting: Awaiting) {
    const { deps, request } = read;
    this.seenIndex = request.wait.seenIndex;
    this.waitMs = withJitter(request.wait.waitMs, deps.random.next());
    this.#pending = pending;
    this.#read = read;
    this.#awaiting = awaiting;
  }

  begin(): void {
    const { deps, caller, question } = this.#read;
    this.#waiting = deps.answers.wait(question, this);
    this.#watched = deps.standing.watch(caller, this);
  }

  /** In line those of a token have a share together: who sent the same bytes from where nobody knows here. */
  get remoteAddress(): string {
    return `token ${this.#read.caller.accessorId}`;
  }

  /** He stands in line once at a time. */
  onceOver(call: Cancel): void {
    this.#leaveLine = call;
    if (this.#isOver) call();
  }

  onAnswer(answer: Answer): void {
    const told = this.#read.afterWait(answer, this);
    if (!(told instanceof Promise)) this.#settle(() => this.#pending.replyOnce(told));
    else {
      told.then(
        (known) => this.#settle(() => this.#pending.replyOnce(known)),
        (error: unknown) => this.onError(error),
      );
    }
  }

  onError(error: unknown): void {
    this.#settle(() => this.#read.refusal(error));
  }

  #settle(reply: () => Reply): void {
    if (!this.#isOver && !this.#isFallen && this.#stillStands()) this.#awaiting.settle(reply());
  }

  fallen(): void {
    this.#isFallen = true;
    this.#waiting?.leave();
    // It never rejects.
    void this.#read.anew(this).then((reply) => this.#isOver || this.#awaiting.settle(reply));
  }

  leave(): void {
    this.#isOver = true;
    this.#watched?.leave(this);
    this.#waiting?.leave();
    this.#leaveLine?.();
  }

  #stillStands(): boolean {
    this.#watched?.leave(this);
    if (this.#read.caller.stands()) return true;
    this.fallen();
    return false;
  }
}

/** In so many steps: timers of one length cost next to nothing, those of ten thousand do not. */
const WAIT_STEPS = 64;

/** `chance` in [0, 1) makes the wait longer, so that not all end at once. */
export function withJitter(waitMs: number, chance: number): number {
  const share = Math.floor(chance * WAIT_STEPS) / WAIT_STEPS;
  return waitMs * (1 + share * WAIT_JITTER_FRACTION);
}

function freshnessOf({ readiness }: ReadDeps, demand: Demand): Freshness {
  const consistency = readiness.consistency(demand);
  const { knownLeader } = readiness;
  return { consistency, knownLeader, lastContactMs: readiness.ageMs(consistency) };
}

function isSame(a: Freshness, b: Freshness): boolean {
  const isAsOld = a.knownLeader === b.knownLeader && a.lastContactMs === b.lastContactMs;
  return isAsOld && a.consistency === b.consistency;
}

function replyTo(
  answer: Answer,
  headers: Readonly<Record<string, string>>,
  request: ReadRequest,
  shared: Shared,
): Reply {
  const { status, body } = answer;
  if (status === 404 && request.read.bareMissing === true) return { status, shared };
  return { status, bytes: body, headers, shared };
}

/** In the order in which Consul's look best to a person; clients don't mind. */
function headersOf(
  answer: Answer,
  freshness: Freshness,
  request: ReadRequest,
): Record<string, string> {
  const { read } = request;
  const headers: Record<string, string> = {};
  if (answer.contentType !== '') headers['Content-Type'] = answer.contentType;
  if (answer.contentType === 'text/plain') Object.assign(headers, RAW_GUARD);
  headers['X-Consul-Index'] = String(answer.index);
  const saysLeader = freshness.knownLeader && read.neverSaysLeader !== true;
  headers['X-Consul-Knownleader'] = String(saysLeader);
  headers['X-Consul-Lastcontact'] = String(freshness.lastContactMs);
  if (read.saysConsistency === true)
    headers['X-Consul-Effective-Consistency'] = freshness.consistency;
  if (read.saysBackend === true) headers['X-Consul-Query-Backend'] = 'blocking-query';
  if (isCached(request)) headers['X-Cache'] = 'MISS';
  if (answer.mark !== '') headers['X-Proconsul-Mark'] = answer.mark;
  return headers;
}

function isCached({ read, params }: ReadRequest): boolean {
  return read.cacheable === true && params.has('cached');
}

/** A value is whatever someone wrote: a browser must not take it for a page of ours. */
const RAW_GUARD = { 'X-Content-Type-Options': 'nosniff', 'Content-Security-Policy': 'sandbox' };
