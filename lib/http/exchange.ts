/**
 * One exchange, from the head of a request to the last byte of its answer:
 *
 *   socket ─ Connection ─ Node's parser ─▶ Request ─▶ row ─▶ reply ─▶ wire ─▶ socket
 *                │                                      │       ▲        │
 *                │                                  fallback    └─ wait ─┤
 *                │                                  or pages             │
 *                └────▶ FastPath: the same bytes, the same answer ◀──────┘
 *
 * A Connection lets one exchange begin when the one before it has ended. A row's handler gives a
 * reply or throws; a reply may be a wait (`pending`), which ends in another. `wireOf` makes bytes of
 * it, once for all who share it. Where the reply says that it is shared, FastPath learns it.
 */
import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AccessControl, Caller } from '../acl/rights.ts';
import { type Cancel, systemClock } from '../clock.ts';
import { ProconsulError } from '../errors.ts';
import { whenRoom } from '../long-turns.ts';
import type { Work } from '../slices.ts';
import type { Audit, Audited } from './audit.ts';
import { refuseElsewhere } from './elsewhere.ts';
import type { FastPath } from './fast/fast-path.ts';
import { cleanPath, isPrintable } from './path.ts';
import type { Place } from './place.ts';
import {
  type Begin,
  type Message,
  ReadyMessage,
  ReadyResponse,
  type Response,
} from './ready-exchange.ts';
import type { Pending, Reply, Wire } from './reply.ts';
import { Request } from './request.ts';
import type { RequestLines } from './request-lines.ts';
import {
  acceptsGzip,
  errorReply,
  errorWire,
  indexedErrorReply,
  LEADER_KNOWN,
  NOTHING_KNOWN,
  sendStream,
  sendWire,
  type Writing,
  wireOf,
} from './respond.ts';
import { enforce, refuseHopeless } from './right.ts';
import type { Guard, Handler, Route } from './route.ts';
import type { RouteTime, RouteTimes, TimedRoute } from './route-times.ts';
import { allowed, type Match, type Router } from './router.ts';

/** What all exchanges of a surface share. */
export interface Surface {
  /** Where a request may go. */
  readonly places: {
    readonly router: Router<TimedRoute>;
    readonly fallback: Handler | undefined;
    readonly pages: (message: IncomingMessage, response: ServerResponse) => void;
    /** What is for the pages, though there is a fallback. */
    readonly isPage: (path: string) => boolean;
    /** How long it took there. */
    readonly times: RouteTimes;
  };
  readonly access: AccessControl;
  readonly guards: readonly Guard[];
  readonly settings: {
    /** Of answers by the fallback, and by a row. */
    readonly responseHeaders: Readonly<Record<string, string>>;
    readonly rowHeaders: Readonly<Record<string, string>>;
    readonly disableUnprintableCharFilter: boolean;
    readonly prettyJson: boolean;
  };
  /** Who learns of each exchange. */
  readonly told: { readonly fastPath: FastPath | undefined; readonly audit: Audit | undefined };
  /** Begins another one, of a request that was not parsed. */
  readonly begin: Begin;
  readonly lines: RequestLines;
}

export class Exchange {
  readonly message: Message;
  readonly response: Response;
  /** Where there is an audit log. */
  readonly audited: Audited | undefined;
  readonly #surface: Surface;
  readonly #place: Place<TimedRoute> | undefined;
  #request: Request | undefined;
  #row: TimedRoute | undefined;
  /** Set on the answer; what is for the pages, and what is no request, gets none. */
  #common: Readonly<Record<string, string>> = {};

  /** `place`: what its target is known to lead to. */
  constructor(surface: Surface, message: Message, response: Response, place?: Place<TimedRoute>) {
    this.#surface = surface;
    this.#place = place;
    this.message = message;
    this.response = response;
    this.audited = surface.told.audit?.begins(message, response);
  }

  /** Where it is noted how long this takes; once the row is known. What no row takes is handed on. */
  get time(): RouteTime | undefined {
    const { times, fallback } = this.#surface.places;
    return this.#row?.time ?? (fallback && times.handedOn);
  }

  /** The row's path; undefined where there is none. */
  get route(): string | undefined {
    return this.#row?.path;
  }

  get token(): string {
    return this.#request?.token ?? '';
  }

  /** Undefined where it was answered at once. */
  run(): Promise<void> | undefined {
    const from = systemClock.monotonic();
    let reply: Reply | Promise<Reply> | undefined;
    try {
      reply = this.#reply();
    } catch (error) {
      reply = this.#failed(error);
    }
    // Node's parser is still at work with its own message.
    const isLater = reply instanceof Promise || !(this.message instanceof ReadyMessage);
    return isLater ? this.#endLater(reply, from) : this.#end(reply as Reply | undefined, from);
  }

