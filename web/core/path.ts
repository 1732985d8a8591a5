/** Addresses of the page: base, data centre, then what is shown. Each part is encoded by itself. */

export interface Spot {
  /** '' where none is named. */
  readonly datacenter: string;
  readonly parts: readonly string[];
}

/** What stands in an address where its pattern has a name. */
export type Given = Readonly<Record<string, string>>;

/** Undefined where it is none of the page. */
export function spotAt(pathname: string, base: string): Spot | undefined {
  if (!`${pathname}/`.startsWith(base)) return undefined;
  const [datacenter = '', ...parts] = pathname.slice(base.length).split('/').map(decoded);
  // What stands behind a last slash is nothing, but a folder of keys ends with one.
  while (parts.at(-1) === '') parts.pop();
  return { datacenter, parts };
}

/**
 * Where an address leads whose first part may be no data centre but a page already: somebody typed it, or was sent
 * it by a program that knows of one data centre alone. It is then of the one that is the reader's own.
 */
export function homed(
  spot: Spot,
  own: string,
  isPage: (parts: readonly string[]) => boolean,
): Spot {
  const { datacenter, parts } = spot;
  if (datacenter === '' || datacenter === own) return spot;
  const all = [datacenter, ...parts];
  return isPage(all) ? { datacenter: own, parts: all } : spot;
}

export function pathOf({ datacenter, parts }: Spot, base: string): string {
  return base + [datacenter, ...parts].map(encoded).join('/');
}

/** A browser takes parts of dots away, however they are written: these have a tilde in front, and so have more. */
const DOTS = /^~*\.{1,2}$/;

function encoded(part: string): string {
  return encodeURIComponent(DOTS.test(part) ? `~${part}` : part);
}

/** Parts by their names; undefined where the pattern is another. `*name` takes what is left, slashes and all. */
export function matched(pattern: string, parts: readonly string[]): Given | undefined {
  const wanted = pattern.split('/');
  const found: Record<string, string> = {};
  for (const [i, each] of wanted.entries()) {
    if (each.startsWith('*')) return { ...found, [each.slice(1)]: parts.slice(i).join('/') };
    const part = parts[i];
    if (part === undefined) return undefined;
    if (each.startsWith(':')) found[each.slice(1)] = part;
    else if (each !== part) return undefined;
  }
  return parts.length === wanted.length ? found : undefined;
}

function decoded(part: string): string {
  const text = decodedText(part);
  return text.startsWith('~') && DOTS.test(text) ? text.slice(1) : text;
}

function decodedText(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    // Somebody typed it: it is what it says.
    return part;
  }
}

/**
 * A browser takes parts of a path that are dots away, and a server leads on from one that has such or an empty part,
 * however they are written: what is asked would be another thing, and what is deleted too.
 */
export function isAsWritten(path: string): boolean {
  const [asked = ''] = path.split('?', 1);
  return new URL(asked, 'http://x').pathname === asked && !UNCLEAN.test(decodedText(asked));
}

/** Whether a server takes it: none that holds control letters, or spaces but the plain one. */
export function isTaken(path: string): boolean {
  return !/\p{C}|[^\P{Z} ]/u.test(decodedText(path));
}

const UNCLEAN = /\/\.{0,2}(?=\/)|\/\.{1,2}$/;
