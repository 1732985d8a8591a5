/** What may stand in a log of a request: its text without what the client may have meant as a secret. */
import type { IncomingMessage } from 'node:http';

const HIDDEN = '<hidden>';

/**
 * The text without the request's query string, the values in it and its tokens, in whichever form
 * they came into the text. A value that is short is no secret, and would tear up the words.
 */
export function withoutSecrets(text: string, { url = '', headers }: IncomingMessage): string {
  const [, query = ''] = /\?(.*)$/s.exec(url) ?? [];
  const params = new URLSearchParams(query);
  const tokens = [...params.getAll('token'), headers['x-consul-token'], headers.authorization];
  const secrets = [query, decoded(query), params.toString(), sorted(params), ...tokens];
  let clean = text;
  for (const secret of secrets) {
    if (typeof secret === 'string' && secret !== '') clean = clean.replaceAll(secret, HIDDEN);
  }
  return clean;
}

/** As Go writes it. */
function sorted(params: URLSearchParams): string {
  const copy = new URLSearchParams(params);
  copy.sort();
  return copy.toString();
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