  async #endLater(coming: Reply | Promise<Reply> | undefined, from: number): Promise<void> {
    let reply: Reply | undefined;
    try {
      reply = await coming;
    } catch (error) {
      reply = this.#failed(error);
    }
    await this.#end(reply, from);
  }

  #failed(error: unknown): Reply {
    this.#log(error);
    const reply = this.#refusal(error);
    // What is not handed on after all is refused as a row refuses it.
    const { responseHeaders, rowHeaders } = this.#surface.settings;
    if (this.#common === responseHeaders) this.#common = rowHeaders;
    return reply;
  }

  #end(reply: Reply | undefined, from: number): Promise<void> | undefined {
    if (reply === undefined) {
      this.#showPage();
      return undefined;
    }
    const writing: Writing = {
      common: this.#common,
      pretty: this.#request?.pretty === true,
      gzip: acceptsGzip(this.message),
    };
    const { pending } = reply;
    const sending = pending
      ? this.#wait(pending, writing).then((told) => this.#send(told, writing))
      : this.#send(reply, writing);
    const sent = () => this.#took(systemClock.monotonic() - from, pending !== undefined);
    if (sending !== undefined) return sending.then(sent);
    sent();
    return undefined;
  }

  #showPage(): void {
    const { message, response } = this;
    assert(!(message instanceof ReadyMessage || response instanceof ReadyResponse));
    this.#surface.places.pages(message, response);
  }

  #took(ms: number, hasWaited: boolean): void {
    const { statusCode } = this.response;
    this.#surface.lines.finished(this.message, statusCode, ms);
    const time = this.#request?.isEndless ? undefined : this.time;
    if (time === undefined) this.#surface.places.times.answeredWith(statusCode);
    else time.took(ms, statusCode, hasWaited);
    // A body that nobody wanted must not keep the connection waiting.
    if (!this.message.complete) this.message.resume();
  }

  /** Undefined where it is for the pages. */
  #reply(): Reply | Promise<Reply> | undefined {
    const { places, guards, settings } = this.#surface;
    const { fallback } = places;
    if (isEncodedTwice(this.message)) return NOT_DECODED;
    const request = new Request(this.message, this.response, settings.prettyJson, this.#place);
    this.#request = request;
    this.#saysWhoAsks(this.#surface.access, request);
    const { path } = request;
    const match = this.#place?.match ?? this.#match(path);
    if (match === 'page') return undefined;
    this.#common = match === undefined ? settings.responseHeaders : settings.rowHeaders;
    for (const guard of guards) guard(request);
    if (match === undefined) {
      refuseElsewhere(path, request);
      this.audited?.starts();
      return fallback?.(request);
    }
    request.rest = match.rest;
    const row = match.methods.get(request.method);
    if (row === undefined) return withoutRow(match, request);
    const { endless } = row;
    request.isEndless = endless === 'stream' ? request.params.has(endless) : endless === true;
    request.waits = row.waits === true;
    refuseElsewhere(path, request);
    this.#row = row;
    request.handTo(row);
    return this.#runRow(row, request);
  }

  /** Undefined where it is to be handed on. */
  #match(path: string): Match<TimedRoute> | 'page' | undefined {
    const { places, settings } = this.#surface;
    const { router, fallback } = places;
    if (!settings.disableUnprintableCharFilter && !isPrintable(path)) {
      throw new ProconsulError('invalid', 'Bad Request: unprintable characters in the path');
    }
    if (cleanPath(path) !== path || router.isAbove(path)) return 'page';
    const match = router.match(path);
    if (match !== undefined) return match;
    return path === '/' || fallback === undefined || places.isPage(path) ? 'page' : undefined;
  }

  /** Nothing of the request is looked at before it is known who asks. */
  #runRow(row: Route, request: Request): Reply | Promise<Reply> {
    const { access = this.#surface.access } = row;
    if (row.access !== undefined) this.#saysWhoAsks(access, request);
    if (row.right.by === 'nobody') {
      this.audited?.starts();
      return row.handle(request);
    }
    const { token, remoteAddress } = request;
    request.callerNow = asker(access, token, remoteAddress);
    const caller = request.callerNow();
    request.enforce = (found) => enforce(row.right, { caller: found, rest: request.rest });
    request.refuseHopeless = (found) => refuseHopeless(row.right, found);
    const run = (found: Caller) => {
      this.audited?.starts(found);
      // Before it is refused, so that the log can tell whom.
      request.caller = found;
      request.enforce(found);
      const reply = row.handle(request);
      const mayBeLate = row.method === 'GET' && row.right.by === 'row' && reply instanceof Promise;
      return mayBeLate ? toWhoeverStillMay(request, reply) : reply;
    };
    return caller instanceof Promise ? caller.then(run) : run(caller);
  }

  #saysWhoAsks(access: AccessControl, request: Request): void {
    if (this.audited === undefined) return;
    this.audited.asker = asker(access, request.token, request.remoteAddress);
  }

  #refusal(error: unknown): Reply {
    const indexed = this.#row?.indexedErrors ?? false;
    if (indexed === false) return errorReply(error);
    return indexedErrorReply(error, indexed === 'leader' ? LEADER_KNOWN : NOTHING_KNOWN);
  }

  /** What the wait comes to; never, once the client is gone. */
  #wait(pending: Pending, writing: Writing): Promise<Reply> {
    const { message, response } = this;
    // A row has answered it.
    const asking = this.#request as Request;
    const entered = this.#surface.told.fastPath?.waits(this, pending, writing);
    return new Promise((resolve) => {
      const end = (reply: Reply) => {
        over();
        entered?.told(reply);
        // What a wait came to is no answer to the same request: that would have to wait anew.
        resolve({ ...reply, shared: undefined });
      };
      // Most who close their side have gone, and none of them will see more; thousands may go at once.
      const answerNow = () => {
        leaveTurn = whenRoom(() => void this.#caught(() => pending.now(asking)).then(end));
      };
      let leaveTurn: Cancel = () => undefined;
      const place = pending.join({ settle: end });
      const over = () => {
        place.leave();
        leaveTurn();
        message.socket.off('end', answerNow);
      };
      response.once('close', () => {
        over();
        entered?.leave();
      });
      if (response.destroyed) over();
      else if (message.socket.readableEnded) answerNow();
      else message.socket.once('end', answerNow);
    });
  }

  async #caught(reply: () => Reply | Promise<Reply>): Promise<Reply> {
    try {
      return await reply();
    } catch (error) {
      this.#log(error);
      return this.#refusal(error);
    }
  }

  #send(reply: Reply, writing: Writing): Promise<void> | undefined {
    if (hasStream(reply)) {
      if (reply.passedOn)
        this.#surface.told.fastPath?.passesOn(this, reply.passedOn, writing.common);
      return sendStream(reply, writing.common, this.response);
    }
    const made = this.#wireOf(reply, writing);
    if (made instanceof Promise) return made.then((wire) => this.#sendWire(wire, reply, writing));
    this.#sendWire(made, reply, writing);
    return undefined;
  }

  #sendWire(wire: Wire, { shared }: Reply, writing: Writing): void {
    const { fastPath } = this.#surface.told;
    if (shared !== undefined) fastPath?.answers(this, { shared, writing }, wire);
    else if (this.#row !== undefined) fastPath?.writes(this, this.#surface.begin);
    try {
      sendWire(wire, this.response);
    } catch (error) {
      if (!(error instanceof ProconsulError)) throw error;
      sendWire(this.#refusalWire(error, writing), this.response);
    }
  }

  /** A large answer is made while it is sent, and may come to an error yet. */
  #wireOf(reply: Reply, writing: Writing): Wire | Promise<Wire> {
    const instead = (error: unknown) => this.#refusalWire(error, writing);
    // Nobody wants it for a client that is gone: it is never made, and this never goes on.
    const wants = (body: Work<Buffer>) => this.#onceOver(body.want());
    try {
      const made = wireOf(reply, writing, wants);
      return made instanceof Promise ? made.catch(instead) : made;
    } catch (error) {
      return instead(error);
    }
  }

  #refusalWire(error: unknown, writing: Writing): Wire {
    this.#log(error);
    return errorWire(this.#refusal(error), writing);
  }

  #onceOver(call: Cancel): void {
    if (this.response.destroyed) call();
    else this.response.once('close', call);
  }

  #log(error: unknown): void {
    this.#surface.lines.failed(error, this.message, this.#request?.caller.accessorId ?? '');
  }
}

