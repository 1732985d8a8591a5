/** The HTTP API: one way to ask, whoever asks. */
import { wholeCharacters } from '../../lib/whole-characters.ts';
import { inDatacenter } from './asked-path.ts';
import { readJson } from './exact-json.ts';
import { isAsWritten } from './path.ts';
import { type Answer, Refusal, refusalOf } from './refusal.ts';
import { noteRightsNews } from './rights-news.ts';
import { strangeIn, token } from './token.ts';

/** What the token may is asked here. */
export const RIGHTS = '/v1/internal/acl/authorize';

export interface Asking {
  readonly method?: string;
  readonly body?: string | object | undefined;
  /** Without one it is given up after a minute. */
  readonly signal?: AbortSignal;
  /** In place of the page's own; '' for none. */
  readonly by?: string;
  /** In place of that of the address; '' for the server's own. */
  readonly datacenter?: string | undefined;
}

/** What is edited keeps each number as it is; what is only shown has counts, which are reckoned with. */
const WRITTEN_AGAIN = /^\/v1\/(?:kv|config|connect\/intentions|acl|query)\b/;

/** Whoever waits for longer has a signal of his own. */
const PATIENCE_MS = 60_000;

/** Rejects with a Refusal, or with the signal's reason. */
export async function ask<T>(path: string, asking: Asking = {}): Promise<Answer<T>> {
  const { signal } = asking;
  const [response, text] = await fetched(path, asking).catch((cause: unknown) => {
    if (signal?.aborted) throw signal.reason;
    // What no browser asks for was never sent: that is no loss of the server.
    if (cause instanceof Refusal) throw cause;
    throw new Refusal('lost', 0, cause instanceof Error ? cause.message : '');
  });
  noteClock(response.headers.get('Date'));
  const index = indexOf(response.headers.get('X-Consul-Index') ?? '');
  if (!response.ok) {
    // Whoever was shown a way to it may no longer go it.
    if (response.status === 403 && !path.startsWith(RIGHTS)) noteRightsNews();
    throw refusalOf(response.status, text, index);
  }
  const isJson = response.headers.get('Content-Type')?.includes('json') === true;
  const read = WRITTEN_AGAIN.test(path) ? readJson : JSON.parse;
  return {
    value: (isJson ? read(wholeCharacters(text)) : text) as T,
    index,
    isPartial: response.headers.get('X-Consul-Results-Filtered-By-ACLs') === 'true',
    mark: response.headers.get('X-Proconsul-Mark') ?? '',
  };
}

function indexOf(text: string): bigint {
  return /^\d+$/.test(text) ? BigInt(text) : 0n;
}

async function fetched(asked: string, asking: Asking): Promise<[Response, string]> {
  const { method = 'GET', body, by = token.peek(), datacenter } = asking;
  const { signal = AbortSignal.timeout(PATIENCE_MS) } = asking;
  const path = inDatacenter(asked, datacenter);
  if (strangeIn(by) !== undefined) throw new Refusal('refused', 0, 'No header carries this token');
  if (!isAsWritten(path)) throw new Refusal('refused', 0, `A browser cannot ask for ${path}`);
  const headers: Record<string, string> = by === '' ? {} : { 'X-Consul-Token': by };
  const init: RequestInit = { method, headers, cache: 'no-store', signal };
  if (body !== undefined) init.body = typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(path, init);
  return [response, await response.text()];
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
