import type { IncomingMessage } from 'node:http';
import { cleanPath } from './path.ts';

export const HIDDEN = '<hidden>';

/** A token that is shorter is none, and its letters are in every other word. */
const MIN_TOKEN = 4;

type Sent = Pick<IncomingMessage, 'url' | 'headers'>;

/**
 * What an error says, without the request's query string and tokens, in whichever form they came
 * into its text.
 */
export function withoutSecrets(text: string, message: Sent): string {
  return secretsHidden(message)(text);
}

/** The same for several texts about one request. */
export function secretsHidden({ url = '', headers }: Sent): (text: string) => string {
  const mark = url.indexOf('?');
  const query = mark < 0 ? '' : url.slice(mark + 1);
  const params = query === '' ? NO_PARAMS : new URLSearchParams(query);
  // Node puts several of one name into one text.
  const named = String(headers['x-consul-token'] ?? '').split(/, ?/);
  const tokens = [...params.getAll('token'), ...named, headers.authorization];
  const forms = query === '' ? [] : [query, decoded(query), params.toString(), sorted(params)];
  const hidden = forms.filter((form) => form.includes('='));
  for (const token of tokens) {
    if (typeof token !== 'string' || token.length < MIN_TOKEN) continue;
    const sent = token.replace(/^bearer\s+/i, '');
    // Of several words the first one is the token.
    const [first = ''] = sent.split(/\s/, 1);
    hidden.push(...[sent, first].filter(({ length }) => length >= MIN_TOKEN));
  }
  return (text) => hidden.reduce((clean, each) => clean.replaceAll(each, HIDDEN), text);
}

const NO_PARAMS = new URLSearchParams();

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

/** A path as it may stand in a log; `isKnownId` says of an id that it is no secret. */
export function pathWithoutSecrets(
  path: string,
  isKnownId: (id: string) => boolean = () => false,
): string {
  // As rows are found by it: neither '//' nor an encoded letter gives one a second name.
  const clean = cleanPath(lettersIn(path));
  const [, before = ''] = SECRET_PATHS.exec(clean) ?? [];
  if (before === '') return path;
  const [id = ''] = clean.slice(before.length).split('/', 1);
  return isKnownId(id) ? clean : before + HIDDEN;
}

/** Also of a path that cannot be decoded as a whole. */
function lettersIn(path: string): string {
  return path.replace(/%([2-7][\da-f])/gi, (_, code) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  );
}
