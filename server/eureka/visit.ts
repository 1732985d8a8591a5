/** One request of a Eureka client: who asks, in which form, and what is answered where it comes to nothing. */
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type { AccessControl, Caller } from '../../lib/acl/rights.ts';
import { type Cancel, systemClock } from '../../lib/clock.ts';
import { type ErrorCode, ProconsulError } from '../../lib/errors.ts';
import { readBody } from '../../lib/http/body.ts';
import type { Params } from '../../lib/http/params.ts';
import { Request } from '../../lib/http/request.ts';
import { acceptsGzip } from '../../lib/http/respond.ts';
import type { Guard } from '../../lib/http/route.ts';
import type { Looker } from '../../lib/looking.ts';
import type { Form } from './decode.ts';
import { Unparsable } from './faults.ts';
import type { Asking } from './registry.ts';
import { writeXml } from './xml.ts';

export interface Door {
  readonly access: AccessControl;
  /** Asked before anything is answered. */
  readonly guards: readonly Guard[];
}

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly contentType?: string;
  readonly body?: Buffer;
  /** It is sent compressed. */
  readonly zips?: boolean;
}

export class Visit implements Asking, Looker {
  readonly message: IncomingMessage;
  readonly #request: Request;
  readonly #door: Door;
  #caller: Caller | undefined;

  /** Throws what a guard does. */
  constructor(door: Door, message: IncomingMessage, response: ServerResponse) {
    this.#door = door;
    this.message = message;
    this.#request = new Request(message, response, false);
    for (const guard of door.guards) guard(this.#request);
  }

  get params(): Params {
    return this.#request.params;
  }

  get queryString(): string {
    return this.#request.queryString;
  }

  get remoteAddress(): string {
    return this.#request.remoteAddress;
  }

  get signal(): AbortSignal {
    return this.#request.signal;
  }

  onceOver(call: Cancel): void {
    this.#request.onceOver(call);
  }

  get isReplica(): boolean {
    return this.message.headers['x-netflix-discovery-replication'] === 'true';
  }

  get isCompact(): boolean {
    return this.message.headers['x-eureka-accept'] === 'compact';
  }

  get wantsGzip(): boolean {
    return acceptsGzip(this.message);
  }

  /** Once it is known who asks. A token may be revoked while its request waits. */
  async callerStill(): Promise<Caller> {
    if (this.#caller?.stands() !== true) {
      const { access } = this.#door;
      this.#caller = await access.callerOf(this.#token, this.#request.remoteAddress);
    }
    return this.#caller;
  }

  /**
   * Clients of Eureka know no tokens, but put a user and a password into the server's URL. What stands in
   * the query may be metadata of any name.
   */
  get #token(): string {
    const { authorization = '', 'x-consul-token': header } = this.message.headers;
    if (typeof header === 'string' && header !== '') return header;
    const [, scheme = '', said = ''] = /^(Bearer|Basic) \s*(\S+)/i.exec(authorization) ?? [];
    if (scheme.toLowerCase() !== 'basic') return said;
    const [user = '', ...rest] = Buffer.from(said, 'base64').toString('utf8').split(':');
    return rest.join(':') || user;
  }

  /** In which form to answer; undefined where it accepts none that there is. */
  get form(): Form | undefined {
    const ranges = accepted(this.message);
    if (ranges.includes('application/json')) return 'json';
    const isAny = ranges.length === 0 || ranges.some((range) => XML_RANGES.has(range));
    return isAny ? 'xml' : undefined;
  }

  /** In which form the body is; undefined where it is in none that there is. */
  get sentForm(): Form | undefined {
    const [type = ''] = (this.message.headers['content-type'] ?? '').split(';');
    const [, form] = /^application\/(json|xml)$/i.exec(type.trim()) ?? [];
    return form?.toLowerCase() as Form | undefined;
  }

  body(maxBytes: number): Promise<Buffer> {
    return readBody(this.message, { maxBytes, clock: systemClock });
  }

  /** Eureka's sentences stand there as they are, and all else is as Spring tells it. */
  refusal(error: unknown): Reply {
    const { code, message } =
      error instanceof ProconsulError ? error : { code: 'internal' as const, message: '' };
    const form = this.form ?? 'xml';
    if (error instanceof Unparsable) return unparsable(this.sentForm ?? form);
    if (code === 'invalid') return textReply(400, message, form);
    return failure(this.message, { status: STATUS[code], form, message });
  }
}

const XML_RANGES = new Set(['application/xml', 'application/*', '*/*']);

const STATUS: Readonly<Record<ErrorCode, number>> = {
  invalid: 400,
  rejected: 500,
  unauthorized: 401,
  forbidden: 403,
  'not-found': 404,
  'too-large': 413,
  'too-slow': 408,
  busy: 429,
  unavailable: 503,
  unknown: 500,
  internal: 500,
};

export interface Failure {
  readonly status: number;
  readonly form?: Form | undefined;
  readonly message?: string;
  readonly headers?: Reply['headers'];
}

export function failure(
  { url = '/' }: IncomingMessage,
  { status, form = 'json', message = '', headers = {} }: Failure,
): Reply {
  const [path] = url.split('?');
  const shape = {
    timestamp: new Date(systemClock.now()).toISOString(),
    status,
    error: STATUS_CODES[status] ?? '',
    ...(message !== '' && { message }),
    path,
  };
  const text = form === 'json' ? JSON.stringify(shape) : writeXml('Map', shape, null);
  return { ...textReply(status, text, form), headers };
}

function unparsable(form: Form): Reply {
  const text = new Unparsable().message;
  const json = `{"error": ${JSON.stringify(text)}}`;
  const xml = `<error><message>${text}</message></error>`;
  return textReply(400, form === 'json' ? json : xml, form);
}

function textReply(status: number, text: string, form: Form): Reply {
  return { status, contentType: `application/${form}`, body: Buffer.from(text) };
}

/** What is accepted at all, by order of its being said. */
function accepted({ headers: { accept = '' } }: IncomingMessage): string[] {
  return accept
    .split(',')
    .map((range) => range.split(';').map((part) => part.trim().toLowerCase()))
    .filter(
      ([type = '', ...more]) => type !== '' && !more.some((each) => /^q=0(\.0*)?$/.test(each)),
    )
    .map(([type = '']) => type);
}
