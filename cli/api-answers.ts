/** What an agent answers, read to its end, and whether it is an answer at all. */
import type { IncomingMessage } from 'node:http';
import { ProconsulError } from '../lib/errors.ts';
import { decodeJson } from '../lib/json.ts';

/** More than any agent answers at once; a text much longer cannot be held. */
const MAX_ANSWER_BYTES = 256 * 1024 * 1024;
/** Of an error's text: an agent's are shorter. */
const MAX_REASON = 4096;

/** How an answer is to be taken. */
export interface Taking {
  /** Other statuses than 200 that are answers. */
  readonly accept?: readonly number[];
  /** An error says the status alone, as Go's client does of keys, and not the answer's text. */
  readonly terse?: true;
  /** One that is larger is refused as 'too-large', before more of it is read. */
  readonly maxBytes?: number;
  /** Told of how much of the answer has come, and how much there is; 0 where nobody knows. */
  readonly onReceived?: (bytes: number, total: number) => void;
}

/**
 * Throws ProconsulError for a status that is no answer to this request, or a page: 'forbidden' where the token is
 * refused, 'invalid' where what was asked makes no sense, 'busy' where the agent has no room for more, else 'unavailable'.
 */
export function refuse(
  response: Pick<IncomingMessage, 'statusCode' | 'headers'>,
  text: string,
  { accept = [], terse }: Taking,
): void {
  const status = response.statusCode ?? 0;
  if (isPage(response) && status < 400) {
    throw new ProconsulError('unavailable', `Unexpected answer: ${reasonIn(text)}`);
  }
  if (status === 200 || accept.includes(status)) return;
  const why = text === '' || terse ? '' : ` (${reasonIn(text)})`;
  throw new ProconsulError(codeOf(status), `Unexpected response code: ${status}${why}`);
}

function codeOf(status: number): 'forbidden' | 'invalid' | 'busy' | 'unavailable' {
  if (status === 401 || status === 403) return 'forbidden';
  if (status === 400) return 'invalid';
  return status === 429 ? 'busy' : 'unavailable';
}

/** No agent answers a command with one. */
export function isPage({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  return /^text\/html\b/i.test(headers['content-type'] ?? '');
}

/** Whatever stands between may answer with a page of its own: of that, as much as says whose it is. */
function reasonIn(text: string): string {
  if (!/^\s*<(!doctype|html)/i.test(text)) return text.slice(0, MAX_REASON);
  const [, title = ''] = /<title[^>]*>([^<]{0,200})/i.exec(text.slice(0, MAX_REASON)) ?? [];
  return `an HTML page${title.trim() === '' ? '' : `: ${title.trim()}`}`;
}

export function decodeAnswer(text: string): unknown {
  try {
    return decodeJson(text);
  } catch (cause) {
    throw new ProconsulError('unavailable', 'the agent answered with something else than JSON', {
      cause,
    });
  }
}

export async function readText(
  response: IncomingMessage,
  { onReceived = () => undefined, maxBytes = MAX_ANSWER_BYTES }: Taking = {},
): Promise<string> {
  const parts: Buffer[] = [];
  const total = Number(response.headers['content-length'] ?? 0);
  let size = 0;
  for await (const part of whole(response)) {
    size += part.length;
    if (Math.max(size, total) > maxBytes)
      throw new ProconsulError('too-large', 'the answer is too long');
    parts.push(part);
    onReceived(size, total);
  }
  const all = Buffer.concat(parts);
  // Else a large one is held three times at once.
  parts.length = 0;
  return all.toString();
}

/** Its parts. Throws ProconsulError 'unavailable' where the answer breaks off. */
export async function* whole(response: IncomingMessage): AsyncGenerator<Buffer> {
  try {
    yield* response as AsyncIterable<Buffer>;
  } catch (cause) {
    throw new ProconsulError('unavailable', 'the agent hung up in the middle of its answer', {
      cause,
    });
  }
}
