import type { IncomingMessage } from 'node:http';

const HIDDEN = '<hidden>';

/** A token that is shorter is none, and its letters are in every other word. */
const MIN_TOKEN = 4;

/**
 * What an error says, without the request's query string and tokens, in whichever form they came
 * into its text.
 */
export function withoutSecrets(text: string, { url = '', headers }: IncomingMessage): string {
  const [, query = ''] = /\?(.*)$/s.exec(url) ?? [];
  const params = new URLSearchParams(query);
  const tokens = [...params.getAll('token'), headers['x-consul-token'], headers.authorization];
  let clean = text;
  for (const form of [query, decoded(query), params.toString(), sorted(params)]) {
    if (form.includes('=')) clean = clean.replaceAll(form, HIDDEN);
  }
  for (const token of tokens) {
    if (typeof token !== 'string' || token.length < MIN_TOKEN) continue;
    const sent = token.replace(/^bearer\s+/i, '');
    clean = clean.replaceAll(sent, HIDDEN);
    // Of several words the first one is the token.
    const [first = ''] = sent.split(/\s/, 1);
    if (first.length >= MIN_TOKEN) clean = clean.replaceAll(first, HIDDEN);
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

/**
 * Rows whose path ends in a secret, or in what people take one for: the API of tokens before Consul 1.4
 * names a token by its secret, today's by an accessor that looks the same.
 */
const SECRET_PATHS =
  /^(\/v1\/acl\/(?:clone|destroy|info|update|token|rules\/translate)\/)(?!self$).+/i;

/** A path as it may stand in a log. */
export function pathWithoutSecrets(path: string): string {
  return path.replace(SECRET_PATHS, `$1${HIDDEN}`);
}
