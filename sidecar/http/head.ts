/** The head of a request, whichever version of HTTP it came by. */
import { type Fields, sorted, tokensIn } from './fields.ts';

export interface Head {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly authority: string;
  /** For its end: see `sorted`. */
  readonly fields: Fields;
  /** Of its body: 0 for none, undefined where nobody knows before its end. */
  readonly length: number | undefined;
  /** It takes trailers: gRPC asks for that. */
  readonly takesTrailers: boolean;
  /** To which protocol it wants to change; '' for none. */
  readonly upgrade: string;
}

/** What nobody may pass on: he might take it for another request than whoever sent it. */
export type Unclear = 'unclear';

const METHOD = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/;
/** Without a fragment, which is no part of a request: some programs cut it off, and read another path. */
const PATH = /^\/[!"$-~\x80-\xff]*$/;
/** RFC 9110 lets a URI have a user: no request has a use for it, and it hides what the host is. */
const AUTHORITY = /^[A-Za-z0-9._~!$&'()*+,;=:[\]%-]{0,1024}$/;
const ABSOLUTE = /^https?:\/\/([^/?#]*)(.*)$/i;
const LENGTH = /^\d{1,15}$/;

export interface Said {
  readonly method: string;
  readonly target: string;
  /** Of HTTP/2, which says it beside its fields. */
  readonly authority: string;
  readonly raw: readonly string[];
  /** Whether a body follows; how long it is, its fields say or nobody. */
  readonly hasBody: boolean;
}

export function headOf({ method, target, authority, raw, hasBody }: Said): Head | Unclear {
  const { fields, host, hosts, length, te, upgrade, connection } = sorted(raw);
  if (!METHOD.test(method) || hosts > 1 || (length !== '' && !LENGTH.test(length)))
    return 'unclear';
  // HTTP/2 may say it twice, and must say the same.
  if (authority !== '' && host !== '' && authority !== host) return 'unclear';
  const [, of, rest = ''] = ABSOLUTE.exec(target) ?? [];
  // RFC 9112, 3.2.2: what the target says counts.
  const whose = of ?? (authority || host);
  const path = of === undefined ? target : pathAt(rest);
  const wanted = tokensIn(connection).includes('upgrade') ? upgrade.toLowerCase() : '';
  const isBoth = hasBody && wanted !== '';
  // Another protocol begins behind the body for one, and behind the head for another.
  if (isBoth || !isPath(path, method) || !isAuthority(whose)) return 'unclear';
  return {
    method,
    path,
    authority: whose,
    fields,
    length: hasBody ? lengthIn(length) : 0,
    takesTrailers: tokensIn(te).includes('trailers'),
    upgrade: wanted,
  };
}

function isPath(path: string, method: string): boolean {
  return isPathText(path) || (path === '*' && method === 'OPTIONS');
}

/** Of whoever it comes: with anything else in it a head would be another, or two. */
export function isPathText(path: string): boolean {
  return PATH.test(path);
}

export function isAuthority(host: string): boolean {
  return AUTHORITY.test(host);
}

function pathAt(rest: string): string {
  const [path = ''] = rest.split('#', 1);
  return path.startsWith('/') ? path : `/${path}`;
}

function lengthIn(length: string): number | undefined {
  return length === '' ? undefined : Number(length);
}
