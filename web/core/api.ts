/** The HTTP API: one way to ask, whoever asks. */
import { wholeCharacters } from '../../lib/whole-characters.ts';
import { inDatacenter } from './asked-path.ts';
import { readJson } from './exact-json.ts';
import { isAsWritten } from './path.ts';
import { type Answer, IN_PLACE, Refusal, refusalOf, UNHEARD } from './refusal.ts';
import { noteRightsNews } from './rights-news.ts';
import { strangeIn, token } from './token.ts';

/** What the token may is asked here. */
export const RIGHTS = '/v1/internal/acl/authorize';

export interface Asking {
  readonly method?: string;
  readonly body?: string | object | undefined;
  /** Without one it is given up after a minute. */
  readonly signal?: AbortSignal;
  /** Called as an answer comes, piece by piece. */
  readonly comes?: (() => void) | undefined;
  /** In place of the page's own; '' for none. */
  readonly by?: string;
  /** In place of that of the address; '' for the server's own. */
  readonly datacenter?: string | undefined;
}

/**
 * What is shown and reckoned with, and never sent back. All else keeps each number as it is, for it may be edited, or be
 * put back: of a path that is new here too.
 */
const ONLY_SHOWN =
  /^\/v1\/(?:agent|catalog|coordinate|discovery-chain|event|internal(?!\/ui\/node\b)|operator|session|status)\b/;

/** Whoever waits for longer has a signal of his own. */
const PATIENCE_MS = 60_000;

/** Rejects with a Refusal, or with the signal's reason. */
export async function ask<T>(path: string, asking: Asking = {}): Promise<Answer<T>> {
  const [response, text] = await fetched(path, asking).catch((cause) => fail(cause, asking));
  const index = indexOf(response.headers.get('X-Consul-Index') ?? '');
  refuseInPlace(response, asking.method);
  refuseBetween(response, asking.method);
  if (!response.ok) refuse(path, response, text, index);
  const isJson = isOf(response, 'json');
  // What is read is JSON; a write may be answered with nothing.
  if (!isJson && (asking.method ?? 'GET') === 'GET')
    throw new Refusal('lost', response.status, IN_PLACE);
  const read = ONLY_SHOWN.test(path) ? JSON.parse : readJson;
  return {
    value: (isJson ? read(wholeCharacters(text)) : text) as T,
    index,
    isPartial: response.headers.get('X-Consul-Results-Filtered-By-ACLs') === 'true',
    mark: response.headers.get('X-Proconsul-Mark') ?? '',
  };
}

/**
 * What is told line by line, each an answer, until nothing more is; an empty line says that somebody is there. Rejects as
 * `ask` does.
 */
export async function listen<T>(
  path: string,
  asking: Asking & { readonly signal: AbortSignal },
  each: (answer?: Answer<T>) => void,
): Promise<void> {
  try {
    const response = await begun(path, asking);
    refuseInPlace(response);
    if (!response.ok) refuse(path, response, await response.text(), 0n);
    for await (const line of linesOf(response)) {
      if (line === '') each();
      else
        each({ value: JSON.parse(wholeCharacters(line)), index: 0n, isPartial: false, mark: '' });
    }
  } catch (cause) {
    fail(cause, asking);
  }
}

/** Of one line. */
const MAX_LINE = 8 * 1024 * 1024;

async function* linesOf(response: Response): AsyncGenerator<string> {
  let rest = '';
  for await (const piece of piecesOf(response)) {
    const lines = `${rest}${piece}`.split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
    if (rest.length > MAX_LINE) throw new Refusal('lost', 0, '');
  }
  // Of whoever tells it once alone.
  if (rest !== '') yield rest;
}

async function* piecesOf({ body }: Response): AsyncGenerator<string> {
  if (body === null) return;
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    // Whoever reads no further leaves the connection to others.
    void reader.cancel().catch(() => undefined);
  }
}

function fail(cause: unknown, { signal, method = 'GET' }: Asking): never {
  if (signal?.aborted) throw signal.reason;
  // What no browser asks for was never sent: that is no loss of the server.
  if (cause instanceof Refusal) throw cause;
  const isLate = cause instanceof DOMException && cause.name === 'TimeoutError';
  if (isLate) throw new Refusal('lost', 0, method === 'GET' ? '' : UNHEARD);
  throw new Refusal('lost', 0, cause instanceof Error ? cause.message : '');
}

function refuse(path: string, { status }: Response, text: string, index: bigint): never {
  // Whoever was shown a way to it may no longer go it.
  if (status === 403 && !path.startsWith(RIGHTS)) noteRightsNews();
  throw refusalOf(status, text, index);
}

/** The API says nothing in HTML, and of these nothing at all. */
function refuseInPlace(response: Response, method = 'GET'): void {
  // Whoever is in between lost the server, perhaps after he had handed it on: to load the page anew would lose that too.
  if (isOf(response, 'html') && response.status >= 500) {
    throw new Refusal('lost', 0, method === 'GET' ? '' : UNHEARD);
  }
  // Led elsewhere, and not followed: a browser says no more of it.
  if (response.type === 'opaqueredirect') throw new Refusal('lost', 302, IN_PLACE);
  if (isOf(response, 'html') || [204, 407, 511].includes(response.status)) {
    throw new Refusal('lost', response.status, IN_PLACE);
  }
}

const LOST_BETWEEN: readonly number[] = [502, 503, 504];

/** In whichever form he says it: the server itself says of a write whether it was done. */
function refuseBetween({ status, headers }: Response, method = 'GET'): void {
  const isOfServer = headers.has('X-Proconsul-Applied');
  if (method !== 'GET' && LOST_BETWEEN.includes(status) && !isOfServer)
    throw new Refusal('lost', 0, UNHEARD);
}

function isOf(response: Response, type: string): boolean {
  return response.headers.get('Content-Type')?.includes(type) === true;
}

function indexOf(text: string): bigint {
  return /^\d+$/.test(text) ? BigInt(text) : 0n;
}

async function fetched(asked: string, asking: Asking): Promise<[Response, string]> {
  const response = await begun(asked, asking);
  const { comes } = asking;
  if (comes === undefined) return [response, await response.text()];
  comes();
  const pieces: string[] = [];
  for await (const piece of piecesOf(response)) {
    pieces.push(piece);
    comes();
  }
  return [response, pieces.join('')];
}

async function begun(asked: string, asking: Asking): Promise<Response> {
  const { method = 'GET', body, by = token.peek(), datacenter } = asking;
  const { signal = AbortSignal.timeout(PATIENCE_MS) } = asking;
  const path = inDatacenter(asked, datacenter);
  if (strangeIn(by) !== undefined) throw new Refusal('refused', 0, 'No header carries this token');
  if (!isAsWritten(path)) throw new Refusal('refused', 0, `A browser cannot ask for ${path}`);
  const headers: Record<string, string> = by === '' ? {} : { 'X-Consul-Token': by };
  // Where the API leads is another thing than was asked about.
  const init: RequestInit = { method, headers, cache: 'no-store', redirect: 'manual', signal };
  if (body !== undefined) init.body = typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(path, init);
  noteClock(response.headers.get('Date'));
  return response;
}

let offsetMs = 0;

/** A reader's clock may be wrong by hours, and "3 minutes ago" must not be. */
function noteClock(date: string | null): void {
  const there = Date.parse(date ?? '');
  if (Number.isNaN(there)) return;
  const off = there - Date.now();
  // The header has whole seconds.
  offsetMs = Math.abs(off) < 2000 ? 0 : off;
}

/** By the server's clock. */
export function serverNow(): number {
  return Date.now() + offsetMs;
}
