/**
 * The row type of the route table. The router, 405 and OPTIONS, docs/compat.md and access control
 * all read the same rows, so that none of them can forget a route.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type { AccessControl, Caller } from '../acl/rights.ts';
import type { Decoder } from '../decode.ts';
import type { Params } from './params.ts';
import type { Reply } from './reply.ts';
import type { Right } from './right.ts';
import type { Takes } from './takes.ts';

export type Method = 'GET' | 'PUT' | 'POST' | 'DELETE';

/** The configuration's name of a limit, for who runs into it. */
export type Limit = 'kv_max_value_size' | 'txn_max_req_len';

export interface HttpRequest {
  readonly method: string;
  /** Percent-decoded once. */
  readonly path: string;
  /** Path and query string as they came. */
  readonly target: string;
  /** What follows a row's path that ends in '/', percent-decoded once; else ''. */
  readonly rest: string;
  readonly params: Params;
  /** Whether JSON is for people: the request or the process says so. */
  readonly pretty: boolean;
  readonly headers: IncomingHttpHeaders;
  /** '' when none was sent. */
  readonly token: string;
  /** Who asks, as the token said when the request came, and again when all of its body had. */
  readonly caller: Caller;
  /** Who asks by now: a token may be revoked while its request waits. Keeps nothing else alive. */
  readonly callerNow: () => Caller | Promise<Caller>;
  /** The same; throws where he may not ask this row any more. */
  readonly callerStill: () => Caller | Promise<Caller>;
  readonly remoteAddress: string;
  /**
   * Aborted when the client goes away; where the request may wait for long, also when the client
   * closes its side: most that do so have gone. Of an endless answer also when the listener stops.
   */
  readonly signal: AbortSignal;
  /** Calls once when the answer is written, or the client has gone. */
  onceOver(call: () => void): void;
  /**
   * The whole body. Counts bytes while they come: refuses as soon as there are too many, and whoever
   * has lost his right meanwhile.
   */
  body(maxBytes: number, limit?: Limit): Promise<Buffer>;
  /** The same, decoded; of MAX_JSON_BODY_BYTES where no other bound is given. */
  json<T>(decode: Decoder<T>, maxBytes?: number, limit?: Limit): Promise<T>;
}

/** Throws where a request is forbidden, whatever row it is for. */
export type Guard = (request: HttpRequest) => void;

export type Handler = (request: HttpRequest) => Reply | Promise<Reply>;

export interface Route extends Takes {
  readonly method: Method;
  /** Exact, or with a final '/' everything below it; the longest path that fits wins. */
  readonly path: string;
  readonly right: Right;
  /** Who asks, where this row knows it otherwise than the listener. */
  readonly access?: AccessControl;
  /** For docs/compat.md: what it does, in a few words. */
  readonly does: string;
  /** `?dc=` is passed over: what it shows belongs to no data centre, or to this agent alone. */
  readonly anyDatacenter?: boolean;
  /** Its refusals say X-Consul-Index and the like too, as if nothing were known but the leader. */
  readonly indexedErrors?: boolean | 'leader';
  /** Its answer goes on for as long as the client is there: always, or where it is asked for as a stream. */
  readonly endless?: true | 'stream';
  /** It may be answered late without an index or a hash: whoever closes his side meanwhile has gone. */
  readonly waits?: boolean;
  readonly handle: Handler;
}