/** It may have taken long: whoever has lost the right to it meanwhile is told nothing more. */
async function toWhoeverStillMay(request: Request, coming: Promise<Reply>): Promise<Reply> {
  const reply = await coming;
  // Those that go on by themselves see to it themselves.
  const isWhole = reply.pending === undefined && reply.stream === undefined;
  if (isWhole && !request.caller.stands()) request.enforce(await request.callerNow());
  return reply;
}

/** Node takes any coding that ends in chunks, and hands over what is within as if it were the body. */
function isEncodedTwice({ headers }: Message): boolean {
  const coding = headers['transfer-encoding'];
  return coding !== undefined && coding.toLowerCase() !== 'chunked';
}

const NOT_DECODED: Reply = {
  status: 501,
  text: 'Unsupported transfer encoding',
  headers: { Connection: 'close' },
};

/**
 * A function of its own: an answer that is kept keeps this, and what it is made in must not keep the
 * request alive with it.
 */
function asker(access: AccessControl, token: string, from: string) {
  return () => access.callerOf(token, from);
}

function hasStream(reply: Reply): reply is Reply & Pick<Required<Reply>, 'stream'> {
  return reply.stream !== undefined;
}

function withoutRow(match: Match<TimedRoute>, { method }: Request): Reply {
  const headers = { Allow: allowed(match.methods) };
  if (method === 'OPTIONS') return { headers };
  return { status: 405, text: `method ${method} not allowed`, headers };
}
